package engine

import (
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

type placeKey struct{ nodeID, region string }

func placementsOf(resources []store.Resource) map[placeKey]store.Placement {
	placements := map[placeKey]store.Placement{}
	for _, r := range resources {
		for _, p := range r.Placements {
			placements[placeKey{r.NodeID, p.Region}] = p
		}
	}
	return placements
}

// elsewhere are the regions in which something of a resource is, or may be, and that its node does not name.
func elsewhere(r store.Resource, node *graph.Node) []string {
	var regions []string
	for _, placement := range r.Placements {
		if placement.MayBeThere() && !slices.Contains(node.Regions, placement.Region) {
			regions = append(regions, placement.Region)
		}
	}
	return regions
}

// exists says that something of a resource is, or may be, somewhere.
func exists(r store.Resource) bool {
	return slices.ContainsFunc(r.Placements, store.Placement.MayBeThere)
}
