package aws

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// fakeIAM holds one role. What it is asked to change is in writes.
type fakeIAM struct {
	role     *types.Role
	attached []string
	inline   map[string]string
	profiles []string
	writes   []string
	unknown  int // how often a new role is not known yet
}

func (f *fakeIAM) wrote(what string) { f.writes = append(f.writes, what) }

func (f *fakeIAM) CreateRole(_ context.Context, in *iam.CreateRoleInput, _ ...func(*iam.Options)) (*iam.CreateRoleOutput, error) {
	f.wrote("CreateRole")
	if f.role != nil {
		return nil, refusedWith("EntityAlreadyExists")
	}
	f.role = &types.Role{
		RoleName: in.RoleName, Path: in.Path, Arn: sdk.String("arn:aws:iam::123456789012:role" + *in.Path + *in.RoleName),
		RoleId: sdk.String("AROA1"), Description: in.Description, MaxSessionDuration: in.MaxSessionDuration, Tags: in.Tags,
		AssumeRolePolicyDocument: sdk.String(url.PathEscape(*in.AssumeRolePolicyDocument)),
	}
	return &iam.CreateRoleOutput{Role: f.role}, nil
}

func (f *fakeIAM) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if f.role == nil || *f.role.RoleName != *in.RoleName {
		return nil, refusedWith("NoSuchEntity")
	}
	return &iam.GetRoleOutput{Role: f.role}, nil
}

func (f *fakeIAM) UpdateRole(_ context.Context, in *iam.UpdateRoleInput, _ ...func(*iam.Options)) (*iam.UpdateRoleOutput, error) {
	f.wrote("UpdateRole")
	f.role.Description, f.role.MaxSessionDuration = in.Description, in.MaxSessionDuration
	return &iam.UpdateRoleOutput{}, nil
}

func (f *fakeIAM) UpdateAssumeRolePolicy(_ context.Context, in *iam.UpdateAssumeRolePolicyInput, _ ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error) {
	f.wrote("UpdateAssumeRolePolicy")
	f.role.AssumeRolePolicyDocument = sdk.String(url.PathEscape(*in.PolicyDocument))
	return &iam.UpdateAssumeRolePolicyOutput{}, nil
}

func (f *fakeIAM) DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error) {
	if len(f.attached)+len(f.inline)+len(f.profiles) > 0 {
		return nil, refusedWith("DeleteConflict")
	}
	f.wrote("DeleteRole")
	f.role = nil
	return &iam.DeleteRoleOutput{}, nil
}

func (f *fakeIAM) ListRoles(_ context.Context, in *iam.ListRolesInput, _ ...func(*iam.Options)) (*iam.ListRolesOutput, error) {
	if f.role == nil || *in.PathPrefix != *f.role.Path {
		return &iam.ListRolesOutput{}, nil
	}
	listed := *f.role
	listed.Tags = nil // as IAM does
	return &iam.ListRolesOutput{Roles: []types.Role{listed}}, nil
}

func (f *fakeIAM) ListRoleTags(context.Context, *iam.ListRoleTagsInput, ...func(*iam.Options)) (*iam.ListRoleTagsOutput, error) {
	return &iam.ListRoleTagsOutput{Tags: f.role.Tags}, nil
}

func (f *fakeIAM) TagRole(_ context.Context, in *iam.TagRoleInput, _ ...func(*iam.Options)) (*iam.TagRoleOutput, error) {
	f.wrote("TagRole")
	tags := fromTags(f.role.Tags, iamPair)
	maps.Copy(tags, fromTags(in.Tags, iamPair))
	f.role.Tags = iamTags(tags)
	return &iam.TagRoleOutput{}, nil
}

func (f *fakeIAM) UntagRole(_ context.Context, in *iam.UntagRoleInput, _ ...func(*iam.Options)) (*iam.UntagRoleOutput, error) {
	f.wrote("UntagRole")
	f.role.Tags = slices.DeleteFunc(f.role.Tags, func(tag types.Tag) bool { return slices.Contains(in.TagKeys, *tag.Key) })
	return &iam.UntagRoleOutput{}, nil
}

func (f *fakeIAM) ListAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput, _ ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error) {
	page := &iam.ListAttachedRolePoliciesOutput{}
	for _, arn := range f.attached { // one to a page, so that paging is seen
		if in.Marker == nil || arn > *in.Marker {
			page.AttachedPolicies = []types.AttachedPolicy{{PolicyArn: sdk.String(arn)}}
			page.IsTruncated, page.Marker = arn != f.attached[len(f.attached)-1], sdk.String(arn)
			break
		}
	}
	return page, nil
}

func (f *fakeIAM) AttachRolePolicy(_ context.Context, in *iam.AttachRolePolicyInput, _ ...func(*iam.Options)) (*iam.AttachRolePolicyOutput, error) {
	if f.unknown > 0 {
		f.unknown--
		return nil, refusedWith("NoSuchEntity")
	}
	f.wrote("Attach " + *in.PolicyArn)
	f.attached = slices.Sorted(slices.Values(append(f.attached, *in.PolicyArn)))
	return &iam.AttachRolePolicyOutput{}, nil
}

func (f *fakeIAM) DetachRolePolicy(_ context.Context, in *iam.DetachRolePolicyInput, _ ...func(*iam.Options)) (*iam.DetachRolePolicyOutput, error) {
	f.wrote("Detach " + *in.PolicyArn)
	f.attached = slices.DeleteFunc(f.attached, func(arn string) bool { return arn == *in.PolicyArn })
	return &iam.DetachRolePolicyOutput{}, nil
}

func (f *fakeIAM) ListRolePolicies(context.Context, *iam.ListRolePoliciesInput, ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error) {
	return &iam.ListRolePoliciesOutput{PolicyNames: slices.Sorted(maps.Keys(f.inline))}, nil
}

func (f *fakeIAM) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, _ ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	return &iam.GetRolePolicyOutput{PolicyDocument: sdk.String(f.inline[*in.PolicyName])}, nil
}

func (f *fakeIAM) PutRolePolicy(_ context.Context, in *iam.PutRolePolicyInput, _ ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error) {
	f.wrote("Put " + *in.PolicyName)
	if f.inline == nil {
		f.inline = map[string]string{}
	}
	f.inline[*in.PolicyName] = url.PathEscape(*in.PolicyDocument)
	return &iam.PutRolePolicyOutput{}, nil
}

func (f *fakeIAM) DeleteRolePolicy(_ context.Context, in *iam.DeleteRolePolicyInput, _ ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error) {
	f.wrote("Drop " + *in.PolicyName)
	delete(f.inline, *in.PolicyName)
	return &iam.DeleteRolePolicyOutput{}, nil
}

func (f *fakeIAM) ListInstanceProfilesForRole(context.Context, *iam.ListInstanceProfilesForRoleInput, ...func(*iam.Options)) (*iam.ListInstanceProfilesForRoleOutput, error) {
	page := &iam.ListInstanceProfilesForRoleOutput{}
	for _, name := range f.profiles {
		page.InstanceProfiles = append(page.InstanceProfiles, types.InstanceProfile{InstanceProfileName: sdk.String(name)})
	}
	return page, nil
}

func (f *fakeIAM) RemoveRoleFromInstanceProfile(_ context.Context, in *iam.RemoveRoleFromInstanceProfileInput, _ ...func(*iam.Options)) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	f.wrote("Leave " + *in.InstanceProfileName)
	f.profiles = slices.DeleteFunc(f.profiles, func(name string) bool { return name == *in.InstanceProfileName })
	return &iam.RemoveRoleFromInstanceProfileOutput{}, nil
}

var labels = map[string]string{
	contract.LabelOwner: "owner-1", contract.LabelDeployID: "my-app", contract.LabelResourceID: "execution-role",
	contract.LabelNodeID: "1111aaaa", contract.LabelGraphID: "22222222",
}

func roleOperation(t *testing.T, properties Role) provider.Operation[Role] {
	if properties.AssumeRolePolicy == nil {
		properties.AssumeRolePolicy = policy(t, trust)
	}
	return provider.Operation[Role]{Verb: contract.VerbEnsure, Name: "my-role", Properties: properties, Labels: labels}
}

func existing(name string) *provider.Found { return &provider.Found{Name: name} }

const basic, other = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "arn:aws:iam::aws:policy/ReadOnlyAccess"

func TestARoleIsMadeWithItsLabelsInOneCall(t *testing.T) {
	fake := &fakeIAM{}
	filled := roleOperation(t, Role{ManagedPolicies: []string{basic}, InlinePolicies: map[string]Policy{"logs": policy(t, trust)}})
	filled.Tags = map[string]string{"team": "a"}
	ctx, op, trial := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	outputs, err := roles{}.Create(ctx, &Client{iam: fake, wait: (&pauses{}).wait}, op)
	require.NoError(t, err)
	require.Equal(t, []string{"CreateRole", "Attach " + basic, "Put logs"}, fake.writes)
	require.Equal(t, "arn:aws:iam::123456789012:role/mgraph/my-app/my-role", outputs["arn"])
	require.Equal(t, []string{"arn:aws:iam::123456789012:role/mgraph/my-app/my-role"}, trial.Recorded().Made)
	require.Equal(t, map[string]string{"team": "a"}, outputs["tags"])
	tags := fromTags(fake.role.Tags, iamPair)
	require.Equal(t, "a", tags["team"])
	require.Equal(t, "execution-role", tags[contract.LabelResourceID])
}

func TestANewRoleThatIsNotKnownYetIsWaitedFor(t *testing.T) {
	fake, waits := &fakeIAM{unknown: 2}, &pauses{}
	ctx, op, trial := provider.NewOperation(t.Context(), provider.Runtime{}, roleOperation(t, Role{ManagedPolicies: []string{basic}}))
	_, err := roles{}.Create(ctx, &Client{iam: fake, wait: waits.wait}, op)
	require.NoError(t, err)
	require.Len(t, waits.all, 2)
	require.NotEmpty(t, trial.Recorded().Progress)
}

func TestAPolicyThatIsNotThereIsTheCallersMistake(t *testing.T) {
	fake, waits := &fakeIAM{unknown: 1000}, &pauses{}
	ctx, op, trial := provider.NewOperation(t.Context(), provider.Runtime{}, roleOperation(t, Role{ManagedPolicies: []string{basic}}))
	_, err := roles{}.Create(ctx, &Client{iam: fake, wait: waits.wait}, op)
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, provider.InvalidInput, known.Kind)
	require.Equal(t, "/managed_policies", known.Pointer)
	require.LessOrEqual(t, waits.total(), visible.total)
	require.Equal(t, contract.OutcomePartial, trial.Outcome(err), "the role is there")
}

func TestARoleConvergesAndThenRests(t *testing.T) {
	fake := &fakeIAM{
		role: &types.Role{
			RoleName: sdk.String("my-role"), Arn: sdk.String("arn:aws:iam::123456789012:role/my-role"), Path: sdk.String("/"),
			AssumeRolePolicyDocument: sdk.String("%7B%7D"), MaxSessionDuration: sdk.Int32(3600),
			Tags: iamTags(map[string]string{"mgraph:edge-id": "gone", "former": "x", "theirs": "y"}),
		},
		attached: []string{other}, inline: map[string]string{"old": "%7B%7D"},
	}
	client := &Client{iam: fake, wait: (&pauses{}).wait}
	update := func() error {
		filled := roleOperation(t, Role{
			ManagedPolicies: []string{basic}, InlinePolicies: map[string]Policy{"new": policy(t, trust)},
			Description: "what it is for", MaxSessionDuration: 7200,
		})
		filled.Existing, filled.RecordedOutputs = existing("my-role"), json.RawMessage(`{"tags":{"former":"x"}}`)
		ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
		_, err := roles{}.Update(ctx, client, op)
		return err
	}
	require.NoError(t, update())
	require.Equal(t, []string{
		"UpdateRole", "UpdateAssumeRolePolicy", "Attach " + basic, "Put new", "Detach " + other, "Drop old", "TagRole", "UntagRole",
	}, fake.writes)
	require.Equal(t, "y", fromTags(fake.role.Tags, iamPair)["theirs"])
	require.NotContains(t, fromTags(fake.role.Tags, iamPair), "former")
	fake.writes = nil
	require.NoError(t, update())
	require.Empty(t, fake.writes, "nothing differs any more")
}

func TestThePathOfARoleStays(t *testing.T) {
	fake := &fakeIAM{role: &types.Role{RoleName: sdk.String("my-role"), Path: sdk.String("/")}}
	filled := roleOperation(t, Role{Path: "/other/"})
	filled.Existing = existing("my-role")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	_, err := roles{}.Update(ctx, &Client{iam: fake}, op)
	require.Equal(t, provider.Unsupported, contract.KindOf(err))
	require.Empty(t, fake.writes)
}

func TestARoleIsFreedOfAllThatHoldsIt(t *testing.T) {
	fake := &fakeIAM{
		role: &types.Role{RoleName: sdk.String("my-role")}, attached: []string{other, basic},
		inline: map[string]string{"logs": "%7B%7D"}, profiles: []string{"profile"},
	}
	filled := roleOperation(t, Role{})
	filled.Existing = existing("my-role")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	_, err := roles{}.Delete(ctx, &Client{iam: fake}, op)
	require.NoError(t, err)
	require.Nil(t, fake.role)
	require.Equal(t, []string{"Detach " + other, "Detach " + basic, "Drop logs", "Leave profile", "DeleteRole"}, fake.writes)
}

func TestARoleIsFoundByNameByIdentityAndByLabels(t *testing.T) {
	fake := &fakeIAM{role: &types.Role{
		RoleName: sdk.String("my-role"), Arn: sdk.String("arn:aws:iam::123456789012:role/mgraph/my-app/my-role"),
		Path: sdk.String("/mgraph/my-app/"), Tags: iamTags(labels),
	}}
	for name, query := range map[string]provider.Query[Role]{
		"name":     {Name: "my-role"},
		"identity": {Identity: "arn:aws:iam::123456789012:role/mgraph/my-app/my-role"},
		"labels":   {Labels: labels},
	} {
		t.Run(name, func(t *testing.T) {
			var all []provider.Found
			require.NoError(t, roles{}.Find(t.Context(), &Client{iam: fake}, &query, func(found provider.Found) error {
				all = append(all, found)
				return nil
			}))
			require.Len(t, all, 1)
			require.Equal(t, labels, all[0].Labels)
			require.NotContains(t, all[0].Outputs, "tags", "what is found is not what was set")
		})
	}
	none := func(provider.Found) error { t.Fatal("nothing is to be found"); return nil }
	require.NoError(t, roles{}.Find(t.Context(), &Client{iam: fake}, &provider.Query[Role]{Name: "another"}, none))
	require.NoError(t, roles{}.Find(t.Context(), &Client{iam: fake}, &provider.Query[Role]{Labels: map[string]string{
		contract.LabelOwner: "owner-1", contract.LabelDeployID: "my-app", contract.LabelResourceID: "another",
	}}, none))
}

func TestVerifyOfARoleSeesEveryDifference(t *testing.T) {
	fake := &fakeIAM{
		role: &types.Role{
			RoleName: sdk.String("my-role"), Path: sdk.String("/"), AssumeRolePolicyDocument: sdk.String("%7B%7D"),
			MaxSessionDuration: sdk.Int32(3600), Description: sdk.String("other"),
		},
		attached: []string{other},
	}
	filled := roleOperation(t, Role{
		Path: "/x/", MaxSessionDuration: 7200, ManagedPolicies: []string{basic}, InlinePolicies: map[string]Policy{"a": policy(t, trust)},
	})
	filled.Existing = existing("my-role")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	checks, err := roles{}.Verify(ctx, &Client{iam: fake}, op)
	require.NoError(t, err)
	require.Len(t, checks, 6)
	for _, check := range checks {
		require.Equal(t, contract.CheckFail, check.Status, check.Name)
	}
}

func TestRulesBeyondTheRoleSchema(t *testing.T) {
	for name, test := range map[string]struct {
		role     Role
		pointers []string
	}{
		"good":             {Role{AssumeRolePolicy: policy(t, trust), InlinePolicies: map[string]Policy{"a": policy(t, trust)}}, nil},
		"no statement":     {Role{AssumeRolePolicy: Policy{"Version": "2012-10-17"}}, []string{"/assume_role_policy"}},
		"bad policy name":  {Role{AssumeRolePolicy: policy(t, trust), InlinePolicies: map[string]Policy{"a b": policy(t, trust)}}, []string{"/inline_policies"}},
		"empty inline one": {Role{AssumeRolePolicy: policy(t, trust), InlinePolicies: map[string]Policy{"a": {}}}, []string{"/inline_policies"}},
	} {
		t.Run(name, func(t *testing.T) {
			var pointers []string
			for _, diagnostic := range (roles{}).Validate(test.role, nil) {
				pointers = append(pointers, diagnostic.Pointer)
			}
			require.Equal(t, test.pointers, pointers)
		})
	}
}
