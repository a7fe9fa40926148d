// Command moto runs the AWS stand-in by hand: it prints its URL and serves until it is interrupted. With --prepare it only
// makes sure that a Python with moto is there, making build/venv where the machine has none.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "moto:", err)
		os.Exit(1)
	}
}

func run() error {
	prepare := flag.Bool("prepare", false, "only make sure that a Python with moto is there, and print its path")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *prepare {
		python, err := standin.Python(ctx)
		if err == nil {
			fmt.Println(python)
		}
		return err
	}
	moto, err := standin.StartMoto(ctx, os.Stderr)
	if err != nil {
		return err
	}
	defer moto.Stop()
	fmt.Println(moto.URL)
	<-ctx.Done()
	return nil
}
