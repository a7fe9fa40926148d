package aws

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Full are the properties of aws:lambda:full: those of a function, and of the role that is made for it.
type Full struct {
	FunctionSettings
	RoleName         string            `json:"role_name,omitempty" jsonschema:"maxLength=64,pattern=^[A-Za-z0-9_+=\\,.@-]+$" jsonschema_description:"The role's name; <function_name>-role when left out."`
	AssumeRolePolicy Policy            `json:"assume_role_policy,omitempty" jsonschema_description:"The trust policy; one that lets Lambda assume the role when left out."`
	ManagedPolicies  []string          `json:"managed_policies,omitempty" jsonschema:"uniqueItems=true,maxItems=20,pattern=^arn:" jsonschema_description:"ARNs of the managed policies of the role; AWSLambdaBasicExecutionRole when left out."`
	InlinePolicies   map[string]Policy `json:"inline_policies,omitempty" jsonschema_description:"Policy documents that live in the role, by name."`
}

// basicExecution lets a function write its log.
const basicExecution = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

// lambdaTrust lets Lambda assume a role.
func lambdaTrust() Policy {
	return Policy{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
	}}}
}

// fulls is the type aws:lambda:full. Configuration and tags are no parts of their own: they are set by the call that makes the
// function, so that no crash leaves one that is without them.
type fulls struct{}

var (
	_ provider.Composite[Full] = fulls{}
	_ provider.Validator[Full] = fulls{}
)

func (fulls) Describe() provider.Description {
	return provider.Description{
		Type: "aws:lambda:full", Summary: "A Lambda function with an execution role of its own.",
		References: codeRoles(), SelfOutput: "arn",
		Outputs: []contract.OutputField{
			{Name: "arn", Summary: "The function's ARN."},
			{Name: "function_name", Summary: "The function's name."},
			{Name: "role_arn", Summary: "The role's ARN."},
		},
	}
}

// Validate sees what a schema cannot say of the role.
func (fulls) Validate(full Full, given provider.References) []provider.Diagnostic {
	return roles{}.Validate(full.role(), given)
}

func (f Full) role() Role {
	role := Role{
		RoleName: firstOf(f.RoleName, f.FunctionName+"-role"), AssumeRolePolicy: f.AssumeRolePolicy,
		ManagedPolicies: f.ManagedPolicies, InlinePolicies: f.InlinePolicies,
	}
	if role.AssumeRolePolicy == nil {
		role.AssumeRolePolicy = lambdaTrust()
	}
	if role.ManagedPolicies == nil {
		role.ManagedPolicies = []string{basicExecution}
	}
	return role
}

// Expand is always a role and the function that it is for.
func (fulls) Expand(full Full, given provider.References) (provider.Subgraph, error) {
	references := map[string]string{"role": "role"}
	for _, code := range codeRoles() {
		if given.Has(code.Role) {
			references[code.Role] = contract.OwnRole + code.Role
		}
	}
	return provider.Subgraph{
		Parts: []provider.Part{
			{Name: "role", Type: "aws:iam:role", Properties: full.role()},
			{Name: "function", Type: "aws:lambda:function", Properties: full.FunctionSettings, References: references},
		},
		Outputs: map[string]string{"arn": "function.arn", "function_name": "function.function_name", "role_arn": "role.arn"},
	}, nil
}
