package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
)

// twoSteps is a role (3 s are declared) and a function (8 s) that waits for it.
func twoSteps(t *testing.T) *plan.Plan {
	return mustPlan(t, &graph.Spec{
		Nodes: []graph.Node{node("role", "cloud:role", ""), node("api", "cloud:function", "")},
		Edges: []graph.Edge{edge("e", "role", "api")},
	})
}

func TestMeasuredDurationsCountOnceThereAreEnough(t *testing.T) {
	verb := string(node("x", "cloud:role", "").Verb)
	for count, want := range map[int64]time.Duration{0: 11 * time.Second, 4: 11 * time.Second, 5: 9 * time.Second, 500: 9 * time.Second} {
		p := twoSteps(t)
		p.Learn([]plan.Measured{
			{Type: "cloud:role", Verb: verb, Count: count, Mean: time.Second},
			{Type: "cloud:role", Verb: "delete", Count: 9, Mean: time.Hour},
			{Type: "cloud:bucket", Verb: verb, Count: 9, Mean: time.Hour},
		})
		require.Equal(t, want, p.Estimate, "%d measured", count)
	}
}

func TestWhatIsForeseenToChangeNothingTakesWhatSuchTook(t *testing.T) {
	p := twoSteps(t)
	first := func(i int) bool { return i == 0 }
	p.Foresee(first)
	require.Equal(t, 11*time.Second, p.Estimate, "nothing was measured yet")
	p.Learn([]plan.Measured{{Type: "cloud:role", Verb: plan.Unchanged, Count: 5, Mean: 100 * time.Millisecond}})
	require.Equal(t, 8100*time.Millisecond, p.Estimate)
	part, err := p.Only([]string{p.Operations[0].Node.ResourceID})
	require.NoError(t, err)
	require.Equal(t, 100*time.Millisecond, part.Estimate, "a part of a plan knows what the whole knew")
}

func TestLongestGoesByWhatIsLeft(t *testing.T) {
	p := twoSteps(t)
	left := []time.Duration{0, 5 * time.Second}
	require.Equal(t, 5*time.Second, p.Longest(func(i int) time.Duration { return left[i] }))
}
