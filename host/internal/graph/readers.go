package graph

import (
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// findReaders finds what stays and holds a value of what moves, directly or through what is repointed.
func (m *mover) findReaders() {
	repointed := map[site]bool{}
	for _, i := range m.order {
		node := &m.in.Head.Nodes[i]
		if node.Verb == contract.VerbDelete || node.Verb == contract.VerbVerify || len(node.References) == 0 {
			continue
		}
		for _, region := range node.Regions {
			if _, moves := m.moved(i, region); moves || !m.place(i, region).There {
				continue
			}
			if m.reads(i, region, repointed) {
				repointed[site{i, region}] = true
				m.readers = append(m.readers, step{site: site{i, region}, verb: contract.VerbEnsure})
			}
		}
	}
}

// reads says whether a node that stays holds, in one of its regions, a value that changes with the move.
func (m *mover) reads(i int, region string, repointed map[site]bool) bool {
	node, reads := &m.in.Head.Nodes[i], false
	for _, role := range sortedKeys(node.References) {
		reference := node.References[role]
		source := sourceOf(m.in.Head, m.index, reference, region)
		to, moves := m.moved(source.node, source.region)
		if !moves && !(repointed[source] && m.mayChange(source.node, reference.Output)) {
			continue
		}
		reads = true
		now := sourceOf(m.target, m.index, m.target.Nodes[i].References[role], region)
		if moves && now.region != to {
			m.problem("/only", "%s reads %s region by region, and has to move with it", node.ResourceID, m.in.Head.Nodes[source.node].ResourceID)
		}
		if kind, ok := m.in.Catalog.Type(node.Type); ok && reference.Property != "" && slices.Contains(kind.Identifying, reference.Property) {
			m.problem("/from_region", "%s is identified by a value of %s, and cannot be given another one", node.ResourceID, m.in.Head.Nodes[source.node].ResourceID)
		}
	}
	return reads
}

// mayChange says whether an output may be another one after an update: what stands for the resource itself stays.
func (m *mover) mayChange(i int, output string) bool {
	kind, ok := m.in.Catalog.Type(m.in.Head.Nodes[i].Type)
	return output != "" && (!ok || output != kind.SelfOutput)
}
