// Command bench measures a real host process with a no-op provider process, over HTTP, durable, and sets it beside the bare
// streaming rate of the same provider over go-plugin, measured in turns with it. It prints a table and writes
// build/bench.json. What the figures should be is printed beside them; it does not judge.
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

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) > 0 && arguments[0] == "serve" {
		return serveProfiled(arguments[1:])
	}
	root, err := standin.Root()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	o := options{sizes: fullSizes, out: os.Stdout, progress: os.Stderr}
	flags.IntVar(&o.rounds, "rounds", 5, "how often each thing is measured")
	flags.StringVar(&o.host, "host", filepath.Join(root, "bin", "mgraph-deploy"), "the host's executable")
	flags.StringVar(&o.json, "json", filepath.Join(root, "build", "bench.json"), "where the figures are written")
	flags.StringVar(&o.profiles, "profiles", "", "measure this program as host instead, and leave its profiles in this directory")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	o.parent = filepath.Join(root, "build")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return bench(ctx, o)
}

type options struct {
	sizes
	rounds        int
	host, json    string
	profiles      string
	parent        string // of a directory that is removed at the end
	out, progress io.Writer
}

func bench(ctx context.Context, o options) (err error) {
	if err := os.MkdirAll(o.parent, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.parent, "bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := subjectOf(o, dir)
	if err != nil {
		return err
	}
	if err := s.buildProvider(ctx); err != nil {
		return err
	}
	if s.database, err = pgserver.Start(ctx, pgserver.Options{Fsync: true}); err != nil && !errors.Is(err, pgserver.ErrNone) {
		return err
	}
	if s.database == nil {
		_, _ = fmt.Fprintln(o.progress, "bench:", err)
	} else {
		defer s.database.Stop()
	}
	b, err := startBare(s.provider(), dir)
	if err != nil {
		return err
	}
	defer b.stop()
	all, err := measure(ctx, s, b, o.sizes, o.rounds, func(line string) { _, _ = fmt.Fprintln(o.progress, line) })
	if err != nil {
		return err
	}
	reported := figures(all)
	return errors.Join(table(o.out, reported), write(o.json, reported))
}

func subjectOf(o options, dir string) (*subject, error) {
	if o.profiles == "" {
		return &subject{host: o.host, dir: dir}, nil
	}
	self, err := os.Executable()
	return &subject{host: self, arguments: []string{"--profiles", o.profiles}, dir: dir}, err
}
