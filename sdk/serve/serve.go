// Package serve is the main of a provider: it takes the process's streams, keys and lifeline in hand, and serves a
// provider to the host that started it, over go-plugin and gRPC. It also holds the host's side of that glue.
//
// It starts no processes, and knows nothing of resource types.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// unversioned is the version of a build that was given none.
const unversioned = "0.0.0-dev"

// Main serves a provider without a version of its own: for development. A released one calls MainVersion.
func Main(create func(version string) (*provider.Provider, error)) { MainVersion("", create) }

// MainVersion serves the provider that create makes, and does not return. Give it the variable that the build sets:
//
//	var version string // -ldflags "-X main.version=1.2.3"
//	func main() { serve.MainVersion(version, acme.New) }
func MainVersion(version string, create func(version string) (*provider.Provider, error)) {
	if version == "" {
		version = unversioned
	}
	os.Exit(run(version, create, os.Args[1:], os.Getenv))
}

// options are the flags of a provider.
type options struct {
	describe, version bool
	keyFile           string
}

// parse reads the flags; the environment has what a host sets.
func parse(arguments []string, env func(string) string, errors io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("provider", flag.ContinueOnError)
	flags.SetOutput(errors)
	flags.BoolVar(&o.describe, "describe", false, "print what this provider is, as JSON, and end")
	flags.BoolVar(&o.version, "version", false, "print the version and end")
	flags.StringVar(&o.keyFile, "key-file", env(EnvKeyFile), "path of the key file; made when there is none")
	return o, flags.Parse(arguments)
}

// run is a provider's life; its answer is the exit status.
func run(version string, create func(string) (*provider.Provider, error), arguments []string, env func(string) string) int {
	stdout, err := divertStdout()
	if err != nil {
		return fail(err)
	}
	o, err := parse(arguments, env, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if err := holdLifeline(env(EnvLifeline)); err != nil {
		return fail(err)
	}
	p, err := create(version)
	if err != nil {
		return fail(err)
	}
	switch {
	case o.version:
		_, err = fmt.Fprintln(stdout, version)
	case o.describe:
		err = describe(p, stdout)
	case env(Handshake.MagicCookieKey) != Handshake.MagicCookieValue:
		return introduce(p)
	default:
		err = serve(p, o, stdout, hclog.LevelFromString(env(EnvLogLevel)))
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

// fail says why the process ends.
func fail(err error) int {
	_, _ = fmt.Fprintln(os.Stderr, "provider:", err)
	return 1
}

// introduce tells a person who started a provider by hand what it is.
func introduce(p *provider.Provider) int {
	about, _ := p.Describe(context.Background())
	_, _ = fmt.Fprintf(os.Stderr, "This is the %s provider %s of MGraph Deploy, which the host starts by itself.\n"+
		"Put it into the plugins directory as %s/%s/mgraph-provider-%s, or see what it offers with --describe.\n",
		about.Name, about.Version, about.Name, about.Version, about.Name)
	return 1
}

// describe prints what a provider is.
func describe(p *provider.Provider, to io.Writer) error {
	about, err := p.Describe(context.Background())
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(about)
}

// serve answers the host until it goes.
func serve(p *provider.Provider, o options, stdout *os.File, level hclog.Level) error {
	if o.keyFile == "" {
		return fmt.Errorf("no key file: %s or --key-file must name one", EnvKeyFile)
	}
	// A provider's heap is small and its garbage many short calls': collecting at four times the live heap costs little memory.
	debug.SetGCPercent(400)
	keys, err := sealedbox.LoadOrCreate(o.keyFile, time.Now())
	if err != nil {
		return err
	}
	if level == hclog.NoLevel {
		level = hclog.Info
	}
	stderr := os.Stderr
	log := hclog.New(&hclog.LoggerOptions{Level: level, Output: stderr, JSONFormat: true})
	p.Use(provider.Runtime{Keys: keys, Log: log})
	defer p.Close()
	streams := &streams{stderr: stderr}
	os.Stdout = stdout // for the one line by which go-plugin tells the host where to connect
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: Handshake, Logger: log, Plugins: plugin.PluginSet{PluginName: &grpcPlugin{provider: p}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(append(options, ServerOptions(log)...), streams.options()...)...)
		},
	})
	return nil
}
