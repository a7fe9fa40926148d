// Command demo deploys the example my-app.json for real: the product's own programs as processes, moto in place of AWS and the
// project's fake in place of GitHub, both on loopback. It shows each step as a person would see it, proves what came of it by
// clients that are not ours, and removes all that it made. It ends with an error as soon as anything is off.
//
// It works with what make build leaves, and needs nothing else but Python 3.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := standin.Root()
	if err != nil {
		return err
	}
	program := flag.String("program", filepath.Join(root, "bin", "mgraph-deploy"), "the program to show")
	plugins := flag.String("plugins", filepath.Join(root, "build", "plugins"), "the providers to install, as make build leaves them")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return show(ctx, os.Stdout, *program, *plugins)
}

// show plays all scenes in a directory that is gone afterwards.
func show(ctx context.Context, out io.Writer, program, plugins string) (err error) {
	began := time.Now()
	dir, err := os.MkdirTemp(shortTemporary(), "demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &stage{out: out, dir: dir, program: program}
	defer func() { err = errors.Join(err, s.clear(), s.lastWords(err)) }()
	for i, scene := range scenes() {
		_, _ = fmt.Fprintf(out, "\n== %d. %s\n", i+1, scene.title)
		if err := scene.play(s, ctx, plugins); err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
	}
	if err := errors.Join(s.clear(), s.nothingBehind()); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "\nAll of it held, in %s. Nothing is left running or behind.\n", time.Since(began).Round(100*time.Millisecond))
	return nil
}

// shortTemporary is where temporary files go. Sockets lie below it, whose paths must not be long: 104 bytes at most on some systems.
func shortTemporary() string {
	const most = 24
	if dir := os.TempDir(); len(dir) <= most {
		return dir
	}
	return "/tmp"
}
