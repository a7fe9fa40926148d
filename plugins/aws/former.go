package aws

import (
	"maps"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// former is a state as it is written down before a change: in the words of the properties, so that bringing it back is the same
// work as bringing it about, with the tags that were not ours.
type former[P any] struct {
	Properties P                 `json:"properties"`
	Tags       map[string]string `json:"tags,omitempty"`
}

// restoring is an operation that wants a former state.
func restoring[P any](op *provider.Operation[P], was former[P]) *provider.Operation[P] {
	wanted := *op
	wanted.Properties, wanted.Tags = was.Properties, was.Tags
	return &wanted
}

// foreignTags are those that are not our labels.
func foreignTags(actual map[string]string) map[string]string {
	tags := maps.Clone(orEmpty(actual))
	maps.DeleteFunc(tags, func(key, _ string) bool { return strings.HasPrefix(key, contract.LabelPrefix) })
	return tags
}

// previewTags adds the tags that an update would write.
func previewTags[P any](preview *provider.Preview, op *provider.Operation[P], actual map[string]string) {
	change := dueTags(op, actual)
	if change.empty() {
		return
	}
	before := foreignTags(actual)
	after := foreignTags(change.after(actual))
	if maps.Equal(before, after) {
		preview.Differs("") // labels of ours
		return
	}
	preview.Compare("/tags", before, after)
}
