package aws

import (
	"context"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// rolePolicyAPI are the calls on what a role may do.
type rolePolicyAPI interface {
	ListAttachedRolePolicies(context.Context, *iam.ListAttachedRolePoliciesInput, ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error)
	AttachRolePolicy(context.Context, *iam.AttachRolePolicyInput, ...func(*iam.Options)) (*iam.AttachRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *iam.DetachRolePolicyInput, ...func(*iam.Options)) (*iam.DetachRolePolicyOutput, error)
	ListRolePolicies(context.Context, *iam.ListRolePoliciesInput, ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
}

// roleProfileAPI are the calls on the instance profiles that hold a role.
type roleProfileAPI interface {
	ListInstanceProfilesForRole(context.Context, *iam.ListInstanceProfilesForRoleInput, ...func(*iam.Options)) (*iam.ListInstanceProfilesForRoleOutput, error)
	RemoveRoleFromInstanceProfile(context.Context, *iam.RemoveRoleFromInstanceProfileInput, ...func(*iam.Options)) (*iam.RemoveRoleFromInstanceProfileOutput, error)
}

// rolePolicies is what a role has: ARNs attached, and documents by name as IAM returns them.
type rolePolicies struct {
	attached []string
	inline   map[string]string
}

func readPolicies(ctx context.Context, c *Client, role string) (rolePolicies, error) {
	there := rolePolicies{inline: map[string]string{}}
	attached := iam.NewListAttachedRolePoliciesPaginator(c.iam, &iam.ListAttachedRolePoliciesInput{RoleName: sdk.String(role)})
	for attached.HasMorePages() {
		page, err := attached.NextPage(ctx)
		if err != nil {
			return there, classify(err)
		}
		for _, policy := range page.AttachedPolicies {
			there.attached = append(there.attached, sdk.ToString(policy.PolicyArn))
		}
	}
	inline := iam.NewListRolePoliciesPaginator(c.iam, &iam.ListRolePoliciesInput{RoleName: sdk.String(role)})
	for inline.HasMorePages() {
		page, err := inline.NextPage(ctx)
		if err != nil {
			return there, classify(err)
		}
		for _, name := range page.PolicyNames {
			got, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: sdk.String(role), PolicyName: sdk.String(name)})
			if err != nil {
				return there, classify(err)
			}
			there.inline[name] = sdk.ToString(got.PolicyDocument)
		}
	}
	return there, nil
}

// putPolicies attaches and writes what is missing or differs.
func putPolicies(ctx context.Context, c *Client, op *provider.Operation[Role], there rolePolicies) error {
	for _, arn := range op.Properties.ManagedPolicies {
		if slices.Contains(there.attached, arn) {
			continue
		}
		if err := attach(ctx, c, op, arn); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(op.Properties.InlinePolicies)) {
		policy := op.Properties.InlinePolicies[name]
		if current, ok := there.inline[name]; ok && samePolicy(policy, current) {
			continue
		}
		if err := putInline(ctx, c, op, name, policy); err != nil {
			return err
		}
	}
	return nil
}

// visible is how long a role that was just made may be unknown to the next call.
var visible = budget{first: time.Second, total: 8 * time.Second, message: "waiting for IAM to know the new role"}

// patient asks again while IAM says that something is not there, if the role is new: it takes a moment to be known
// everywhere. A policy that does not exist gives the same answer, and is reported when the moment has passed.
func patient(ctx context.Context, c *Client, op *provider.Operation[Role], call func() error) error {
	again := func(err error) bool { return op.Existing == nil && codeOf(err) == "NoSuchEntity" }
	return visible.retry(ctx, c.wait, op.Progress, again, call)
}

func attach(ctx context.Context, c *Client, op *provider.Operation[Role], arn string) error {
	err := patient(ctx, c, op, func() error {
		_, err := c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
			RoleName: sdk.String(physical(op)), PolicyArn: sdk.String(arn),
		})
		return err
	})
	switch codeOf(err) {
	case "NoSuchEntity", "PolicyNotAttachable", "ValidationError", "InvalidInput":
		return as(provider.InvalidInput, "/managed_policies", err)
	default:
		return classify(err)
	}
}

func putInline(ctx context.Context, c *Client, op *provider.Operation[Role], name string, policy Policy) error {
	document, err := policy.document()
	if err != nil {
		return provider.Errorf(provider.InvalidInput, "an inline policy cannot be written as JSON")
	}
	err = patient(ctx, c, op, func() error {
		_, err := c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: sdk.String(physical(op)), PolicyName: sdk.String(name), PolicyDocument: sdk.String(document),
		})
		return err
	})
	switch codeOf(err) {
	case "MalformedPolicyDocument", "ValidationError", "LimitExceeded":
		return at("/inline_policies", err)
	default:
		return classify(err)
	}
}

// dropPolicies takes away what the properties do not name.
func dropPolicies(ctx context.Context, c *Client, op *provider.Operation[Role], there rolePolicies) error {
	extra := rolePolicies{inline: map[string]string{}}
	for _, arn := range there.attached {
		if !slices.Contains(op.Properties.ManagedPolicies, arn) {
			extra.attached = append(extra.attached, arn)
		}
	}
	for name, document := range there.inline {
		if _, wanted := op.Properties.InlinePolicies[name]; !wanted {
			extra.inline[name] = document
		}
	}
	return dropAll(ctx, c, op.Existing.Name, extra)
}

func dropAll(ctx context.Context, c *Client, role string, there rolePolicies) error {
	for _, arn := range there.attached {
		_, err := c.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: sdk.String(role), PolicyArn: sdk.String(arn)})
		if err != nil && !absent(err) {
			return classify(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there.inline)) {
		_, err := c.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: sdk.String(role), PolicyName: sdk.String(name)})
		if err != nil && !absent(err) {
			return classify(err)
		}
	}
	return nil
}

func leaveProfiles(ctx context.Context, c *Client, role string) error {
	pages := iam.NewListInstanceProfilesForRolePaginator(c.iam, &iam.ListInstanceProfilesForRoleInput{RoleName: sdk.String(role)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		for _, profile := range page.InstanceProfiles {
			_, err := c.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{
				RoleName: sdk.String(role), InstanceProfileName: profile.InstanceProfileName,
			})
			if err != nil && !absent(err) {
				return classify(err)
			}
		}
	}
	return nil
}

func policyChecks(wanted Role, there rolePolicies) []provider.Check {
	inlineWanted, inlineThere := map[string]any{}, map[string]any{}
	for name, policy := range wanted.InlinePolicies {
		inlineWanted[name] = policy.canonical()
	}
	for name, document := range there.inline {
		if policy, err := decodePolicy(document); err == nil {
			inlineThere[name] = policy.canonical()
		} else {
			inlineThere[name] = "unreadable"
		}
	}
	return []provider.Check{
		provider.EqualJSON("managed_policies", sorted(wanted.ManagedPolicies), sorted(there.attached)),
		provider.EqualJSON("inline_policies", inlineWanted, inlineThere),
	}
}

func sorted(list []string) []string {
	if len(list) == 0 {
		return []string{}
	}
	return slices.Sorted(slices.Values(list))
}
