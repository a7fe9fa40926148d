package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// finding is what a search came to for one operation's place.
type finding struct {
	rest.DiscoveredResource
	thing contract.Found
}

// findingsOf reads what was searched, in the order of the plan. Node ids are those that things carry: they stand in physical names,
// and must not change.
func findingsOf(p *plan.Plan, c *catalog, searched []dispatch.Searched) []finding {
	findings := make([]finding, len(searched))
	for i := range searched {
		operation := &p.Operations[i]
		kind, _ := c.Type(operation.Node.Type)
		findings[i] = findingOf(operation, kind, &searched[i])
	}
	lost(p, c, findings)
	agree(p, findings)
	return findings
}

// lost finds what could not be searched for because what it would be in is missing: then so is it.
func lost(p *plan.Plan, c *catalog, findings []finding) {
	missing, nodes := map[placeKey]bool{}, map[string]*graph.Node{}
	for i := range findings { // in the order of the plan: what is referred to comes first
		f, node := &findings[i], p.Operations[i].Node
		kind, known := c.Type(node.Type)
		for _, reference := range node.References {
			source := nodes[reference.NodeID]
			within := known && source != nil && slices.Contains(kind.Identifying, reference.Property)
			if f.Status == rest.DiscoveredUnknown && within && missing[placeKey{source.NodeID, reference.RegionOf(source, f.Region)}] {
				*f = f.undecided(rest.DiscoveredMissing, "what it would be in is missing")
			}
		}
		nodes[node.NodeID] = node
		if f.Status == rest.DiscoveredMissing {
			missing[placeKey{node.NodeID, f.Region}] = true
		}
	}
}

func findingOf(operation *plan.Operation, kind *contract.ResourceType, searched *dispatch.Searched) finding {
	f := finding{DiscoveredResource: rest.DiscoveredResource{
		ResourceID: operation.Node.ResourceID, ResourceType: operation.Node.Type, Region: operation.Region,
	}}
	if searched.Problem != nil {
		return f.undecided(rest.DiscoveredUnknown, string(searched.Problem.Kind)+": "+searched.Problem.Summary)
	}
	ours, others := sorted(operation, kind, searched.Found)
	switch {
	case len(ours) > 1:
		for _, one := range ours {
			f.Candidates = append(f.Candidates, one.Identity)
		}
		return f.undecided(rest.DiscoveredAmbiguous, "several things are marked as this one")
	case len(ours) == 1:
		return f.found(operation, kind, ours[0])
	case len(others) > 0:
		f.Identity = others[0].Identity
		return f.undecided(rest.DiscoveredConflict, "what has its name is marked as somebody else's, or as nobody's")
	case !searched.Complete:
		return f.undecided(rest.DiscoveredUnknown, "a search could not yet tell whether it exists")
	}
	f.Status = rest.DiscoveredMissing
	return f
}

func (f finding) undecided(status, reason string) finding {
	f.Status, f.Reason = status, reason
	return f
}

// sorted keeps what is this deployment's: by its labels, or, where a type has none, by a name such as we give.
func sorted(operation *plan.Operation, kind *contract.ResourceType, found []contract.Found) (ours, others []contract.Found) {
	for _, one := range found {
		byName := one.Ownership == contract.OwnershipUnknown && kind.Discovery == contract.DiscoverByName && nodeIDOf(operation, kind, &one) != ""
		if one.Ownership == contract.OwnershipOurs || byName {
			ours = append(ours, one)
		} else {
			others = append(others, one)
		}
	}
	return ours, others
}

func (f finding) found(operation *plan.Operation, kind *contract.ResourceType, thing contract.Found) finding {
	f.Identity, f.Name, f.thing = thing.Identity, thing.Name, thing
	f.ByName = thing.Ownership != contract.OwnershipOurs
	if f.NodeID = nodeIDOf(operation, kind, &thing); f.NodeID == "" {
		return f.undecided(rest.DiscoveredConflict, "it carries no node id, though its other labels are this resource's")
	}
	f.Status = rest.DiscoveredFound
	return f
}

var nodeID = regexp.MustCompile(`^[0-9a-f]{8}$`)

// nodeIDOf is the node id that a thing was made with: from its label, or out of its name, which it is a part of. A thing that is
// called exactly as a caller wrote tells none, and takes the one that was drawn now.
func nodeIDOf(operation *plan.Operation, kind *contract.ResourceType, thing *contract.Found) string {
	node := operation.Node
	if id, labelled := thing.Labels[contract.LabelNodeID]; labelled || thing.Ownership == contract.OwnershipOurs {
		if nodeID.MatchString(id) {
			return id
		}
		return ""
	}
	// The name that was drawn now says how such names are made; another node id stands in the same place of the other name.
	ours := strings.ToLower(node.Names[operation.Region])
	before, after, suffixed := strings.Cut(ours, node.NodeID)
	if !suffixed {
		return node.NodeID
	}
	id, ok := strings.CutPrefix(strings.ToLower(thing.Name), before)
	id, also := strings.CutSuffix(id, after)
	if !ok || !also || !nodeID.MatchString(id) {
		return ""
	}
	if kind.Naming.Case == contract.CaseKeep && !strings.HasPrefix(thing.Name, node.Names[operation.Region][:len(before)]) {
		return ""
	}
	return id
}

// agree finds what cannot be right: one node with another id in another region, and one id of two nodes.
func agree(p *plan.Plan, findings []finding) {
	ids, nodes := map[string]string{}, map[string]string{}
	for i := range findings {
		f, drawn := &findings[i], p.Operations[i].Node.NodeID
		if f.Status != rest.DiscoveredFound {
			continue
		}
		if before, known := ids[drawn]; known && before != f.NodeID {
			*f = f.undecided(rest.DiscoveredConflict, fmt.Sprintf("it carries another node id than in another region: %s", before))
			continue
		}
		if other, taken := nodes[f.NodeID]; taken && other != drawn {
			*f = f.undecided(rest.DiscoveredConflict, "another resource carries the same node id")
			continue
		}
		ids[drawn], nodes[f.NodeID] = f.NodeID, drawn
	}
}

// count fills in the numbers of the answer.
func count(response *rest.DiscoverResponse, findings []finding) {
	counters := map[string]*int{
		rest.DiscoveredFound: &response.Found, rest.DiscoveredMissing: &response.Missing,
		rest.DiscoveredAmbiguous: &response.Ambiguous, rest.DiscoveredConflict: &response.Conflicts,
		rest.DiscoveredUnknown: &response.Unknown,
	}
	for i := range findings {
		*counters[findings[i].Status]++
		response.Resources = append(response.Resources, findings[i].DiscoveredResource)
	}
}

// decided says that every place was searched with a plain result.
func decided(findings []finding) bool {
	return !slices.ContainsFunc(findings, func(f finding) bool {
		return f.Status != rest.DiscoveredFound && f.Status != rest.DiscoveredMissing
	})
}
