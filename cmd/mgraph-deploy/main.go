// Command mgraph-deploy serves deployments, and is a client of what it serves.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/cmd/mgraph-deploy/internal/cli"
)

var version = "dev"

// gcPercent lets the heap, which is small, grow further between collections: less of each operation's cost is collecting.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, cli.Env{
		Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Lookup: os.LookupEnv, Version: version,
	})
	stop()
	os.Exit(code)
}
