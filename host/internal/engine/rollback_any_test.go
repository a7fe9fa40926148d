package engine_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// anyVersions draws two versions of a deployment: what the first has, the second may change, leave alone, delete or forget.
func anyVersions(random *rand.Rand) (one, two string) {
	first, second := map[string]any{}, map[string]any{}
	var before []string
	for i := range 6 {
		id := fmt.Sprint("r", i)
		add := func(to map[string]any, verb string) {
			resource := map[string]any{"type": []string{"noop:thing", "noop:regional"}[i%2], "operation": verb}
			if verb != "delete" {
				resource["properties"] = map[string]string{"value": fmt.Sprint("v", random.IntN(3))}
			}
			depends := []string{}
			for _, earlier := range before {
				if _, there := to[earlier]; there && random.IntN(2) == 0 {
					depends = append(depends, earlier)
				}
			}
			resource["depends_on"] = depends
			to[id] = resource
		}
		if random.IntN(3) > 0 {
			add(first, "ensure")
			if verb := []string{"ensure", "ensure", "update", "delete", ""}[random.IntN(5)]; verb != "" {
				add(second, verb)
			}
		} else {
			add(second, []string{"ensure", "create"}[random.IntN(2)])
		}
		before = append(before, id)
	}
	first["always"] = map[string]any{"type": "noop:thing", "operation": "ensure"}
	second["always"] = first["always"]
	text := func(of map[string]any) string {
		out, _ := json.Marshal(of)
		return string(out)
	}
	return text(first), text(second)
}

// TestAnyRunIsTakenBack: whatever a run changed, and however far it came when answers and calls were lost, what stands afterwards is
// what stood before.
func TestAnyRunIsTakenBack(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 4))
			h := build(t)
			one, two := anyVersions(random)
			require.True(t, h.apply(&rest.ApplyRequest{Config: h.config(one)}).Success)
			before := h.held(t)
			fault := []func(func() (*contract.Result, error)) (*contract.Result, error){lost, never}[random.IntN(2)]
			h.plugins.breakWith(times(random.IntN(4), fmt.Sprint("r", random.IntN(6)), fault))
			result := h.apply(&rest.ApplyRequest{Config: h.config(two)})
			h.plugins.breakWith(nil)
			taken := h.rollback(&rest.RollbackRequest{})
			require.True(t, taken.Success, "%s then %s, which %s: %+v", one, two, result.Status, taken.FailedOperation)
			require.Equal(t, before, h.held(t), "%s then %s, which %s", one, two, result.Status)
			h.destroy()
		})
	}
}
