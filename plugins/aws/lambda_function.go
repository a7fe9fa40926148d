package aws

import (
	"context"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// FunctionSettings are all properties of a function but its role. Environment values are not secret: AWS shows them to whoever
// may read the function's configuration.
type FunctionSettings struct {
	FunctionName        string            `json:"function_name" jsonschema:"minLength=1,maxLength=64,pattern=^[A-Za-z0-9_-]+$" jsonschema_description:"The function's name; unique in its account and region."`
	Runtime             string            `json:"runtime" jsonschema:"minLength=1,maxLength=64" jsonschema_description:"The runtime, as AWS names it: python3.12."`
	Handler             string            `json:"handler" jsonschema:"minLength=1,maxLength=128,pattern=^[^ ]+$" jsonschema_description:"What the runtime calls: module.function."`
	CodeS3Bucket        string            `json:"code_s3_bucket,omitempty" jsonschema:"required,minLength=3,maxLength=63" jsonschema_description:"Bucket of the deployment package, in the function's region; filled by the reference code_bucket."`
	CodeS3Key           string            `json:"code_s3_key,omitempty" jsonschema:"required,minLength=1,maxLength=1024" jsonschema_description:"Key of the deployment package; filled by the reference code_key."`
	CodeS3ObjectVersion string            `json:"code_s3_object_version,omitempty" jsonschema:"maxLength=1024" jsonschema_description:"Version of the deployment package in a versioned bucket; filled by the reference code_version."`
	MemorySize          int32             `json:"memory_size,omitempty" jsonschema:"minimum=128,maximum=10240,default=128" jsonschema_description:"Megabytes."`
	Timeout             int32             `json:"timeout,omitempty" jsonschema:"minimum=1,maximum=900,default=3" jsonschema_description:"Seconds that one invocation may take."`
	Description         string            `json:"description,omitempty" jsonschema:"maxLength=256" jsonschema_description:"What the function is for."`
	Environment         map[string]string `json:"environment,omitempty" jsonschema_description:"Environment variables. Not for secrets."`
	Architectures       []string          `json:"architectures,omitempty" jsonschema:"maxItems=1,enum=x86_64,enum=arm64" jsonschema_description:"Instruction set, one: x86_64 (the default) or arm64."`
	Layers              []string          `json:"layers,omitempty" jsonschema:"maxItems=5,uniqueItems=true,pattern=^arn:" jsonschema_description:"ARNs of layer versions, in the order in which they are laid."`
}

// Function are the properties of aws:lambda:function.
type Function struct {
	FunctionSettings
	Role string `json:"role" jsonschema:"pattern=^arn:" jsonschema_description:"ARN of the execution role; filled by the reference role."`
}

// configuration is what a function is configured with, comparable between what is wanted and what is there.
type configuration struct {
	Runtime, Handler, Role, Description string
	MemorySize, Timeout                 int32
	Environment                         map[string]string
	Layers                              []string
}

func (f Function) configuration() configuration {
	return configuration{
		Runtime: f.Runtime, Handler: f.Handler, Role: f.Role, Description: f.Description,
		MemorySize: orElse(f.MemorySize, 128), Timeout: orElse(f.Timeout, 3), Environment: f.Environment, Layers: f.Layers,
	}
}

func (f Function) architecture() string {
	if len(f.Architectures) == 0 {
		return string(types.ArchitectureX8664)
	}
	return f.Architectures[0]
}

func configurationOf(there *types.FunctionConfiguration) configuration {
	actual := configuration{
		Runtime: string(there.Runtime), Handler: sdk.ToString(there.Handler), Role: sdk.ToString(there.Role),
		Description: sdk.ToString(there.Description), MemorySize: sdk.ToInt32(there.MemorySize), Timeout: sdk.ToInt32(there.Timeout),
	}
	if there.Environment != nil {
		actual.Environment = there.Environment.Variables
	}
	for _, layer := range there.Layers {
		actual.Layers = append(actual.Layers, sdk.ToString(layer.Arn))
	}
	return actual
}

func (c configuration) equal(other configuration) bool {
	return c.Runtime == other.Runtime && c.Handler == other.Handler && c.Role == other.Role && c.Description == other.Description &&
		c.MemorySize == other.MemorySize && c.Timeout == other.Timeout &&
		maps.Equal(c.Environment, other.Environment) && slices.Equal(c.Layers, other.Layers)
}

func architectureOf(there *types.FunctionConfiguration) string {
	if len(there.Architectures) == 0 {
		return string(types.ArchitectureX8664)
	}
	return string(there.Architectures[0])
}

// functionAPI are the calls on a function.
type functionAPI interface {
	CreateFunction(context.Context, *lambda.CreateFunctionInput, ...func(*lambda.Options)) (*lambda.CreateFunctionOutput, error)
	GetFunction(context.Context, *lambda.GetFunctionInput, ...func(*lambda.Options)) (*lambda.GetFunctionOutput, error)
	UpdateFunctionConfiguration(context.Context, *lambda.UpdateFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.UpdateFunctionConfigurationOutput, error)
	UpdateFunctionCode(context.Context, *lambda.UpdateFunctionCodeInput, ...func(*lambda.Options)) (*lambda.UpdateFunctionCodeOutput, error)
	DeleteFunction(context.Context, *lambda.DeleteFunctionInput, ...func(*lambda.Options)) (*lambda.DeleteFunctionOutput, error)
	TagResource(context.Context, *lambda.TagResourceInput, ...func(*lambda.Options)) (*lambda.TagResourceOutput, error)
	UntagResource(context.Context, *lambda.UntagResourceInput, ...func(*lambda.Options)) (*lambda.UntagResourceOutput, error)
}

// functions is the type aws:lambda:function.
type functions struct{}

var (
	_ provider.Resource[*Client, Function] = functions{}
	_ provider.Updater[*Client, Function]  = functions{}
)

func (functions) Describe() provider.Description {
	return provider.Description{
		Type: "aws:lambda:function", Summary: "A Lambda function from a zip in S3.",
		Placement:   contract.Regional,
		Identifying: []string{"/function_name"},
		References: append([]contract.ReferenceRole{
			{Role: "role", Property: "/role", Summary: "The execution role.", Types: []string{"aws:iam:role"}},
		}, codeRoles()...),
		SelfOutput: "arn",
		Outputs: []contract.OutputField{
			{Name: "arn", Summary: "The function's ARN, without a version."},
			{Name: "function_name", Summary: "The function's name."},
			{Name: "version", Summary: "The version that is run: $LATEST."},
			{Name: "code_sha256", Summary: "SHA-256 of the deployed package, in base64."},
			{Name: "code_source", Summary: "The object that the code was taken from, with its entity tag."},
			tagsOutput,
		},
		Discovery: contract.DiscoverByLabel, LabelLimits: tagLimits(50),
		Naming: contract.Naming{
			Property: "/function_name", Suffix: contract.SuffixNone, Case: contract.CaseKeep, MaxLength: 64, Pattern: `^[A-Za-z0-9_-]+$`,
		},
		RepeatSafety: contract.ByName, SettleTime: 10 * time.Second, Typical: 8 * time.Second,
		Permissions: functionPermissions,
	}
}

// codeRoles say where the code is.
func codeRoles() []contract.ReferenceRole {
	return []contract.ReferenceRole{
		{Role: "code_bucket", Property: "/code_s3_bucket", Summary: "The bucket of the code.", Types: []string{"aws:s3:bucket"}},
		{Role: "code_key", Property: "/code_s3_key", Summary: "The object that is the code.", Types: []string{"aws:s3:object"}},
		{Role: "code_version", Property: "/code_s3_object_version", Summary: "Give it <object>.version_id."},
	}
}

func (functions) Create(ctx context.Context, c *Client, op *provider.Operation[Function]) (provider.Outputs, error) {
	if op.Existing != nil {
		return updateFunction(ctx, c, op)
	}
	source, err := readSource(ctx, c, op.Properties)
	if err != nil {
		return nil, err
	}
	made, err := createFunction(ctx, c, op)
	if err != nil {
		return nil, err
	}
	op.Made(sdk.ToString(made.FunctionArn))
	ready, err := awaitReady(ctx, c, op, op.Name)
	if err != nil {
		return nil, err
	}
	return functionOutputs(ready, source.String(), op.Tags), nil
}

func createFunction(ctx context.Context, c *Client, op *provider.Operation[Function]) (*lambda.CreateFunctionOutput, error) {
	wanted := op.Properties.configuration()
	input := &lambda.CreateFunctionInput{
		FunctionName: sdk.String(op.Name), Runtime: types.Runtime(wanted.Runtime), Handler: sdk.String(wanted.Handler),
		Role: sdk.String(wanted.Role), Description: optional(wanted.Description), PackageType: types.PackageTypeZip,
		MemorySize: sdk.Int32(wanted.MemorySize), Timeout: sdk.Int32(wanted.Timeout), Layers: wanted.Layers,
		Architectures: []types.Architecture{types.Architecture(op.Properties.architecture())},
		Tags:          tagsOf(op),
		Code: &types.FunctionCode{
			S3Bucket: sdk.String(op.Properties.CodeS3Bucket), S3Key: sdk.String(op.Properties.CodeS3Key),
			S3ObjectVersion: optional(op.Properties.CodeS3ObjectVersion),
		},
	}
	if len(wanted.Environment) > 0 {
		input.Environment = &types.Environment{Variables: wanted.Environment}
	}
	var made *lambda.CreateFunctionOutput
	err := assumable.retry(ctx, c.wait, op.Progress, notYetAssumable, func() (err error) {
		made, err = c.lambda.CreateFunction(ctx, input)
		return err
	})
	if codeOf(err) == "ResourceConflictException" { // in a create it means that the name is taken
		return nil, as(provider.AlreadyExists, "/function_name", err)
	}
	return made, functionRefused(err)
}

func (functions) Update(ctx context.Context, c *Client, op *provider.Operation[Function]) (provider.Outputs, error) {
	return updateFunction(ctx, c, op)
}

// updateFunction writes what differs and nothing else. Lambda takes one change at a time: each is waited for.
func updateFunction(ctx context.Context, c *Client, op *provider.Operation[Function]) (provider.Outputs, error) {
	source, err := readSource(ctx, c, op.Properties)
	if err != nil {
		return nil, err
	}
	there, err := awaitSettled(ctx, c, op, physical(op))
	if err != nil {
		return nil, err
	}
	return changeFunction(ctx, c, op, there, source.String(), func(config *types.FunctionConfiguration) bool {
		return architectureOf(config) != op.Properties.architecture() || !source.deployed(op.RecordedOutputs, config)
	})
}

// changeFunction writes configuration, code and tags where they differ. from is where the code comes from, for the outputs.
func changeFunction(
	ctx context.Context, c *Client, op *provider.Operation[Function], there *lambda.GetFunctionOutput, from string,
	codeDiffers func(*types.FunctionConfiguration) bool,
) (provider.Outputs, error) {
	config, name := there.Configuration, physical(op)
	var err error
	if !op.Properties.configuration().equal(configurationOf(config)) || stateOf(config) == stateFailed {
		if config, err = putConfiguration(ctx, c, op, name); err != nil {
			return nil, err
		}
	}
	if codeDiffers(config) {
		if config, err = putCode(ctx, c, op, name); err != nil {
			return nil, err
		}
	}
	return functionOutputs(config, from, op.Tags), tagFunction(ctx, c, op, there)
}

func putConfiguration(ctx context.Context, c *Client, op *provider.Operation[Function], name string) (*types.FunctionConfiguration, error) {
	wanted := op.Properties.configuration()
	input := &lambda.UpdateFunctionConfigurationInput{
		FunctionName: sdk.String(name), Runtime: types.Runtime(wanted.Runtime), Handler: sdk.String(wanted.Handler),
		Role: sdk.String(wanted.Role), Description: sdk.String(wanted.Description),
		MemorySize: sdk.Int32(wanted.MemorySize), Timeout: sdk.Int32(wanted.Timeout),
		Environment: &types.Environment{Variables: orEmpty(wanted.Environment)}, Layers: notNil(wanted.Layers),
	}
	err := assumable.retry(ctx, c.wait, op.Progress, notYetAssumable, func() error {
		_, err := c.lambda.UpdateFunctionConfiguration(ctx, input)
		return err
	})
	if err != nil {
		return nil, functionRefused(err)
	}
	return awaitReady(ctx, c, op, name)
}

func putCode(ctx context.Context, c *Client, op *provider.Operation[Function], name string) (*types.FunctionConfiguration, error) {
	_, err := c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{
		FunctionName: sdk.String(name), S3Bucket: sdk.String(op.Properties.CodeS3Bucket), S3Key: sdk.String(op.Properties.CodeS3Key),
		S3ObjectVersion: optional(op.Properties.CodeS3ObjectVersion),
		Architectures:   []types.Architecture{types.Architecture(op.Properties.architecture())},
	})
	if err != nil {
		return nil, functionRefused(err)
	}
	return awaitReady(ctx, c, op, name)
}

func tagFunction(ctx context.Context, c *Client, op *provider.Operation[Function], there *lambda.GetFunctionOutput) error {
	change := dueTags(op, there.Tags)
	if len(change.set) > 0 {
		_, err := c.lambda.TagResource(ctx, &lambda.TagResourceInput{Resource: there.Configuration.FunctionArn, Tags: change.set})
		if err != nil {
			return classify(err)
		}
	}
	if len(change.remove) > 0 {
		_, err := c.lambda.UntagResource(ctx, &lambda.UntagResourceInput{
			Resource: there.Configuration.FunctionArn, TagKeys: change.remove,
		})
		return classify(err)
	}
	return nil
}

func (functions) Delete(ctx context.Context, c *Client, op *provider.Operation[Function]) (provider.Outputs, error) {
	_, err := c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: sdk.String(op.Existing.Name)})
	if absent(err) {
		return nil, nil
	}
	return nil, classify(err)
}

// Find asks for the function by name, which is unique in its place.
func (functions) Find(ctx context.Context, c *Client, query *provider.Query[Function], found func(provider.Found) error) error {
	name := firstOf(query.Name, lastPart(query.Identity))
	if name == "" {
		return nameUnknown("/function_name")
	}
	there, err := getFunction(ctx, c, name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	config := there.Configuration
	outputs := functionOutputs(config, "", nil)
	delete(outputs, "code_source")
	delete(outputs, tagsOutput.Name)
	return found(provider.Found{
		Identity: sdk.ToString(config.FunctionArn), Name: sdk.ToString(config.FunctionName), Labels: orEmpty(there.Tags),
		Outputs: outputs, Ready: stateOf(config) == stateReady,
	})
}

// getFunction also insists on the tags: a function whose tags may not be read would look like nobody's.
func getFunction(ctx context.Context, c *Client, name string) (*lambda.GetFunctionOutput, error) {
	there, err := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: sdk.String(name)})
	if err != nil {
		return nil, classify(err)
	}
	if there.TagsError != nil {
		denied := provider.Errorf(provider.PermissionDenied, "AWS returned the function without its tags: lambda:ListTags is needed")
		denied.VendorCode = sdk.ToString(there.TagsError.ErrorCode)
		return nil, denied
	}
	return there, nil
}

func functionOutputs(config *types.FunctionConfiguration, source string, tags map[string]string) provider.Outputs {
	return provider.Outputs{
		"arn": sdk.ToString(config.FunctionArn), "function_name": sdk.ToString(config.FunctionName),
		"version": sdk.ToString(config.Version), "code_sha256": sdk.ToString(config.CodeSha256),
		"code_source": source, tagsOutput.Name: orEmpty(tags),
	}
}
