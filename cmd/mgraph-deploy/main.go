// Command mgraph-deploy serves deployments, and is a client of what it serves.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/cmd/mgraph-deploy/internal/cli"
)

var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, cli.Env{
		Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Lookup: os.LookupEnv, Version: version,
	})
	stop()
	os.Exit(code)
}
