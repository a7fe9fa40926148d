package aws

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

func (s *stage) plan(t *testing.T, verb contract.Verb, region string, target contract.Target) *contract.PlanResult {
	t.Helper()
	result, err := s.provider.Plan(t.Context(), &contract.PlanRequest{Context: s.context(t, region), Target: target, Verb: verb})
	require.NoError(t, err)
	require.NotContains(t, string(document(t, result)), secretKey)
	return result
}

// pointers are those of a plan's changes.
func pointers(planned *contract.PlanResult) []string {
	var all []string
	for _, change := range planned.Changes {
		all = append(all, change.Pointer)
	}
	return all
}

func (s *stage) undo(t *testing.T, region string, target contract.Target, planned *contract.PlanResult) *contract.Result {
	t.Helper()
	require.NotNil(t, planned.Record)
	result, err := s.provider.Rollback(t.Context(), &contract.RollbackRequest{
		Context: s.context(t, region), Target: target, Record: *planned.Record,
	}, func(contract.Event) {})
	require.NoError(t, err)
	return result
}

func (s *stage) undone(t *testing.T, change contract.Change, region string, target contract.Target, planned *contract.PlanResult) {
	t.Helper()
	result := s.undo(t, region, target, planned)
	require.Equal(t, contract.OutcomeApplied, result.Outcome, "%+v", result.Diagnostics)
	require.Equal(t, change, result.Change)
}

func undoneRoles(t *testing.T, s *stage) {
	properties := map[string]any{
		"role_name": "undone", "assume_role_policy": json.RawMessage(trust), "managed_policies": []string{basic}, "description": "first",
		"inline_policies": map[string]any{"logs": json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`)},
	}
	first := target(t, "aws:iam:role", "undone", properties)
	outputs := s.applied(t, contract.VerbCreate, contract.ChangeCreated, "", first)
	second := target(t, "aws:iam:role", "undone", map[string]any{
		"role_name": "undone", "assume_role_policy": json.RawMessage(trust), "managed_policies": []string{other}, "max_session_duration": 7200,
	})
	second.RecordedOutputs, second.Tags = document(t, outputs), map[string]string{"stage": "two"}
	planned := s.plan(t, contract.VerbEnsure, "", second)
	require.Equal(t, contract.ActionUpdate, planned.Action)
	require.Equal(t, []string{"/description", "/max_session_duration", "/managed_policies", "/inline_policies", "/tags"}, pointers(planned))
	require.JSONEq(t, `{"team":"a"}`, string(planned.Changes[4].Before))
	require.JSONEq(t, `{"stage":"two"}`, string(planned.Changes[4].After))
	changed := s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "", second)
	second.RecordedOutputs = document(t, changed)
	s.undone(t, contract.ChangeUpdated, "", second, planned)
	s.undone(t, contract.ChangeNone, "", second, planned)
	allPass(t, s.verify(t, "", first))

	deleted := s.plan(t, contract.VerbDelete, "", first)
	s.applied(t, contract.VerbDelete, contract.ChangeDeleted, "", first)
	s.undone(t, contract.ChangeCreated, "", first, deleted)
	allPass(t, s.verify(t, "", first))
	seen := s.readBack(t)
	for _, role := range seen.Roles {
		if role.Name == "undone" {
			require.Equal(t, "a", role.Tags["team"])
			require.NotContains(t, role.Tags, "stage")
			require.Equal(t, "first", role.Description)
			require.Equal(t, []string{"logs"}, role.InlinePolicies)
		}
	}
}

func undoneBuckets(t *testing.T, s *stage) {
	first := target(t, "aws:s3:bucket", "undone-bucket", map[string]any{"bucket_name": "undone", "versioning": true})
	outputs := s.applied(t, contract.VerbCreate, contract.ChangeCreated, "eu-west-1", first)
	second := target(t, "aws:s3:bucket", "undone-bucket", map[string]any{"bucket_name": "undone", "block_public_access": false})
	second.RecordedOutputs = document(t, outputs)
	planned := s.plan(t, contract.VerbEnsure, "eu-west-1", second)
	require.Equal(t, []string{"/block_public_access", "/versioning"}, pointers(planned))
	s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "eu-west-1", second)
	s.undone(t, contract.ChangeUpdated, "eu-west-1", second, planned)
	allPass(t, s.verify(t, "eu-west-1", first))

	deleted := s.plan(t, contract.VerbDelete, "eu-west-1", first)
	s.applied(t, contract.VerbDelete, contract.ChangeDeleted, "eu-west-1", first)
	s.undone(t, contract.ChangeCreated, "eu-west-1", first, deleted)
	allPass(t, s.verify(t, "eu-west-1", first))
	require.Equal(t, contract.OwnershipOurs, s.find(t, "eu-west-1", first)[0].Ownership)
}

// undoneFunctions get their former code from where it came from, and are left as they are where that is not there any more.
func undoneFunctions(t *testing.T, s *stage) {
	role, bucket := codeAndRole(t, s, "undone-fn", "one")
	upload := func(key, text string) {
		s.applied(t, contract.VerbEnsure, contract.ChangeCreated, "eu-west-1", target(t, "aws:s3:object", key, map[string]any{
			"bucket": bucket, "key": key, "content_base64": code(t, text),
		}))
	}
	upload("two.zip", "two")
	properties := map[string]any{
		"function_name": "undone", "runtime": "python3.12", "handler": "handler.run", "role": role, "code_s3_bucket": bucket,
		"code_s3_key": "code.zip", "environment": map[string]string{"MODE": "first", "SAME": "x"},
	}
	first := target(t, "aws:lambda:function", "undone", properties)
	outputs := s.applied(t, contract.VerbCreate, contract.ChangeCreated, "eu-west-1", first)
	first.RecordedOutputs = document(t, outputs)
	properties["code_s3_key"], properties["timeout"] = "two.zip", 20
	properties["environment"] = map[string]string{"MODE": "second", "SAME": "x"}
	second := target(t, "aws:lambda:function", "undone", properties)
	second.RecordedOutputs = document(t, outputs)
	planned := s.plan(t, contract.VerbEnsure, "eu-west-1", second)
	require.Equal(t, []string{"/timeout", "/environment/MODE", "/code_s3_key"}, pointers(planned))
	require.NotContains(t, string(document(t, planned)), "second", "an environment's values are not for reports")

	changed := s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "eu-west-1", second)
	second.RecordedOutputs = document(t, changed)
	s.undone(t, contract.ChangeUpdated, "eu-west-1", second, planned)
	s.undone(t, contract.ChangeNone, "eu-west-1", second, planned)
	allPass(t, s.verify(t, "eu-west-1", first))

	deleted := s.plan(t, contract.VerbDelete, "eu-west-1", first)
	s.applied(t, contract.VerbDelete, contract.ChangeDeleted, "eu-west-1", first)
	s.undone(t, contract.ChangeCreated, "eu-west-1", first, deleted)
	allPass(t, s.verify(t, "eu-west-1", first))

	s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "eu-west-1", second)
	s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "eu-west-1", target(t, "aws:s3:object", "code.zip", map[string]any{
		"bucket": bucket, "key": "code.zip", "content_base64": code(t, "three"),
	}))
	lost := s.undo(t, "eu-west-1", second, planned)
	require.Equal(t, provider.Unsupported, lost.Diagnostics[0].Kind)
	require.Equal(t, "/code_s3_key", lost.Diagnostics[0].Pointer)
	require.Equal(t, contract.OutcomeNotApplied, lost.Outcome)
	allPass(t, s.verify(t, "eu-west-1", second))
}

func TestASourceIsReadAsItIsWritten(t *testing.T) {
	for _, wanted := range []source{
		{bucket: "b", key: "k", etag: `"e"`}, {bucket: "b", key: "a/b c?.zip", etag: `"e-2"`, version: "v1"},
	} {
		require.Equal(t, wanted, parseSource(wanted.String()))
	}
	require.Equal(t, source{}, parseSource(""))
}
