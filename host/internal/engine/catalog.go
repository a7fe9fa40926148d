package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// catalog is the provider versions that one graph uses; it implements graph.Catalog.
type catalog struct {
	pinned map[string]pluginhost.Pinned
}

// Type looks a resource type up in the provider that its name begins with.
func (c *catalog) Type(name string) (*contract.ResourceType, bool) {
	provider, _, _ := strings.Cut(name, ":")
	pinned, ok := c.pinned[provider]
	if !ok {
		return nil, false
	}
	return pinned.Description.Type(name)
}

// Provider gives what a provider is pinned to.
func (c *catalog) Provider(name string) (graph.Pin, *contract.Description, bool) {
	pinned, ok := c.pinned[name]
	return graph.Pin{Version: pinned.Version, Digest: pinned.Digest}, pinned.Description, ok
}

func (c *catalog) names() []string { return slices.Sorted(maps.Keys(c.pinned)) }

// pick chooses a version of each provider that the configuration's types name. A provider that is not there is left out: the
// graph then says of each resource that its type is unknown.
func (e *Engine) pick(ctx context.Context, cfg *rest.Config) (*catalog, []graph.Problem, error) {
	c := &catalog{pinned: map[string]pluginhost.Pinned{}}
	wanted := map[string]bool{}
	for i := range cfg.Resources {
		provider, _, _ := strings.Cut(cfg.Resources[i].Definition.Type, ":")
		wanted[provider] = true
	}
	for name := range cfg.Providers {
		wanted[name] = true
	}
	var problems []graph.Problem
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		within := cfg.Providers[name].Version
		pinned, err := e.plugins.Pick(ctx, name, within)
		switch {
		case errors.Is(err, pluginhost.ErrUnknown) && within != "":
			problems = append(problems, graph.Problem{
				Pointer: document.Join("/config/providers", name), Message: "no installed version of this provider is allowed here",
			})
		case errors.Is(err, pluginhost.ErrUnknown):
		case err != nil:
			return nil, nil, err
		default:
			c.pinned[name] = pinned
		}
	}
	return c, problems, nil
}

// pinnedBy gives the versions that a stored graph is pinned to.
func (e *Engine) pinnedBy(ctx context.Context, spec *graph.Spec) (*catalog, error) {
	c := &catalog{pinned: map[string]pluginhost.Pinned{}}
	for name, pin := range spec.Providers {
		pinned, err := e.plugins.Describe(ctx, name, pin.Version)
		if errors.Is(err, pluginhost.ErrUnknown) {
			return nil, &Error{Kind: Conflict, Provider: name, cause: err, Message: fmt.Sprintf(
				"this graph is pinned to %s %s, which is not installed", name, pin.Version)}
		}
		if err != nil {
			return nil, err
		}
		c.pinned[name] = pinned
	}
	return c, nil
}

// askTries is how often a question that changes nothing is put again to a provider that died over it, or over another one;
// askPause is what it takes until a process that dies is known to be dead.
const (
	askTries = 3
	askPause = 50 * time.Millisecond
)

// ask puts a question that changes nothing to a provider.
func (e *Engine) ask(ctx context.Context, name, version string, question func(contract.Provider) error) error {
	for try := 1; ; try++ {
		err := e.askOnce(ctx, name, version, question)
		if contract.KindOf(err) != contract.KindInterrupted || try == askTries {
			return err
		}
		select {
		case <-time.After(askPause):
		case <-ctx.Done():
			return err
		}
	}
}

func (e *Engine) askOnce(ctx context.Context, name, version string, question func(contract.Provider) error) error {
	provider, _, release, err := e.plugins.Use(ctx, name, version)
	if err != nil {
		return err
	}
	defer release()
	return question(provider)
}
