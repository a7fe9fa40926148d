package aws

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// tagLimits are AWS's own for nearly everything.
func tagLimits(count int) contract.LabelLimits {
	return contract.LabelLimits{
		MaxCount: count, MaxKeyLength: 128, MaxValueLength: 256, Pattern: `^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`,
	}
}

// tagsOf is all that a thing is to carry: the caller's tags and our labels, both tags to AWS.
func tagsOf[P any](op *provider.Operation[P]) map[string]string {
	all := make(map[string]string, len(op.Tags)+len(op.Labels))
	maps.Copy(all, op.Tags)
	maps.Copy(all, op.Labels)
	return all
}

// tagChange is what brings a thing's tags to what is wanted. A tag that others set is left alone: what goes is what the last
// operation recorded as the caller's, and labels of ours that no longer apply.
type tagChange struct {
	set    map[string]string
	remove []string
}

func (c tagChange) empty() bool { return len(c.set)+len(c.remove) == 0 }

// after is the whole set, for a vendor call that replaces all.
func (c tagChange) after(actual map[string]string) map[string]string {
	result := maps.Clone(orEmpty(actual))
	for _, key := range c.remove {
		delete(result, key)
	}
	maps.Copy(result, c.set)
	return result
}

func changeTags[P any](op *provider.Operation[P], actual map[string]string) tagChange {
	wanted, former := tagsOf(op), recordedTags(op.RecordedOutputs)
	change := tagChange{set: map[string]string{}}
	for key, value := range wanted {
		if current, there := actual[key]; !there || current != value {
			change.set[key] = value
		}
	}
	for key := range actual {
		_, stays := wanted[key]
		_, wasOurs := former[key]
		if !stays && (wasOurs || strings.HasPrefix(key, contract.LabelPrefix)) {
			change.remove = append(change.remove, key)
		}
	}
	slices.Sort(change.remove)
	return change
}

// dueTags is the change that is to be written now. Which graph and edge a thing belongs to informs, and identifies nothing: under
// ensure that alone is no reason to write, so that what a pipeline posts again at every push changes nothing. Whatever else is
// written takes them along.
func dueTags[P any](op *provider.Operation[P], actual map[string]string) tagChange {
	change := changeTags(op, actual)
	if op.Verb != contract.VerbEnsure || op.HasWritten() {
		return change
	}
	for key := range change.set {
		if !informs(key) {
			return change
		}
	}
	if slices.ContainsFunc(change.remove, func(key string) bool { return !informs(key) }) {
		return change
	}
	return tagChange{}
}

func informs(key string) bool { return key == contract.LabelGraphID || key == contract.LabelEdgeID }

// recordedTags are the caller's tags that the last operation set, from the output that holds them.
func recordedTags(outputs json.RawMessage) map[string]string {
	var recorded struct {
		Tags map[string]string `json:"tags"`
	}
	if json.Unmarshal(outputs, &recorded) != nil {
		return nil
	}
	return recorded.Tags
}

var tagsOutput = contract.OutputField{Name: "tags", Summary: "The caller's tags that were set."}

// toTags and fromTags go between a map and a service's own list of tags.
func toTags[T any](tags map[string]string, pair func(key, value string) T) []T {
	list := make([]T, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, pair(key, tags[key]))
	}
	return list
}

func fromTags[T any](list []T, pair func(T) (key, value *string)) map[string]string {
	tags := make(map[string]string, len(list))
	for _, tag := range list {
		key, value := pair(tag)
		if key != nil && value != nil {
			tags[*key] = *value
		}
	}
	return tags
}

// partition is the part of AWS that a region lies in, as ARNs name it, with its domain.
func partition(region string) (name, domain string) {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov", "amazonaws.com"
	default:
		return "aws", "amazonaws.com"
	}
}
