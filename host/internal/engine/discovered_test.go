package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// vault is a provider of secrets without labels, and of boxes with.
func vault() *catalog {
	return &catalog{pinned: map[string]pluginhost.Pinned{"vault": {Description: &contract.Description{ResourceTypes: []contract.ResourceType{
		{Name: "vault:secret", Discovery: contract.DiscoverByName, Identifying: []string{"/box"},
			Naming: contract.Naming{Separator: "__", Suffix: contract.SuffixNode, Case: contract.CaseUpper}},
		{Name: "vault:box", Discovery: contract.DiscoverByLabel, Naming: contract.Naming{Separator: "-", Suffix: contract.SuffixNode, Case: contract.CaseKeep}},
	}}}}}
}

func vaultPlan(t *testing.T) *plan.Plan {
	p, err := plan.New(&graph.Spec{
		Nodes: []graph.Node{
			{NodeID: "1111aaaa", ResourceID: "box", Type: "vault:box", Regions: []string{""}, Names: map[string]string{"": "box-1111aaaa"}},
			{NodeID: "2222bbbb", ResourceID: "key", Type: "vault:secret", Regions: []string{""}, Names: map[string]string{"": "API_KEY__2222BBBB"},
				References: map[string]graph.Reference{"box": {NodeID: "1111aaaa", Property: "/box"}}},
		},
		Edges: []graph.Edge{{EdgeID: "3333cccc", From: "1111aaaa", To: "2222bbbb", Type: graph.Dependency}},
	}, nil, "")
	require.NoError(t, err)
	return p
}

func TestWhatASearchComesTo(t *testing.T) {
	ours := map[string]string{contract.LabelNodeID: "aaaa1111"}
	box := func(labels map[string]string, whose contract.Ownership) contract.Found {
		return contract.Found{Identity: "b", Name: "box-aaaa1111", Labels: labels, Ownership: whose}
	}
	secret := func(name string) contract.Found {
		return contract.Found{Identity: name, Name: name, Ownership: contract.OwnershipUnknown}
	}
	complete := func(found ...contract.Found) dispatch.Searched {
		return dispatch.Searched{Found: found, Complete: true}
	}
	tests := map[string]struct {
		box, key             dispatch.Searched
		boxStatus, keyStatus string
		boxID, keyID         string
	}{
		"both are there": {complete(box(ours, contract.OwnershipOurs)), complete(secret("API_KEY__BBBB2222")),
			rest.DiscoveredFound, rest.DiscoveredFound, "aaaa1111", "bbbb2222"},
		"neither is": {complete(), complete(), rest.DiscoveredMissing, rest.DiscoveredMissing, "", ""},
		"several": {complete(box(ours, contract.OwnershipOurs), box(ours, contract.OwnershipOurs)), complete(secret("API_KEY__BBBB2222"), secret("API_KEY__CCCC2222")),
			rest.DiscoveredAmbiguous, rest.DiscoveredAmbiguous, "", ""},
		"somebody else's": {complete(box(ours, contract.OwnershipOther)), complete(secret("API_KEY")), rest.DiscoveredConflict, rest.DiscoveredConflict, "", ""},
		"nobody's":        {complete(box(nil, contract.OwnershipNobody)), complete(secret("OTHER_KEY__BBBB2222")), rest.DiscoveredConflict, rest.DiscoveredConflict, "", ""},
		"no node id":      {complete(box(map[string]string{}, contract.OwnershipOurs)), complete(), rest.DiscoveredConflict, rest.DiscoveredMissing, "", ""},
		"reads may lag":   {dispatch.Searched{}, dispatch.Searched{}, rest.DiscoveredUnknown, rest.DiscoveredUnknown, "", ""},
		"the same node id": {complete(box(map[string]string{contract.LabelNodeID: "bbbb2222"}, contract.OwnershipOurs)), complete(secret("API_KEY__BBBB2222")),
			rest.DiscoveredFound, rest.DiscoveredConflict, "bbbb2222", "bbbb2222"},
		"what it would be in is missing": {complete(), dispatch.Searched{Problem: &contract.Diagnostic{Kind: contract.KindInvalidInput}},
			rest.DiscoveredMissing, rest.DiscoveredMissing, "", ""},
		"not seen": {complete(box(ours, contract.OwnershipOurs)), dispatch.Searched{Problem: &contract.Diagnostic{Kind: contract.KindPermissionDenied}},
			rest.DiscoveredFound, rest.DiscoveredUnknown, "aaaa1111", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			findings := findingsOf(vaultPlan(t), vault(), []dispatch.Searched{test.box, test.key})
			require.Equal(t, []string{test.boxStatus, test.keyStatus}, []string{findings[0].Status, findings[1].Status})
			require.Equal(t, []string{test.boxID, test.keyID}, []string{findings[0].NodeID, findings[1].NodeID})
			require.Equal(t, findings[1].Status == rest.DiscoveredFound, findings[1].Status == rest.DiscoveredFound && findings[1].ByName)
			require.False(t, findings[0].ByName)
		})
	}
}

func TestAThingThatIsCalledExactlySoTellsNoNodeID(t *testing.T) {
	p := vaultPlan(t)
	p.Operations[1].Node.Exact, p.Operations[1].Node.Names = true, map[string]string{"": "API_KEY"}
	found := dispatch.Searched{Found: []contract.Found{{Name: "API_KEY", Ownership: contract.OwnershipUnknown}}, Complete: true}
	findings := findingsOf(p, vault(), []dispatch.Searched{{Complete: true}, found})
	require.Equal(t, rest.DiscoveredFound, findings[1].Status)
	require.Equal(t, "2222bbbb", findings[1].NodeID)
}

func TestOwnersAreEachTenantsOwn(t *testing.T) {
	require.NoError(t, checkOwners(map[string]string{"a": "5d41402abc4b2a76", "b": "6d41402abc4b2a76", "c": ""}))
	require.ErrorIs(t, checkOwners(map[string]string{"a": "5d41402abc4b2a76", "b": "5d41402abc4b2a76"}), ErrOwners)
	require.ErrorIs(t, checkOwners(map[string]string{"a": "not an owner"}), ErrOwners)
}
