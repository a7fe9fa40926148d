package contract_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

func TestPhysicalNames(t *testing.T) {
	role := contract.Naming{Separator: "__", Suffix: contract.SuffixNode}
	bucket := contract.Naming{Separator: "-", Suffix: contract.SuffixNodeAndRegion, Case: contract.CaseLower}
	secret := contract.Naming{Separator: "__", Suffix: contract.SuffixNode, Case: contract.CaseUpper}
	cases := map[string]struct {
		naming       contract.Naming
		given        string
		first, exact bool
		want         string
	}{
		"no name":           {role, "", true, false, ""},
		"with node":         {role, "exec", false, false, "exec__1111aaaa"},
		"exact":             {role, "exec", false, true, "exec"},
		"first region":      {bucket, "Data", true, false, "data-1111aaaa"},
		"other region":      {bucket, "Data", false, false, "data-1111aaaa-eu-west-1"},
		"upper":             {secret, "token", true, false, "TOKEN__1111AAAA"},
		"exact keeps case":  {secret, "token", true, true, "TOKEN"},
		"no suffix of ours": {contract.Naming{Suffix: contract.SuffixNone}, "x", true, false, "x"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, c.naming.Physical(c.given, "1111aaaa", "eu-west-1", c.first, c.exact))
		})
	}
}

func TestOwnership(t *testing.T) {
	wanted := map[string]string{
		contract.LabelOwner: "o", contract.LabelDeployID: "d", contract.LabelResourceID: "r", contract.LabelGraphID: "new",
	}
	with := func(changes map[string]string) map[string]string {
		labels := map[string]string{}
		for key, value := range wanted {
			labels[key] = value
		}
		for key, value := range changes {
			labels[key] = value
		}
		return labels
	}
	require.Equal(t, contract.OwnershipOurs, contract.OwnershipOf(wanted, wanted))
	require.Equal(t, contract.OwnershipOurs, contract.OwnershipOf(with(map[string]string{contract.LabelGraphID: "old"}), wanted))
	for _, key := range []string{contract.LabelOwner, contract.LabelDeployID, contract.LabelResourceID} {
		require.Equal(t, contract.OwnershipOther, contract.OwnershipOf(with(map[string]string{key: "x"}), wanted), key)
	}
	require.Equal(t, contract.OwnershipNobody, contract.OwnershipOf(nil, wanted))
	require.Equal(t, contract.OwnershipNobody, contract.OwnershipOf(map[string]string{"team": "x"}, wanted))
}

func TestEveryErrorHasAKindAndARetryClass(t *testing.T) {
	for _, kind := range contract.Kinds() {
		require.Contains(t, contract.RetryClasses(), contract.RetryOf(kind))
		err := fmt.Errorf("wrapped: %w", contract.New(kind, "x"))
		require.Equal(t, kind, contract.KindOf(err))
		require.Equal(t, "x", contract.DiagnosticOf(err).Summary)
	}
	require.Empty(t, contract.KindOf(nil))
	require.Equal(t, contract.KindCancelled, contract.KindOf(context.Canceled))
	require.Equal(t, contract.KindDeadline, contract.KindOf(fmt.Errorf("x: %w", context.DeadlineExceeded)))
	found := contract.DiagnosticOf(errors.New("canary"))
	require.Equal(t, contract.KindProviderFault, found.Kind)
	require.NotContains(t, found.Summary, "canary")
}

func TestLookups(t *testing.T) {
	about := contract.Description{ResourceTypes: []contract.ResourceType{
		{Name: "a:b", Verbs: []contract.VerbSupport{{Verb: contract.VerbCreate, RepeatSafety: contract.ByLabel}}},
	}}
	kind, ok := about.Type("a:b")
	require.True(t, ok)
	support, ok := kind.Verb(contract.VerbCreate)
	require.True(t, ok)
	require.Equal(t, contract.ByLabel, support.RepeatSafety)
	_, ok = kind.Verb(contract.VerbDelete)
	require.False(t, ok)
	_, ok = about.Type("a:c")
	require.False(t, ok)
}
