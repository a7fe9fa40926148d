package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestAnyComposite: whatever stands in whatever, one leaf comes before another exactly when the document says so of them, or of
// composites that they are in.
func TestAnyComposite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{before: map[pair]bool{}}
		in := graph.Input{Catalog: modelCatalog(), NewID: repeating(), GraphID: "aaaa0000", Config: &rest.Config{DeploymentID: "d"}, Expand: m.expand}
		m.draw(t, "", 0)
		for _, child := range m.children[""] {
			definition := rest.Resource{Type: m.typeOf(child), Properties: m.properties(child)}
			for _, other := range m.children[""] {
				if m.before[pair{other, child}] {
					definition.DependsOn = append(definition.DependsOn, rest.Dependency{Resource: other})
				}
			}
			in.Config.Resources = append(in.Config.Resources, rest.NamedResource{ID: child, Definition: definition})
		}
		built, problems := graph.Build(in)
		require.Empty(t, problems)
		require.Equal(t, m.all, idsOf(built.Spec))
		require.Len(t, built.Subgraphs, len(m.children)-1)
		require.Equal(t, m.order(), reachable(built.Spec))
	})
}

// model is a tree of resources with edges between siblings. before says who must come before whom, among siblings.
type model struct {
	all      []string
	children map[string][]string // of composites, and of ""
	before   map[pair]bool
}

func (m *model) draw(t *rapid.T, path string, depth int) {
	if m.children == nil {
		m.children = map[string][]string{}
	}
	m.children[path] = []string{}
	n := rapid.IntRange(0, 4).Draw(t, "n")
	if path == "" {
		n++
	}
	for i := range n {
		child := strings.TrimPrefix(fmt.Sprintf("%s.p%d", path, i), ".")
		m.all = append(m.all, child)
		for _, other := range m.children[path] {
			if rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				m.before[pair{other, child}] = true
			}
		}
		m.children[path] = append(m.children[path], child)
		if depth < 3 && rapid.Bool().Draw(t, "composite") {
			m.draw(t, child, depth+1)
		}
	}
}

func (m *model) typeOf(id string) string {
	if _, composite := m.children[id]; composite {
		return fmt.Sprintf("cloud:level-%d", strings.Count(id, "."))
	}
	return "cloud:leaf"
}

func (m *model) properties(id string) json.RawMessage {
	return json.RawMessage(`{"id": "` + id + `"}`)
}

func (m *model) expand(request *contract.ExpandRequest) *contract.ExpandResult {
	var p struct{ ID string }
	if json.Unmarshal(request.Properties, &p) != nil {
		return nil
	}
	result := &contract.ExpandResult{}
	local := func(id string) string { return strings.TrimPrefix(id, p.ID+".") }
	for _, child := range m.children[p.ID] {
		result.Nodes = append(result.Nodes, contract.ExpandedNode{LocalName: local(child), Type: m.typeOf(child), Properties: m.properties(child)})
		for _, other := range m.children[p.ID] {
			if m.before[pair{other, child}] {
				result.Edges = append(result.Edges, contract.ExpandedEdge{From: local(other), To: local(child)})
			}
		}
	}
	return result
}

// order says of each pair of leaves whether the first must come before the second: two of their ancestors, or they themselves,
// are siblings that do, at once or through others.
func (m *model) order() map[pair]bool {
	follows := map[pair]bool{}
	for p := range m.before {
		follows[p] = true
	}
	for _, via := range m.all {
		for _, a := range m.all {
			for _, b := range m.all {
				if follows[pair{a, via}] && follows[pair{via, b}] {
					follows[pair{a, b}] = true
				}
			}
		}
	}
	order := map[pair]bool{}
	for p := range follows {
		for _, a := range m.all {
			for _, b := range m.all {
				if graph.Covers(p.from, a) && graph.Covers(p.to, b) && m.typeOf(a) == "cloud:leaf" && m.typeOf(b) == "cloud:leaf" {
					order[pair{a, b}] = true
				}
			}
		}
	}
	return order
}

func reachable(spec *graph.Spec) map[pair]bool {
	names, follows := map[string]string{}, map[pair]bool{}
	var all []string
	for i := range spec.Nodes {
		names[spec.Nodes[i].NodeID] = spec.Nodes[i].ResourceID
		all = append(all, spec.Nodes[i].ResourceID)
	}
	for _, e := range spec.Edges {
		follows[pair{names[e.From], names[e.To]}] = true
	}
	for _, via := range all {
		for _, a := range all {
			for _, b := range all {
				if follows[pair{a, via}] && follows[pair{via, b}] {
					follows[pair{a, b}] = true
				}
			}
		}
	}
	return follows
}

func modelCatalog() graphtest.Catalog {
	description := &contract.Description{Name: "cloud", Version: "1.0.0", ResourceTypes: []contract.ResourceType{
		{Name: "cloud:leaf", Placement: contract.Global, Verbs: []contract.VerbSupport{{Verb: contract.VerbCreate}}},
	}}
	for i := range 4 {
		description.ResourceTypes = append(description.ResourceTypes, contract.ResourceType{Name: fmt.Sprintf("cloud:level-%d", i), Composite: true})
	}
	return graphtest.Catalog{Descriptions: []*contract.Description{description}}
}
