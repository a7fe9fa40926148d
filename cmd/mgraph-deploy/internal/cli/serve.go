package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

const (
	defaultListen = "127.0.0.1:8080"
	// headerTimeout bounds the reading of a request's header; bodies have a bound of their own, and answers may take long.
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	// lastAnswers is how long answers may take to be sent once the host has stopped.
	lastAnswers = 5 * time.Second
)

func (a *app) serveCommand() *cobra.Command {
	var listen, auth, keyHeader string
	command := &cobra.Command{
		Use: "serve", Short: "Serve the REST API", Args: cobra.NoArgs,
		Long: "Serve the REST API until SIGTERM or SIGINT: then nothing new is started, calls in flight finish, runs are left so that\n" +
			"they can be gone on with, and the program ends with 0. It is ready when GET /info/health answers 200.",
		RunE: func(command *cobra.Command, _ []string) error {
			settings, err := a.hostSettings()
			if err != nil {
				return err
			}
			settings.Listen = first(listen, settings.Listen, defaultListen)
			settings.Auth = first(auth, settings.Auth)
			settings.KeyHeader = first(keyHeader, settings.KeyHeader)
			return a.serve(command.Context(), settings)
		},
	}
	set := command.Flags()
	a.hostFlags(set)
	set.StringVar(&listen, "listen", "", "address to listen on (default "+defaultListen+")")
	set.StringVar(&auth, "auth", "", "when API keys are needed: auto (on loopback once there is one, elsewhere always), keys (always), off (never; loopback only) (default auto)")
	set.StringVar(&keyHeader, "key-header", "", "header that may carry the API key beside Authorization (default X-API-Key)")
	set.StringVar(&a.flags.logLevel, "log-level", "", "trace, debug, info, warn or error (default info)")
	return command
}

func (a *app) serve(ctx context.Context, settings *hostSettings) (err error) {
	h, err := a.newHost(ctx, settings, first(a.flags.logLevel, settings.LogLevel, "info"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", settings.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), h.Close(context.WithoutCancel(ctx)))
	}
	server := &http.Server{
		Handler: h.Handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	a.say("serving on http://%s", listener.Addr())
	select {
	case err := <-ended:
		return errors.Join(err, h.Close(context.WithoutCancel(ctx)))
	case <-ctx.Done():
	}
	a.say("draining")
	return drain(context.WithoutCancel(ctx), server, h)
}

// stoppable is a host on its way out.
type stoppable interface {
	Drain()
	Close(context.Context) error
}

// drain takes no more requests and brings the host's runs to rest; that ends the waits and streams of the requests that are still
// there, and they are answered before the host closes.
func drain(ctx context.Context, server *http.Server, h stoppable) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- server.Shutdown(ctx) }()
	h.Drain()
	last := time.AfterFunc(lastAnswers, cancel)
	defer last.Stop()
	err := <-answered
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, server.Close(), h.Close(ctx))
}
