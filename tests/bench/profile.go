package main

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host"
)

// serveProfiled is the host that is measured when profiles are wanted: this program itself, so that the released one needs no such
// option. It understands what scripts may rely on of the real one's command line.
func serveProfiled(arguments []string) (err error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen := flags.String("listen", "", "")
	dataDir := flags.String("data-dir", "", "")
	plugins := flags.String("plugins-dir", "", "")
	storeFile := flags.String("store-file", "", "")
	_ = flags.String("config", "", "what is set there is set here anyway")
	profiles := flags.String("profiles", "", "directory of the profiles")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	database, err := os.ReadFile(*storeFile)
	if err != nil && *storeFile != "" {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	finish, err := profile(filepath.Join(*profiles, filepath.Base(*dataDir)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish()) }()
	h, err := host.New(ctx, host.Options{
		DataDir: *dataDir, PluginsDir: *plugins, Listen: *listen, Version: "bench", Database: host.Database(database),
		Limits: host.Limits{MaxBytes: 64 << 20, MaxResources: 100_000},
		Log:    hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr}),
	})
	if err != nil {
		return err
	}
	server := &http.Server{Addr: *listen, Handler: h.Handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err = server.ListenAndServe(); errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, h.Close(context.Background()))
}

// profile records where time goes, and at the end what was allocated.
func profile(prefix string) (finish func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(prefix), 0o755); err != nil {
		return nil, err
	}
	cpu, err := os.Create(prefix + ".cpu")
	if err != nil {
		return nil, err
	}
	heap, err := os.Create(prefix + ".heap")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return errors.Join(cpu.Close(), pprof.WriteHeapProfile(heap), heap.Close())
	}, nil
}
