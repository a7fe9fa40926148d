// Package rig runs the programs of the project as processes, as an operator would: it builds them, lays out plugins, starts a
// host on a free loopback port, stops it, kills it, and finds the provider processes that it has started. It serves the
// end-to-end and the crash tests alike. It judges nothing, and reaches into no process but by signals and HTTP.
package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// Version is that of every provider that Build makes.
const Version = "1.0.0"

// Kit is what Build has made.
type Kit struct {
	// Host is the host's executable, Plugins a plugins directory.
	Host    string
	Plugins string
}

// sources are the packages of the providers that can be built.
var sources = map[string]string{
	"noop":   "./tests/noop/cmd/mgraph-provider-noop",
	"aws":    "./cmd/mgraph-provider-aws",
	"github": "./cmd/mgraph-provider-github",
}

const hostSource = "./cmd/mgraph-deploy"

// Build compiles the host and these providers into a directory. A program that watches for data races builds them so too.
func Build(ctx context.Context, dir string, providers ...string) (*Kit, error) {
	kit := &Kit{Host: filepath.Join(dir, "mgraph-deploy"), Plugins: filepath.Join(dir, "plugins")}
	if err := compile(ctx, hostSource, kit.Host); err != nil {
		return nil, err
	}
	for _, name := range providers {
		if err := compile(ctx, sources[name], Plugin(kit.Plugins, name, Version)); err != nil {
			return nil, err
		}
	}
	return kit, nil
}

// Plugin is where a provider's executable is installed under a plugins directory.
func Plugin(plugins, name, version string) string {
	return filepath.Join(plugins, name, version, "mgraph-provider-"+name)
}

func compile(ctx context.Context, source, into string) error {
	root, err := standin.Root()
	if err != nil {
		return err
	}
	if into, err = filepath.Abs(into); err != nil {
		return err
	}
	arguments := []string{"build", "-buildvcs=false", "-ldflags", "-X main.version=" + Version, "-o", into}
	cgo := "CGO_ENABLED=0"
	if raceDetector {
		arguments, cgo = append(arguments, "-race"), "CGO_ENABLED=1"
	}
	command := exec.CommandContext(ctx, "go", append(arguments, source)...)
	command.Dir, command.Env = root, append(os.Environ(), cgo)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", source, err, out)
	}
	return nil
}
