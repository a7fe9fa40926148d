package aws

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

func (functions) Verify(ctx context.Context, c *Client, op *provider.Operation[Function]) ([]provider.Check, error) {
	there, err := getFunction(ctx, c, op.Existing.Name)
	if err != nil {
		return nil, err
	}
	wanted, actual := op.Properties.configuration(), configurationOf(there.Configuration)
	code, err := codeCheck(ctx, c, op, there.Configuration)
	if err != nil {
		return nil, err
	}
	return []provider.Check{
		provider.Equal("state", "ready", stateName(there.Configuration)),
		provider.Equal("runtime", wanted.Runtime, actual.Runtime),
		provider.Equal("handler", wanted.Handler, actual.Handler),
		provider.Equal("role", wanted.Role, actual.Role),
		provider.Equal("memory_size", wanted.MemorySize, actual.MemorySize),
		provider.Equal("timeout", wanted.Timeout, actual.Timeout),
		provider.Equal("description", wanted.Description, actual.Description),
		provider.Equal("architecture", op.Properties.architecture(), architectureOf(there.Configuration)),
		provider.EqualJSON("layers", notNil(wanted.Layers), notNil(actual.Layers)),
		environmentCheck(wanted.Environment, actual.Environment),
		code,
	}, nil
}

func stateName(config *types.FunctionConfiguration) string {
	switch stateOf(config) {
	case stateReady:
		return "ready"
	case stateBusy:
		return "busy"
	default:
		return "failed"
	}
}

// environmentCheck names keys and no values: what stands in an environment is not meant for reports.
func environmentCheck(wanted, actual map[string]string) provider.Check {
	check := provider.Check{
		Name: "environment", Status: contract.CheckPass,
		Expected: strconv.Itoa(len(wanted)) + " variables", Actual: strconv.Itoa(len(actual)) + " variables",
	}
	if differing := differingKeys(wanted, actual); len(differing) > 0 {
		check.Status = contract.CheckFail
		check.Message = "these differ: " + strings.Join(differing, ", ")
	}
	return check
}

// differingKeys are those whose values differ, or that stand on one side only, in order.
func differingKeys(wanted, actual map[string]string) []string {
	differing := map[string]bool{}
	for key, value := range wanted {
		if current, there := actual[key]; !there || current != value {
			differing[key] = true
		}
	}
	for key := range actual {
		if _, there := wanted[key]; !there {
			differing[key] = true
		}
	}
	return slices.Sorted(maps.Keys(differing))
}

// codeCheck can say something only where the object's hash is known or the last operation recorded where the code came from.
func codeCheck(ctx context.Context, c *Client, op *provider.Operation[Function], there *types.FunctionConfiguration) (provider.Check, error) {
	source, err := readSource(ctx, c, op.Properties)
	if kindNow(err) == provider.InvalidInput {
		return provider.Unanswered("code", "the code's object is not there any more"), nil
	}
	if err != nil {
		return provider.Check{}, err
	}
	live := sdk.ToString(there.CodeSha256)
	if source.sha256 != "" {
		return provider.Equal("code", source.sha256, live), nil
	}
	if source.deployed(op.RecordedOutputs, there) {
		return provider.Equal("code", live, live), nil
	}
	return provider.Unanswered("code", "the code's object does not tell its hash"), nil
}
