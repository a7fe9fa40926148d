package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dag"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestAnyMove: everything that moves is created, verified and deleted, once each; what stays and reads it is repointed; no
// deletion is reached but through the hold; there is no cycle; and the size is linear.
func TestAnyMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		document, regions := anyService(t)
		head := builtFrom(t, document)
		from := rapid.SampledFrom(regions).Draw(t, "from")
		in := moveOf(head, from, "new")
		for _, node := range head.Nodes {
			if rapid.IntRange(0, 9).Draw(t, "left") == 0 {
				in.Places[node.NodeID]["new"] = graph.Place{Name: node.Names[from] + "x", There: true}
			}
		}
		moved, problems := graph.Move(in)
		require.Empty(t, problems)
		checkMove(t, head, moved, from)
		checkOrder(t, moved.Steps)
		undone := graph.Unmove(head, moved.Target, moved.Steps, "dddd0000", in.NewID, func(*graph.Node) bool { return rapid.Bool().Draw(t, "begun") })
		checkOrder(t, undone)
		in.Accounts = map[string]bool{"cloud": true}
		away, problems := graph.Move(in)
		require.Empty(t, problems)
		checkOrder(t, away.Steps)
		checkAway(t, head, away)
	})
}

// checkAway: nothing that moved reads what it leaves, nothing that is left reads what takes its place.
func checkAway(t *rapid.T, head *graph.Spec, moved *graph.Moved) {
	old := map[string]bool{}
	for i := range head.Nodes {
		if head.Nodes[i].Provider() == "cloud" {
			old[head.Nodes[i].NodeID] = true
		}
	}
	for _, node := range moved.Steps.Nodes {
		require.Equal(t, node.Verb == contract.VerbDelete, old[node.Logical()], node.ResourceID)
		for _, reference := range node.References {
			require.Equal(t, node.Verb == contract.VerbDelete, old[reference.NodeID], node.ResourceID)
		}
	}
}

func anyService(t *rapid.T) (document string, regions []string) {
	regions = []string{"us", "eu", "as"}[:rapid.IntRange(1, 3).Draw(t, "regions")]
	n := rapid.IntRange(1, 10).Draw(t, "n")
	resources := map[string]rest.Resource{}
	functions := []string{}
	for i := range n {
		id := fmt.Sprintf("r%d", i)
		r := rest.Resource{Type: "cloud:function", Properties: json.RawMessage(`{"function_name": "` + id + `", "runtime": "go", "handler": "h", "role": "arn:x"}`)}
		if i > 0 && rapid.Bool().Draw(t, "global") {
			r = rest.Resource{Type: "hub:secret", Properties: json.RawMessage(`{"repo": "r", "secret_name": "` + id + `", "encrypted_value": "BOX"}`)}
		}
		if len(functions) > 0 && rapid.Bool().Draw(t, "reads") {
			text := rapid.SampledFrom(functions).Draw(t, "read")
			if rapid.Bool().Draw(t, "there") {
				text += "@" + rapid.SampledFrom(regions).Draw(t, "where") + ".arn"
			}
			switch r.Type {
			case "cloud:function":
				r.References = map[string]string{"after": text}
			default:
				r.References = map[string]string{"value_from": text}
				r.Properties = json.RawMessage(strings.Replace(string(r.Properties), `, "encrypted_value": "BOX"`, "", 1))
			}
		}
		for j := range i {
			if rapid.IntRange(0, 4).Draw(t, "depends") == 0 {
				r.DependsOn = append(r.DependsOn, rest.Dependency{Resource: fmt.Sprintf("r%d", j)})
			}
		}
		if r.Type == "cloud:function" {
			functions = append(functions, id)
		}
		resources[id] = r
	}
	named := rest.Resources{}
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		named = append(named, rest.NamedResource{ID: id, Definition: resources[id]})
	}
	text, err := json.Marshal(rest.Config{DeploymentID: "d", Targets: []rest.Target{{Provider: "cloud", Regions: regions}}, Resources: named})
	require.NoError(t, err)
	return string(text), regions
}

func checkMove(t *rapid.T, head *graph.Spec, moved *graph.Moved, from string) {
	count, byID := map[string]int{}, map[string]*graph.Node{}
	for i := range moved.Steps.Nodes {
		node := &moved.Steps.Nodes[i]
		require.Len(t, node.Regions, 1)
		require.Nil(t, byID[node.NodeID], "ids are unique")
		byID[node.NodeID] = node
		count[string(node.Verb)+node.Logical()+node.Regions[0]]++
		for _, reference := range node.References {
			old := reference.Region == from
			require.Equal(t, old, node.Verb == contract.VerbDelete && reference.Region == from, "%s reads the old region", node.ResourceID)
		}
	}
	moving, held := 0, map[string]bool{}
	for _, edge := range moved.Steps.Edges {
		if to := byID[edge.To]; to.Verb == contract.VerbDelete && byID[edge.From].Verb != contract.VerbDelete {
			require.Equal(t, graph.Pause, edge.Type, "no deletion but through the hold")
			held[edge.To] = true
		} else {
			require.Equal(t, graph.Dependency, edge.Type)
		}
		require.False(t, byID[edge.From].Verb == contract.VerbDelete && byID[edge.To].Verb != contract.VerbDelete, "nothing waits for a deletion")
	}
	for _, node := range head.Nodes {
		if !slices.Contains(node.Regions, from) {
			reads := false
			for _, reference := range node.References {
				reads = reads || reference.Region == from || reference.Region == "" && len(head.Nodes[0].Regions) == 1
			}
			require.Equal(t, reads, count["ensure"+node.NodeID] == 1, "%s", node.ResourceID)
			continue
		}
		moving++
		require.Equal(t, 1, count["create"+node.NodeID+"new"]+count["ensure"+node.NodeID+"new"])
		require.Equal(t, 1, count["verify"+node.NodeID+"new"])
		require.Equal(t, 1, count["delete"+node.NodeID+from])
	}
	for id, node := range byID {
		require.Equal(t, node.Verb == contract.VerbDelete, held[id], "every deletion is held")
	}
	operations := 0
	for _, node := range head.Nodes {
		operations += len(node.Regions) * (2 + len(node.References))
	}
	require.LessOrEqual(t, len(moved.Steps.Nodes), 3*moving+operations)
	require.LessOrEqual(t, len(moved.Steps.Edges), 2*len(head.Edges)*9+2*moving+2*operations)
}

func checkOrder(t *rapid.T, spec *graph.Spec) {
	index, ids := map[string]int{}, map[string]bool{}
	for i := range spec.Nodes {
		index[spec.Nodes[i].NodeID] = i
	}
	var edges []dag.Edge
	for _, edge := range spec.Edges {
		require.False(t, ids[edge.EdgeID])
		ids[edge.EdgeID] = true
		edges = append(edges, dag.Edge{From: index[edge.From], To: index[edge.To]})
	}
	require.Len(t, dag.New(len(spec.Nodes), edges).Order(), len(spec.Nodes), "no cycle")
}
