package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Two versions: the second changes first and, by reference, second; deletes third; makes fourth.
const (
	versionOne = `{
		"first":  {"type": "noop:thing", "operation": "ensure", "properties": {"value": "a"}},
		"second": {"type": "noop:regional", "operation": "ensure", "references": {"from": "first.value"}},
		"third":  {"type": "noop:thing", "operation": "ensure", "properties": {"value": "c"}, "depends_on": ["second"]}
	}`
	versionTwo = `{
		"first":  {"type": "noop:thing", "operation": "ensure", "properties": {"value": "z"}},
		"second": {"type": "noop:regional", "operation": "ensure", "references": {"from": "first.value"}},
		"third":  {"type": "noop:thing", "operation": "delete", "depends_on": ["second"]},
		"fourth": {"type": "noop:thing", "operation": "create", "properties": {"value": "d", "sleep_ms": SLEEP}, "depends_on": ["third"]}
	}`
)

// values are what exists, by resource id and region.
func (s *site) values() map[string]string {
	held := map[string]string{}
	for _, thing := range s.read() {
		held[thing.Labels[contract.LabelResourceID]+"@"+thing.Region] = thing.Value
	}
	return held
}

func versionTwoTaking(milliseconds string) string {
	return strings.ReplaceAll(versionTwo, "SLEEP", milliseconds)
}

func TestAPreviewOverHTTPSaysWhatApplyThenDoes(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.applied(config(t, "app", versionOne))
	before := s.values()
	plan, err := s.Client.Plan(s.ctx, &rest.PlanRequest{Config: config(t, "app", versionTwoTaking("0"))})
	require.NoError(t, err)
	require.True(t, plan.ProvidersAsked)
	require.Equal(t, map[string]int{"update": 1, "no_op": 2, "delete": 1, "create": 1}, plan.Actions,
		"second is compared with what first holds now")
	require.Equal(t, before, s.values(), "a plan changes nothing")
	for _, operation := range plan.Operations {
		if operation.ResourceID == "first" {
			require.Len(t, operation.Changes, 1)
			require.Equal(t, `"a" "z"`, string(operation.Changes[0].Before)+" "+string(operation.Changes[0].After))
		}
	}
	applied := s.applied(config(t, "app", versionTwoTaking("0")))
	require.Equal(t, map[string]int{"updated": 3, "deleted": 1, "created": 1}, count(applied.Changes))
	conflict, err := s.Client.Plan(s.ctx, &rest.PlanRequest{Config: config(t, "app", versionTwoTaking("0"))})
	require.NoError(t, err)
	require.True(t, conflict.Success)
	require.Equal(t, 1, conflict.Conflicts, "fourth is to be created, and is there")
}

func count(changes map[string]string) map[string]int {
	counts := map[string]int{}
	for _, change := range changes {
		counts[change]++
	}
	return counts
}

func TestARollbackOverHTTPBringsTheLastVersionBack(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	one := s.applied(config(t, "app", versionOne))
	before := s.values()
	two := s.applied(config(t, "app", versionTwoTaking("0")))
	require.NotEqual(t, before, s.values())
	request := &rest.RollbackRequest{GraphID: two.GraphID, Credentials: noCredentials()}
	result, err := s.Client.Rollback(s.ctx, request)
	require.NoError(t, err)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, two.RunID, result.Undoes)
	require.Equal(t, before, s.values())
	deployments, err := s.Client.Deployments(s.ctx, rest.ListQuery{})
	require.NoError(t, err)
	require.Equal(t, one.GraphID, deployments.Deployments[0].HeadGraphID)
	again := s.ask(http.MethodPost, "/deploy/rollback", encode(t, rest.RollbackRequest{DeploymentID: "app", Credentials: noCredentials()}))
	require.Equal(t, http.StatusConflict, again.problem(t).Status)
	require.Equal(t, before, s.values())
	verified, err := s.Client.Verify(s.ctx, &rest.VerifyRequest{GraphID: one.GraphID, Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, verified.Success)
}

func TestARunThatItsHostDiedOfIsTakenBack(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	one := s.applied(config(t, "app", versionOne))
	before := s.values()
	run := s.begin(config(t, "app", versionTwoTaking("3000")))
	s.until("the new thing is being made", func() bool { return s.statuses(run.GraphID)["fourth"] == "running" })
	s.until("the new thing is there", func() bool { _, there := s.values()["fourth@"]; return there })
	s.Kill()
	require.NoError(t, s.Start(s.ctx), "%s", s.log())
	result, err := s.Client.Rollback(s.ctx, &rest.RollbackRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err)
	require.Equal(t, "rollback", result.Kind)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, before, s.values())
	status, err := s.Client.Status(s.ctx, one.GraphID, "")
	require.NoError(t, err)
	text, err := json.Marshal(status)
	require.NoError(t, err)
	require.Contains(t, string(text), `"status":"completed"`)
}
