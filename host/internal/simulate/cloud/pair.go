package cloud

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// pairs are sim:pair: a net, and a disk that holds what the net does.
type pairs struct{}

var _ provider.Composite[Properties] = pairs{}

// Describe says what a pair is.
func (pairs) Describe() provider.Description {
	return provider.Description{
		Type: "sim:pair", Summary: "A net with a disk that follows it.", Placement: contract.Global,
		SelfOutput: "id", Outputs: outputFields[:2],
	}
}

// Expand implements provider.Composite.
func (pairs) Expand(properties Properties, _ provider.References) (provider.Subgraph, error) {
	return provider.Subgraph{
		Parts: []provider.Part{
			{Name: "net", Type: "sim:net", Properties: Properties{Name: properties.Name, Value: properties.Value}},
			{Name: "disk", Type: "sim:disk", Properties: Properties{Name: properties.Name}, References: map[string]string{"from": "net.value"}},
		},
		Outputs: map[string]string{"id": "net.id", "value": "net.value"},
	}, nil
}
