package aws

import (
	"context"
	"regexp"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Role are the properties of aws:iam:role.
type Role struct {
	RoleName           string            `json:"role_name" jsonschema:"minLength=1,maxLength=64,pattern=^[A-Za-z0-9_+=\\,.@-]+$" jsonschema_description:"The role's name; unique in the account."`
	AssumeRolePolicy   Policy            `json:"assume_role_policy" jsonschema_description:"The trust policy, as a policy document."`
	ManagedPolicies    []string          `json:"managed_policies,omitempty" jsonschema:"uniqueItems=true,maxItems=20,pattern=^arn:" jsonschema_description:"ARNs of the managed policies that are to be attached, and no others."`
	InlinePolicies     map[string]Policy `json:"inline_policies,omitempty" jsonschema_description:"Policy documents that live in the role, by name, and no others."`
	Path               string            `json:"path,omitempty" jsonschema:"maxLength=512,pattern=^/([!-~]*/)?$" jsonschema_description:"The role's path. Cannot be changed. /mgraph/<deployment id>/ when left out."`
	Description        string            `json:"description,omitempty" jsonschema:"maxLength=1000" jsonschema_description:"What the role is for."`
	MaxSessionDuration int32             `json:"max_session_duration,omitempty" jsonschema:"minimum=3600,maximum=43200,default=3600" jsonschema_description:"Seconds that a session of the role may last."`
}

func (r Role) maxSession() int32 {
	if r.MaxSessionDuration == 0 {
		return 3600
	}
	return r.MaxSessionDuration
}

// roleAPI are the calls on a role itself; those on its policies stand in iam_role_policies.go.
type roleAPI interface {
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	UpdateRole(context.Context, *iam.UpdateRoleInput, ...func(*iam.Options)) (*iam.UpdateRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error)
	roleTagAPI
	rolePolicyAPI
	roleProfileAPI
}

type roleTagAPI interface {
	ListRoles(context.Context, *iam.ListRolesInput, ...func(*iam.Options)) (*iam.ListRolesOutput, error)
	ListRoleTags(context.Context, *iam.ListRoleTagsInput, ...func(*iam.Options)) (*iam.ListRoleTagsOutput, error)
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	UntagRole(context.Context, *iam.UntagRoleInput, ...func(*iam.Options)) (*iam.UntagRoleOutput, error)
}

// roles is the type aws:iam:role.
type roles struct{}

var (
	_ provider.Resource[*Client, Role] = roles{}
	_ provider.Updater[*Client, Role]  = roles{}
	_ provider.Validator[Role]         = roles{}
)

func (roles) Describe() provider.Description {
	return provider.Description{
		Type: "aws:iam:role", Summary: "An IAM role with its trust policy, attachments and inline policies.",
		Placement:   contract.Global,
		Identifying: []string{"/role_name", "/path"},
		SelfOutput:  "arn",
		Outputs: []contract.OutputField{
			{Name: "arn", Summary: "The role's ARN."},
			{Name: "role_id", Summary: "AWS's own id, another one after a role was deleted and made again."},
			{Name: "role_name", Summary: "The role's name."},
			{Name: "path", Summary: "The role's path."},
			tagsOutput,
		},
		Discovery: contract.DiscoverByLabel, LabelLimits: tagLimits(50),
		Naming: contract.Naming{
			Property: "/role_name", Suffix: contract.SuffixNone, Case: contract.CaseKeep, MaxLength: 64, Pattern: `^[A-Za-z0-9_+=,.@-]+$`,
		},
		RepeatSafety: contract.ByName, SettleTime: 10 * time.Second, Typical: 3 * time.Second, Permissions: rolePermissions,
	}
}

var policyName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,128}$`)

// Validate sees what a schema cannot say.
func (roles) Validate(role Role, _ provider.References) []provider.Diagnostic {
	var found []provider.Diagnostic
	if len(listOf(role.AssumeRolePolicy["Statement"])) == 0 {
		found = append(found, invalid("/assume_role_policy", "a trust policy needs a Statement").Diagnostic)
	}
	for name, policy := range role.InlinePolicies {
		if !policyName.MatchString(name) {
			found = append(found, invalid("/inline_policies", "the name of an inline policy has up to 128 letters, digits and _+=,.@-").Diagnostic)
		}
		if len(listOf(policy["Statement"])) == 0 {
			found = append(found, invalid("/inline_policies", "an inline policy needs a Statement").Diagnostic)
		}
	}
	return found
}

func (roles) Create(ctx context.Context, c *Client, op *provider.Operation[Role]) (provider.Outputs, error) {
	if op.Existing != nil {
		return converge(ctx, c, op)
	}
	trust, err := op.Properties.AssumeRolePolicy.document()
	if err != nil {
		return nil, provider.Errorf(provider.InvalidInput, "the trust policy cannot be written as JSON")
	}
	made, err := c.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: sdk.String(op.Name), AssumeRolePolicyDocument: sdk.String(trust), Path: sdk.String(rolePath(op)),
		Description: optional(op.Properties.Description), MaxSessionDuration: sdk.Int32(op.Properties.maxSession()),
		Tags: iamTags(tagsOf(op)),
	})
	if err != nil {
		return nil, roleRefused(err)
	}
	op.Made(sdk.ToString(made.Role.Arn))
	if err := putPolicies(ctx, c, op, rolePolicies{}); err != nil {
		return nil, err
	}
	return roleOutputs(made.Role, op.Tags), nil
}

func (roles) Update(ctx context.Context, c *Client, op *provider.Operation[Role]) (provider.Outputs, error) {
	return converge(ctx, c, op)
}

// converge brings a role that is there to what the properties say, and writes only what differs.
func converge(ctx context.Context, c *Client, op *provider.Operation[Role]) (provider.Outputs, error) {
	role, err := getRole(ctx, c, op.Existing.Name)
	if err != nil {
		return nil, classify(err)
	}
	if op.Properties.Path != "" && op.Properties.Path != sdk.ToString(role.Path) {
		fixed := provider.Errorf(provider.Unsupported, "the path of a role cannot be changed")
		fixed.Pointer = "/path"
		return nil, fixed
	}
	there, err := readPolicies(ctx, c, op.Existing.Name)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return updateRole(ctx, c, op, role) },
		func() error { return updateTrust(ctx, c, op, role) },
		func() error { return putPolicies(ctx, c, op, there) },
		func() error { return dropPolicies(ctx, c, op, there) },
		func() error { return tagRole(ctx, c, op, role) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return roleOutputs(role, op.Tags), nil
}

func updateRole(ctx context.Context, c *Client, op *provider.Operation[Role], role *types.Role) error {
	wanted := op.Properties
	if sdk.ToString(role.Description) == wanted.Description && sdk.ToInt32(role.MaxSessionDuration) == wanted.maxSession() {
		return nil
	}
	_, err := c.iam.UpdateRole(ctx, &iam.UpdateRoleInput{
		RoleName: role.RoleName, Description: sdk.String(wanted.Description), MaxSessionDuration: sdk.Int32(wanted.maxSession()),
	})
	return classify(err)
}

func updateTrust(ctx context.Context, c *Client, op *provider.Operation[Role], role *types.Role) error {
	if samePolicy(op.Properties.AssumeRolePolicy, sdk.ToString(role.AssumeRolePolicyDocument)) {
		return nil
	}
	trust, err := op.Properties.AssumeRolePolicy.document()
	if err != nil {
		return provider.Errorf(provider.InvalidInput, "the trust policy cannot be written as JSON")
	}
	_, err = c.iam.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
		RoleName: role.RoleName, PolicyDocument: sdk.String(trust),
	})
	return roleRefused(err)
}

func tagRole(ctx context.Context, c *Client, op *provider.Operation[Role], role *types.Role) error {
	change := dueTags(op, fromTags(role.Tags, iamPair))
	if len(change.set) > 0 {
		if _, err := c.iam.TagRole(ctx, &iam.TagRoleInput{RoleName: role.RoleName, Tags: iamTags(change.set)}); err != nil {
			return classify(err)
		}
	}
	if len(change.remove) > 0 {
		_, err := c.iam.UntagRole(ctx, &iam.UntagRoleInput{RoleName: role.RoleName, TagKeys: change.remove})
		return classify(err)
	}
	return nil
}

func (roles) Verify(ctx context.Context, c *Client, op *provider.Operation[Role]) ([]provider.Check, error) {
	role, err := getRole(ctx, c, op.Existing.Name)
	if err != nil {
		return nil, classify(err)
	}
	there, err := readPolicies(ctx, c, op.Existing.Name)
	if err != nil {
		return nil, err
	}
	trust, err := decodePolicy(sdk.ToString(role.AssumeRolePolicyDocument))
	if err != nil {
		return nil, provider.Errorf(provider.RemoteError, "AWS returned a trust policy that cannot be read")
	}
	checks := []provider.Check{
		provider.EqualJSON("assume_role_policy", op.Properties.AssumeRolePolicy.canonical(), trust.canonical()),
		provider.Equal("description", op.Properties.Description, sdk.ToString(role.Description)),
		provider.Equal("max_session_duration", op.Properties.maxSession(), sdk.ToInt32(role.MaxSessionDuration)),
	}
	if op.Properties.Path != "" {
		checks = append(checks, provider.Equal("path", op.Properties.Path, sdk.ToString(role.Path)))
	}
	return append(checks, policyChecks(op.Properties, there)...), nil
}

// Delete first takes away all that IAM refuses to delete a role with.
func (roles) Delete(ctx context.Context, c *Client, op *provider.Operation[Role]) (provider.Outputs, error) {
	name := op.Existing.Name
	there, err := readPolicies(ctx, c, name)
	if err == nil {
		err = dropAll(ctx, c, name, there)
	}
	if err == nil {
		err = leaveProfiles(ctx, c, name)
	}
	if err == nil {
		_, err = c.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: sdk.String(name)})
	}
	if absent(err) {
		return nil, nil
	}
	return nil, classify(err)
}

// Find asks by name, which is unique in an account. Only a role whose name nobody knows is looked for under the path that
// Create puts roles under: the tagging API never returns roles.
func (roles) Find(ctx context.Context, c *Client, query *provider.Query[Role], found func(provider.Found) error) error {
	name := firstOf(query.Name, lastPart(query.Identity))
	if name == "" {
		return findByPath(ctx, c, query, found)
	}
	role, err := getRole(ctx, c, name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return classify(err)
	}
	return found(foundRole(role, fromTags(role.Tags, iamPair)))
}

func findByPath(ctx context.Context, c *Client, query *provider.Query[Role], found func(provider.Found) error) error {
	prefix := firstOf(query.Properties.Path, labelledPath(query.Labels))
	pages := iam.NewListRolesPaginator(c.iam, &iam.ListRolesInput{PathPrefix: sdk.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		for i := range page.Roles {
			if err := findLabelled(ctx, c, query, &page.Roles[i], found); err != nil {
				return err
			}
		}
	}
	return nil
}

func findLabelled(ctx context.Context, c *Client, query *provider.Query[Role], role *types.Role, found func(provider.Found) error) error {
	var tags []types.Tag
	pages := iam.NewListRoleTagsPaginator(c.iam, &iam.ListRoleTagsInput{RoleName: role.RoleName})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		tags = append(tags, page.Tags...)
	}
	labels := fromTags(tags, iamPair)
	if contract.OwnershipOf(labels, query.Labels) != contract.OwnershipOurs {
		return nil
	}
	return found(foundRole(role, labels))
}

func getRole(ctx context.Context, c *Client, name string) (*types.Role, error) {
	got, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: sdk.String(name)})
	if err != nil {
		return nil, err
	}
	return got.Role, nil
}

func foundRole(role *types.Role, labels map[string]string) provider.Found {
	outputs := roleOutputs(role, nil)
	delete(outputs, tagsOutput.Name)
	return provider.Found{
		Identity: sdk.ToString(role.Arn), Name: sdk.ToString(role.RoleName), Labels: labels, Outputs: outputs, Ready: true,
	}
}

func roleOutputs(role *types.Role, tags map[string]string) provider.Outputs {
	return provider.Outputs{
		"arn": sdk.ToString(role.Arn), "role_id": sdk.ToString(role.RoleId), "role_name": sdk.ToString(role.RoleName),
		"path": sdk.ToString(role.Path), tagsOutput.Name: orEmpty(tags),
	}
}

func roleRefused(err error) error {
	if codeOf(err) == "MalformedPolicyDocument" {
		return at("/assume_role_policy", err)
	}
	return classify(err)
}

func rolePath(op *provider.Operation[Role]) string {
	return firstOf(op.Properties.Path, labelledPath(op.Labels))
}

var pathSafe = regexp.MustCompile(`^[A-Za-z0-9_.+=,@-]{1,400}$`)

// labelledPath keeps a deployment's roles together, so that those without a known name can be listed.
func labelledPath(labels map[string]string) string {
	if deployment := labels[contract.LabelDeployID]; pathSafe.MatchString(deployment) {
		return "/mgraph/" + deployment + "/"
	}
	return "/mgraph/"
}

func iamTags(tags map[string]string) []types.Tag {
	return toTags(tags, func(key, value string) types.Tag { return types.Tag{Key: sdk.String(key), Value: sdk.String(value)} })
}

func iamPair(tag types.Tag) (key, value *string) { return tag.Key, tag.Value }
