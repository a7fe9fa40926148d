// Command postgres runs a PostgreSQL of one's own by hand: it prints its URL and serves until it is interrupted. With --prepare it
// only makes sure that the machine has one to run, installing Debian's package where it has none and we are root.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "postgres:", err)
		os.Exit(1)
	}
}

func run() error {
	prepare := flag.Bool("prepare", false, "only make sure that there is a server to run, and print where")
	fsync := flag.Bool("fsync", true, "make durable what is committed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *prepare {
		if os.Getenv(pgserver.External) != "" {
			fmt.Println("the one that " + pgserver.External + " names")
			return nil
		}
		binaries, err := pgserver.Binaries(ctx)
		if err == nil {
			fmt.Println(binaries)
		}
		return err
	}
	server, err := pgserver.Start(ctx, pgserver.Options{Fsync: *fsync})
	if err != nil {
		return err
	}
	defer server.Stop()
	fmt.Println(server.URL)
	<-ctx.Done()
	return nil
}
