// Command githubfake serves the GitHub fake on loopback, for a demonstration or a test in another process. It prints its URL on
// the first line, and ends at SIGINT, at SIGTERM, or with --lifeline when its standard input is closed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "githubfake:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on, which must be loopback; port 0 is any free one")
	lifeline := flag.Bool("lifeline", false, "end when standard input is closed, as it is when the parent dies")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *lifeline {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	}
	return serve(ctx, *listen)
}

func serve(ctx context.Context, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return errors.Join(errors.New("the fake gives away its secrets and serves on loopback only"), listener.Close())
	}
	server := &http.Server{Handler: githubfake.New(githubfake.Options{}), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
