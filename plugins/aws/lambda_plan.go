package aws

import (
	"context"
	"encoding/json"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

var (
	_ provider.Planner[*Client, Function]    = functions{}
	_ provider.Rollbacker[*Client, Function] = functions{}
)

var functionPermissions = map[contract.Verb][]string{
	contract.VerbCreate: {"lambda:CreateFunction", "lambda:TagResource", "lambda:GetFunction", "lambda:ListTags", "iam:PassRole", "s3:GetObject"},
	contract.VerbUpdate: {
		"lambda:GetFunction", "lambda:ListTags", "lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionCode",
		"lambda:TagResource", "lambda:UntagResource", "iam:PassRole", "s3:GetObject",
	},
	contract.VerbDelete: {"lambda:GetFunction", "lambda:ListTags", "lambda:DeleteFunction"},
}

// functionBefore is a function as it stands. Its properties name the object that its code was taken from, where the last
// operation recorded that: Lambda itself keeps the code, and does not say where it came from.
type functionBefore struct {
	former[Function]
	CodeSha256 string `json:"code_sha256"`
	ETag       string `json:"etag,omitempty"`
}

// Plan compares what an update would write. Of the environment it names the variables and tells no values.
func (functions) Plan(ctx context.Context, c *Client, op *provider.Operation[Function]) (provider.Preview, error) {
	var preview provider.Preview
	there, err := getFunction(ctx, c, op.Existing.Name)
	if err != nil {
		return preview, err
	}
	preview.Former = functionAsItStands(op, there.Configuration, there.Tags)
	if op.Verb == contract.VerbDelete {
		return preview, nil
	}
	source, err := readSource(ctx, c, op.Properties)
	if err != nil {
		return preview, err
	}
	was, wanted := configurationOf(there.Configuration), op.Properties.configuration()
	preview.Compare("/runtime", was.Runtime, wanted.Runtime)
	preview.Compare("/handler", was.Handler, wanted.Handler)
	preview.Compare("/role", was.Role, wanted.Role)
	preview.Compare("/memory_size", was.MemorySize, wanted.MemorySize)
	preview.Compare("/timeout", was.Timeout, wanted.Timeout)
	preview.Compare("/description", optional(was.Description), optional(wanted.Description))
	preview.Compare("/layers", notNil(was.Layers), notNil(wanted.Layers))
	preview.Compare("/architectures", architectureOf(there.Configuration), op.Properties.architecture())
	for _, name := range differingKeys(wanted.Environment, was.Environment) {
		preview.Differs("/environment/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	if !source.deployed(op.RecordedOutputs, there.Configuration) {
		preview.Compare("/code_s3_key", "sha256:"+sdk.ToString(there.Configuration.CodeSha256), codeText(source))
	}
	previewTags(&preview, op, there.Tags)
	return preview, nil
}

// codeText names the code that would be deployed.
func codeText(code source) string {
	if code.sha256 != "" {
		return "sha256:" + code.sha256
	}
	return "s3://" + code.bucket + "/" + code.key
}

func functionAsItStands(op *provider.Operation[Function], there *types.FunctionConfiguration, tags map[string]string) functionBefore {
	config, recorded := configurationOf(there), recordedSource(op.RecordedOutputs, sdk.ToString(there.CodeSha256))
	was := Function{Role: config.Role, FunctionSettings: FunctionSettings{
		FunctionName: sdk.ToString(there.FunctionName), Runtime: config.Runtime, Handler: config.Handler,
		MemorySize: config.MemorySize, Timeout: config.Timeout, Description: config.Description, Environment: config.Environment,
		Layers: config.Layers, Architectures: []string{architectureOf(there)},
		CodeS3Bucket: recorded.bucket, CodeS3Key: recorded.key, CodeS3ObjectVersion: recorded.version,
	}}
	return functionBefore{former[Function]{was, foreignTags(tags)}, sdk.ToString(there.CodeSha256), recorded.etag}
}

// recordedSource reads the output code_source, if it is that of the code which is live.
func recordedSource(outputs json.RawMessage, live string) source {
	var recorded struct {
		Source string `json:"code_source"`
		Sha256 string `json:"code_sha256"`
	}
	if json.Unmarshal(outputs, &recorded) != nil || recorded.Sha256 != live {
		return source{}
	}
	return parseSource(recorded.Source)
}

// parseSource reads what source.String writes.
func parseSource(text string) source {
	path, query, _ := strings.Cut(strings.TrimPrefix(text, "s3://"), "?etag=")
	bucket, key, _ := strings.Cut(path, "/")
	etag, version, _ := strings.Cut(query, "&version=")
	return source{bucket: bucket, key: key, etag: etag, version: version}
}

// Rollback makes the function again where it is gone, and else brings it to what it was. Its former code is taken from where it
// came from, if that still holds it: Lambda keeps no code that was replaced.
func (functions) Rollback(ctx context.Context, c *Client, op *provider.Operation[Function]) (provider.Outputs, error) {
	var was functionBefore
	if err := op.Former.Read(&was); err != nil {
		return nil, err
	}
	wanted := restoring(op, was.former)
	if op.Existing == nil {
		if err := stillThere(ctx, c, was); err != nil {
			return nil, err
		}
		return functions{}.Create(ctx, c, wanted)
	}
	there, err := awaitSettled(ctx, c, wanted, physical(op))
	if err != nil {
		return nil, err
	}
	differs := func(config *types.FunctionConfiguration) bool {
		return sdk.ToString(config.CodeSha256) != was.CodeSha256 || architectureOf(config) != was.Properties.architecture()
	}
	if differs(there.Configuration) {
		if err := stillThere(ctx, c, was); err != nil {
			return nil, err
		}
	}
	return changeFunction(ctx, c, wanted, there, source{
		bucket: was.Properties.CodeS3Bucket, key: was.Properties.CodeS3Key, version: was.Properties.CodeS3ObjectVersion, etag: was.ETag,
	}.String(), differs)
}

// stillThere says whether the former code can still be had.
func stillThere(ctx context.Context, c *Client, was functionBefore) error {
	lost := provider.Errorf(provider.Unsupported, "the code that the function had cannot be had any more: its object was overwritten, removed, or never recorded")
	lost.Pointer = "/code_s3_key"
	if was.ETag == "" {
		return lost
	}
	now, err := readSource(ctx, c, was.Properties)
	switch {
	case kindNow(err) == provider.InvalidInput:
		return lost
	case err != nil:
		return err
	case now.etag != was.ETag:
		return lost
	}
	return nil
}
