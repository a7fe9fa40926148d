package main

import (
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// shape is how a deployment's resources depend on each other.
type shape string

const (
	// wide: nothing depends on anything.
	wide shape = "wide"
	// layers: ten of them, each resource with three predecessors in the layer before, the first of which gives a value.
	layers shape = "layers"
)

const (
	layerCount   = 10
	predecessors = 3
)

// deployment makes a deployment of so many resources, named so that runs do not meet.
func deployment(name string, s shape, count int) *rest.Config {
	config := &rest.Config{
		DeploymentID: name, Credentials: rest.Credentials{"noop": json.RawMessage(`{}`)}, Resources: make(rest.Resources, count),
	}
	for i := range config.Resources {
		config.Resources[i] = rest.NamedResource{ID: resourceID(i), Definition: rest.Resource{
			Type: "noop:fast", Properties: json.RawMessage(`{"value":"a value"}`),
		}}
		if s == layers {
			depend(&config.Resources[i].Definition, i, max(count/layerCount, 1))
		}
	}
	return config
}

func resourceID(i int) string { return fmt.Sprintf("resource-%05d", i) }

// depend gives resource i its predecessors, spread over the layer before.
func depend(definition *rest.Resource, i, width int) {
	layer, position := i/width, i%width
	if layer == 0 {
		return
	}
	for k := range min(predecessors, width) {
		before := resourceID((layer-1)*width + (position+k*max(width/predecessors, 1))%width)
		definition.DependsOn = append(definition.DependsOn, rest.Dependency{Resource: before})
		if k == 0 {
			definition.Properties = nil
			definition.References = map[string]string{"from": before + ".id"}
		}
	}
}
