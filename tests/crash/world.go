package main

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// world is what is deployed to: it makes up deployments, and reads what exists without the host's help.
type world interface {
	// Settings are the operator's, by provider.
	Settings() map[string]any
	// Scenario makes up a deployment.
	Scenario(draw drawing) *scenario
	// Read lists all that exists.
	Read(ctx context.Context) ([]thing, error)
	// Reset empties it.
	Reset(ctx context.Context) error
	// Tap has one request that changes something tell of itself, nil where requests cannot be seen.
	Tap() *tap
	Close()
}

// drawing is the chance that a deployment is made from. With the same shape and other values it is the same deployment, changed.
type drawing struct {
	shape, values *rand.Rand
	deploymentID  string
	// update asks for what is there already to be changed, crashes lets things take their provider with them.
	update, crashes bool
}

// verb draws what a pipeline might ask for.
func (d drawing) verb() string {
	ensures := d.shape.IntN(5) < 2
	if ensures || d.update {
		return "ensure"
	}
	return "create"
}

// place is where a logical resource is.
type place struct{ Resource, Region string }

// thing is one thing that exists outside.
type thing struct {
	Type, Region string
	// Name is what it is called there, Labels what it carries.
	Name   string
	Labels map[string]string
	// Values are what it is set to.
	Values map[string]string
}

// lookup finds what exists at a place; nil for nothing.
type lookup func(place) *thing

// wanted is what a completed operation must have set.
type wanted func(lookup) map[string]string

// always wants the same whatever else exists.
func always(values map[string]string) wanted {
	return func(lookup) map[string]string { return values }
}

// with wants what another thing holds, beside these.
func with(values map[string]string, name string, of place, value string) wanted {
	return func(find lookup) map[string]string {
		all := map[string]string{}
		maps.Copy(all, values)
		if other := find(of); other != nil {
			all[name] = other.Values[value]
		}
		return all
	}
}

// scenario is one deployment.
type scenario struct {
	config rest.Config
	// providers are those whose credentials it needs.
	providers []string
	// secrets are to be sealed, by pointer into the config.
	secrets map[string]secret
	wants   map[place]wanted
}

// secret is a sensitive property before it is sealed.
type secret struct{ provider, resourceType, pointer, value string }

func newScenario(deploymentID string, providers ...string) *scenario {
	return &scenario{
		config:    rest.Config{DeploymentID: deploymentID},
		providers: providers, secrets: map[string]secret{}, wants: map[place]wanted{},
	}
}

// add adds a resource with what it must have set, in each of these regions.
func (s *scenario) add(id string, definition rest.Resource, regions []string, want func(region string) wanted) {
	s.config.Resources = append(s.config.Resources, rest.NamedResource{ID: id, Definition: definition})
	for _, region := range regions {
		s.wants[place{id, region}] = want(region)
	}
}

// regions of every regional resource; global ones have none.
var (
	regions = []string{"us-east-1", "eu-west-1"}
	global  = []string{""}
)

// pick draws one of several.
func pick[T any](chance *rand.Rand, from []T) T { return from[chance.IntN(len(from))] }

// some draws a subset, in order.
func some[T any](chance *rand.Rand, from []T) []T {
	return slices.DeleteFunc(slices.Clone(from), func(T) bool { return chance.IntN(2) == 0 })
}
