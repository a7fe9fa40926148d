package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// This file alone knows the host.

// lockWait is how long to wait for another host to let go of the data directory.
const lockWait = 10 * time.Second

// session is a host that can be called.
type session struct {
	*rest.Client
	// local: the host is inside this process, and ends with it.
	local bool
	close func() error
}

// call connects, and ends what was begun.
func (a *app) call(ctx context.Context, use func(context.Context, *session) error) (err error) {
	if err := a.checkOutput(); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return use(ctx, s)
}

func (a *app) connect(ctx context.Context) (*session, error) {
	if a.flags.server == "" {
		return a.connectInside(ctx)
	}
	key, err := a.apiKey()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client, err := rest.NewClient(a.flags.server, rest.WithKey(key), rest.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return nil, err
	}
	return &session{Client: client, close: func() error {
		transport.CloseIdleConnections()
		return nil
	}}, nil
}

// apiKey comes from the environment or a file: arguments can be seen by everyone on the machine.
func (a *app) apiKey() (string, error) {
	if a.flags.apiKeyFile == "" {
		key, _ := a.env.Lookup(envPrefix + "API_KEY")
		return key, nil
	}
	text, err := os.ReadFile(a.flags.apiKeyFile)
	if err != nil {
		return "", fmt.Errorf("read the API key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func (a *app) connectInside(ctx context.Context) (*session, error) {
	settings, err := a.hostSettings()
	if err != nil {
		return nil, err
	}
	// Who can read the data directory needs no key.
	settings.Auth = "off"
	h, err := a.newHost(ctx, settings, first(a.flags.logLevel, "error"))
	if err != nil {
		return nil, err
	}
	client, err := rest.NewClient("http://localhost", rest.WithHTTPClient(&http.Client{Transport: inside{h.Handler()}}))
	if err != nil {
		return nil, errors.Join(err, h.Close(ctx))
	}
	return &session{Client: client, local: true, close: func() error { return h.Close(context.WithoutCancel(ctx)) }}, nil
}

// newHost makes a host of what flags, environment and file say.
func (a *app) newHost(ctx context.Context, s *hostSettings, level string) (*host.Host, error) {
	log, err := a.newLog(level)
	if err != nil {
		return nil, err
	}
	h, err := host.New(ctx, host.Options{
		DataDir: s.DataDir, Database: host.Database(s.Store), PluginsDir: s.PluginsDir, Listen: s.Listen, Auth: s.Auth, KeyHeader: s.KeyHeader,
		Log: log, Version: a.env.Version, ProviderSettings: s.Providers, RateLimits: s.rateLimits(),
		Limits:     host.Limits{MaxBytes: s.Limits.BodyBytes, MaxDepth: s.Limits.Depth, MaxResources: s.Limits.Resources},
		ActiveRuns: s.Limits.ActiveRuns, Owners: s.Owners,
		LockWait: lockWait, PlainBoxes: s.PlainBoxes, Concurrency: s.Concurrency, Tries: s.Tries,
		OperationTimeout: seconds(s.OperationTimeoutSeconds), DrainTimeout: seconds(s.DrainTimeoutSeconds),
		Lease: seconds(s.LeaseSeconds), SettleGrace: seconds(s.SettleGraceSeconds),
	})
	if err != nil {
		return nil, fmt.Errorf("start the host on %s: %w", s.DataDir, err)
	}
	return h, nil
}

// hasPassword says whether the URL of a store has one in it.
func hasPassword(store string) bool { return host.Database(store).Password() }

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

func (a *app) newLog(level string) (hclog.Logger, error) {
	parsed := hclog.LevelFromString(level)
	if parsed == hclog.NoLevel {
		return nil, errors.New("--log-level must be trace, debug, info, warn or error")
	}
	if a.flags.logFormat != "text" && a.flags.logFormat != "json" {
		return nil, errors.New("--log-format must be text or json")
	}
	return hclog.New(&hclog.LoggerOptions{
		Name: "mgraph-deploy", Level: parsed, Output: a.env.Err, JSONFormat: a.flags.logFormat == "json",
	}), nil
}
