package engine

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Compare says what is different between two spec graphs of a deployment.
func (e *Engine) Compare(ctx context.Context, caller Caller, from, to string) (*rest.Comparison, error) {
	before, was, err := e.load(ctx, caller, from)
	if err != nil {
		return nil, classified(err)
	}
	after, is, err := e.load(ctx, caller, to)
	if err != nil {
		return nil, classified(err)
	}
	if before.DeploymentID != after.DeploymentID {
		return nil, invalid(graph.Problem{Pointer: "#/query/to", Message: "is a graph of another deployment than from"})
	}
	return comparison(graph.Compare(before, after), &was, &is), nil
}

func comparison(compared *graph.Comparison, from, to *store.Graph) *rest.Comparison {
	c := &rest.Comparison{
		DeploymentID: to.DeploymentID, From: comparedSide(from), To: comparedSide(to), Differences: differencesOf(compared.Differences),
	}
	count := map[graph.Change]*int{
		graph.Added: &c.Added, graph.Removed: &c.Removed, graph.Changed: &c.Changed, graph.Unchanged: &c.Unchanged,
	}
	for _, node := range compared.Nodes {
		*count[node.Change]++
		c.Resources = append(c.Resources, rest.ResourceComparison{
			ResourceID: node.ResourceID, ResourceType: node.Type, Change: string(node.Change),
			Differences: differencesOf(node.Differences),
		})
	}
	return c
}

func comparedSide(g *store.Graph) rest.ComparedSide {
	return rest.ComparedSide{GraphID: g.ID, Version: g.Version, CreatedAt: rest.At(g.CreatedAt), CreatedBy: g.CreatedBy}
}

func differencesOf(differences []graph.Difference) rest.List[rest.Difference] {
	var list rest.List[rest.Difference]
	for _, d := range differences {
		list = append(list, rest.Difference(d))
	}
	return list
}
