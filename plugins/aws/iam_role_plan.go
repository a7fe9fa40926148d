package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

var (
	_ provider.Planner[*Client, Role]    = roles{}
	_ provider.Rollbacker[*Client, Role] = roles{}
)

var rolePermissions = map[contract.Verb][]string{
	contract.VerbCreate: {"iam:CreateRole", "iam:TagRole", "iam:GetRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"},
	contract.VerbUpdate: {
		"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:UpdateRole",
		"iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy",
		"iam:TagRole", "iam:UntagRole",
	},
	contract.VerbDelete: {
		"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:DetachRolePolicy", "iam:ListRolePolicies", "iam:GetRolePolicy",
		"iam:DeleteRolePolicy", "iam:ListInstanceProfilesForRole", "iam:RemoveRoleFromInstanceProfile", "iam:DeleteRole",
	},
}

// Plan compares what an update would write.
func (roles) Plan(ctx context.Context, c *Client, op *provider.Operation[Role]) (provider.Preview, error) {
	var preview provider.Preview
	role, err := getRole(ctx, c, op.Existing.Name)
	if err != nil {
		return preview, classify(err)
	}
	there, err := readPolicies(ctx, c, op.Existing.Name)
	if err != nil {
		return preview, err
	}
	was, err := roleAsProperties(role, there)
	if err != nil {
		return preview, err
	}
	wanted := op.Properties
	preview.Former = former[Role]{was, foreignTags(fromTags(role.Tags, iamPair))}
	if !samePolicy(wanted.AssumeRolePolicy, sdk.ToString(role.AssumeRolePolicyDocument)) {
		preview.Compare("/assume_role_policy", was.AssumeRolePolicy, wanted.AssumeRolePolicy)
	}
	preview.Compare("/description", optional(was.Description), optional(wanted.Description))
	preview.Compare("/max_session_duration", was.maxSession(), wanted.maxSession())
	preview.Compare("/managed_policies", sorted(was.ManagedPolicies), sorted(wanted.ManagedPolicies))
	if wanted.Path != "" {
		preview.Compare("/path", was.Path, wanted.Path)
	}
	if !sameInline(wanted.InlinePolicies, there.inline) {
		preview.Compare("/inline_policies", was.InlinePolicies, wanted.InlinePolicies)
	}
	previewTags(&preview, op, fromTags(role.Tags, iamPair))
	return preview, nil
}

// Rollback makes the role again where it is gone, and else brings it to what it was. Another role of the same name has another
// id: what names that, or an instance profile that it was in, is not mended.
func (r roles) Rollback(ctx context.Context, c *Client, op *provider.Operation[Role]) (provider.Outputs, error) {
	var was former[Role]
	if err := op.Former.Read(&was); err != nil {
		return nil, err
	}
	return r.Create(ctx, c, restoring(op, was))
}

// roleAsProperties writes down a role in the words of a caller.
func roleAsProperties(role *types.Role, there rolePolicies) (Role, error) {
	trust, err := decodePolicy(sdk.ToString(role.AssumeRolePolicyDocument))
	if err != nil {
		return Role{}, provider.Errorf(provider.RemoteError, "AWS returned a trust policy that cannot be read")
	}
	was := Role{
		RoleName: sdk.ToString(role.RoleName), AssumeRolePolicy: trust, ManagedPolicies: there.attached, Path: sdk.ToString(role.Path),
		Description: sdk.ToString(role.Description), MaxSessionDuration: sdk.ToInt32(role.MaxSessionDuration),
	}
	for name, document := range there.inline {
		policy, err := decodePolicy(document)
		if err != nil {
			return Role{}, provider.Errorf(provider.RemoteError, "AWS returned an inline policy that cannot be read")
		}
		if was.InlinePolicies == nil {
			was.InlinePolicies = map[string]Policy{}
		}
		was.InlinePolicies[name] = policy
	}
	return was, nil
}

func sameInline(wanted map[string]Policy, there map[string]string) bool {
	if len(wanted) != len(there) {
		return false
	}
	for name, policy := range wanted {
		if document, ok := there[name]; !ok || !samePolicy(policy, document) {
			return false
		}
	}
	return true
}
