package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestCompositesStandOverTheirParts(t *testing.T) {
	composites := []rest.CompositeSummary{
		{ResourceID: "www"}, {ResourceID: "www.front", Composite: "www"}, {ResourceID: "empty"}, {ResourceID: "www.none", Composite: "www"},
	}
	operations := []rest.OperationSummary{
		{ResourceID: "first"}, {ResourceID: "www.front.fn", Composite: "www.front"}, {ResourceID: "between"},
		{ResourceID: "www.code", Composite: "www"}, {ResourceID: "www.front.role", Composite: "www.front"},
		{ResourceID: "lost.part", Composite: "lost"},
	}
	var shown []string
	for _, one := range outline(composites, operations) {
		id := ""
		if one.composite >= 0 {
			id = composites[one.composite].ResourceID
		} else {
			id = operations[one.operation].ResourceID
		}
		shown = append(shown, one.indented(id))
	}
	require.Equal(t, []string{
		"first", "www", "  www.front", "    www.front.fn", "    www.front.role", "  www.code", "  www.none", "between", "lost.part", "empty",
	}, shown)
}
