package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// TestRecentKeepsWhatASliceWould holds the indexed runs at rest against the plainest thing that does the same.
func TestRecentKeepsWhatASliceWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var kept recent
		var model []*drive
		operations := func() (n int) {
			for _, d := range model {
				n += len(d.plan.Operations)
			}
			return n
		}
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			deployment := fmt.Sprintf("d%d", rapid.IntRange(0, 3).Draw(t, "deployment"))
			if rapid.IntRange(0, 4).Draw(t, "what") == 0 {
				kept.forget(deploymentKey{"t", deployment})
				model = slices.DeleteFunc(model, func(d *drive) bool { return d.run.DeploymentID == deployment })
			} else {
				d := &drive{
					run:  store.Run{ID: fmt.Sprintf("r%d", rapid.IntRange(0, 20).Draw(t, "run")), Tenant: "t", DeploymentID: deployment},
					plan: &plan.Plan{Operations: make([]plan.Operation, rapid.IntRange(0, 4000).Draw(t, "operations"))},
				}
				kept.add(d)
				model = append(slices.DeleteFunc(model, func(other *drive) bool { return other.run.ID == d.run.ID }), d)
				for len(model) > 1 && operations() > recentOperations {
					model = model[1:]
				}
			}
			require.Equal(t, len(model), kept.order.Len(), "step %d", step)
			require.Equal(t, operations(), kept.kept)
			require.Len(t, kept.byRun, len(model))
			for _, d := range model {
				require.Same(t, d, kept.find(d.run.ID))
			}
		}
	})
}
