package noop

import (
	"strconv"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Stack is the properties of noop:stack.
type Stack struct {
	Value  string          `json:"value,omitempty" jsonschema_description:"What its base holds."`
	Secret provider.Sealed `json:"secret,omitempty"`
	Size   *int            `json:"size,omitempty" jsonschema:"minimum=0,maximum=1000,default=2" jsonschema_description:"How many parts it has: none at all, or a base and layers on it."`
	// Mischief is handed to its layers.
	Mischief
}

// stacks is noop:stack: a global base that holds the secret, and regional layers, each on the one before.
type stacks struct{}

var (
	_ provider.Composite[Stack] = stacks{}
	_ provider.Validator[Stack] = stacks{}
)

// Describe says what a stack is.
func (stacks) Describe() provider.Description {
	return provider.Description{
		Type: "noop:stack", Summary: "A global thing, and regional ones that lie on it.",
		References: []contract.ReferenceRole{{Role: "from", Summary: "What gives the value of its base."}},
		SelfOutput: "id", Outputs: []contract.OutputField{
			{Name: "id", Summary: "What its base is found by."}, {Name: "value", Summary: "What its base holds."},
			{Name: "fingerprint", Summary: "Says whether the secret has changed."}, {Name: "top", Summary: "What its last part is found by."},
		},
	}
}

// Validate refuses kinds of errors that do not exist.
func (stacks) Validate(properties Stack, _ provider.References) []provider.Diagnostic {
	return properties.Mischief.validate()
}

// Expand makes as many parts as it is told.
func (stacks) Expand(properties Stack, roles provider.References) (provider.Subgraph, error) {
	size := 2
	if properties.Size != nil {
		size = *properties.Size
	}
	if size == 0 {
		return provider.Subgraph{}, nil
	}
	base := provider.Part{
		Name: "base", Type: "noop:thing", Properties: Thing{Value: properties.Value}, Sealed: map[string]string{"/secret": "/secret"},
	}
	if roles.Has("from") {
		base.References = map[string]string{"from": contract.OwnRole + "from"}
	}
	made := provider.Subgraph{Parts: []provider.Part{base}}
	for i := 1; i < size; i++ {
		below := made.Parts[i-1].Name
		made.Parts = append(made.Parts, provider.Part{
			Name: "layer-" + strconv.Itoa(i), Type: "noop:regional", Properties: Thing{Mischief: properties.Mischief},
			References: map[string]string{"from": "base.value"}, After: []string{below},
		})
	}
	made.Outputs = map[string]string{
		"id": "base.id", "value": "base.value", "fingerprint": "base.fingerprint", "top": made.Parts[size-1].Name + ".id",
	}
	return made, nil
}

// Site is the properties of noop:site.
type Site struct {
	Value  string          `json:"value,omitempty" jsonschema_description:"What the base of its stack holds."`
	Secret provider.Sealed `json:"secret,omitempty"`
	Size   *int            `json:"size,omitempty" jsonschema:"minimum=1,maximum=1000,default=2" jsonschema_description:"How many parts its stack has."`
}

// sites is noop:site: a composite in a composite.
type sites struct{}

var _ provider.Composite[Site] = sites{}

// Describe says what a site is.
func (sites) Describe() provider.Description {
	return provider.Description{
		Type: "noop:site", Summary: "A stack, and a thing in front of it.", SelfOutput: "id",
		Outputs: []contract.OutputField{
			{Name: "id", Summary: "What its front is found by."}, {Name: "value", Summary: "What the base of its stack holds."},
		},
	}
}

// Expand is always a stack and a front.
func (sites) Expand(properties Site, _ provider.References) (provider.Subgraph, error) {
	return provider.Subgraph{
		Parts: []provider.Part{
			{
				Name: "stack", Type: "noop:stack", Properties: Stack{Value: properties.Value, Size: properties.Size},
				Sealed: map[string]string{"/secret": "/secret"},
			},
			{Name: "front", Type: "noop:regional", References: map[string]string{"from": "stack.value"}},
		},
		Outputs: map[string]string{"id": "front.id", "value": "stack.value"},
	}, nil
}
