package aws

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

func TestTagsConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.StringMatching(`[a-c]`)
		draw := func(name, keys string) map[string]string {
			return rapid.MapOfN(rapid.StringMatching(keys), values, 0, 4).Draw(t, name)
		}
		labels, tags, former := draw("labels", `mgraph:[a-d]`), draw("tags", `[a-d]`), draw("former", `[a-d]`)
		actual := draw("actual", `(mgraph:)?[a-g]`)
		record, err := json.Marshal(map[string]any{"tags": former})
		require.NoError(t, err)
		_, op, _ := provider.NewOperation(context.Background(), provider.Runtime{}, provider.Operation[Role]{
			Labels: labels, Tags: tags, RecordedOutputs: record,
		})
		after := changeTags(op, actual).after(actual)
		for key, value := range tagsOf(op) {
			require.Equal(t, value, after[key])
		}
		for key, value := range actual {
			_, wanted := tagsOf(op)[key]
			_, was := former[key]
			gone := was || strings.HasPrefix(key, "mgraph:")
			switch current, there := after[key]; {
			case wanted:
			case gone:
				require.False(t, there, "%s was ours and is not wanted any more", key)
			default:
				require.Equal(t, value, current, "%s was set by others", key)
			}
		}
		require.True(t, changeTags(op, after).empty(), "a second time nothing changes")
	})
}

// TestAnEnsureThatChangesNothingElseLeavesWhatInforms: a new graph alone is no reason to write, unless something else is.
func TestAnEnsureThatChangesNothingElseLeavesWhatInforms(t *testing.T) {
	labels := map[string]string{contract.LabelOwner: "o", contract.LabelGraphID: "new"}
	moved := map[string]string{contract.LabelOwner: "o", contract.LabelGraphID: "old", contract.LabelEdgeID: "gone"}
	operation := func(verb contract.Verb) *provider.Operation[Role] {
		_, op, _ := provider.NewOperation(context.Background(), provider.Runtime{}, provider.Operation[Role]{Verb: verb, Labels: labels})
		return op
	}
	ensure := operation(contract.VerbEnsure)
	require.True(t, dueTags(ensure, moved).empty())
	ensure.Wrote()
	require.Equal(t, "new", dueTags(ensure, moved).set[contract.LabelGraphID], "what is written takes it along")
	require.False(t, dueTags(operation(contract.VerbUpdate), moved).empty(), "an update sets it anew")
	foreign := map[string]string{contract.LabelOwner: "x", contract.LabelGraphID: "old"}
	require.Len(t, dueTags(operation(contract.VerbEnsure), foreign).set, 2)
}
