package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestADeploymentFromPlanToDestroy(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := config(t, "app", chain)

	plan, err := s.Client.Plan(s.ctx, &rest.PlanRequest{Config: c})
	require.NoError(t, err)
	require.True(t, plan.Success, "%v", plan.ValidationErrors)
	require.Len(t, plan.Operations, chainSize)
	require.Len(t, plan.Groups, 3)
	require.Empty(t, plan.SpecGraphID, "a plan that only validates is not stored")
	require.True(t, plan.CredentialsChecked)
	require.Zero(t, s.outside())

	applied := s.applied(c)
	require.Equal(t, chainSize, applied.Changed)
	require.Equal(t, chainSize, s.outside())
	require.Equal(t, map[string]string{
		"first": "completed", "second@us-east-1": "completed", "second@eu-west-1": "completed", "third": "completed",
	}, s.statuses(applied.GraphID))
	s.labelledAndLinked(applied)

	verified, err := s.Client.Verify(s.ctx, &rest.VerifyRequest{GraphID: applied.GraphID, Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, verified.Success)
	require.Len(t, verified.Checks, chainSize)

	s.ensuredTwice(chain)

	destroyed, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, destroyed.Success)
	require.Empty(t, destroyed.LeftOver)
	require.Zero(t, s.outside())
	again, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err, "what is gone already is a success")
	require.True(t, again.Success)
	_, err = s.Client.Apply(s.ctx, &rest.ApplyRequest{GraphID: applied.GraphID, Credentials: noCredentials()})
	require.ErrorIs(t, err, rest.KindConflict, "what was destroyed does not come back by its graph")
}

// labelledAndLinked looks at the things themselves: whose they are, and that a reference was filled in from what was made.
func (s *site) labelledAndLinked(applied *rest.RunResult) {
	things := s.read()
	require.Len(s, things, chainSize)
	byResource := map[string][]item{}
	for _, thing := range things {
		require.Equal(s, "app", thing.Labels[contract.LabelDeployID])
		require.Equal(s, applied.GraphID, thing.Labels[contract.LabelGraphID])
		require.Regexp(s, "^[0-9a-f]{8}$", thing.Labels[contract.LabelNodeID])
		require.NotEmpty(s, thing.Labels[contract.LabelOwner])
		byResource[thing.Labels[contract.LabelResourceID]] = append(byResource[thing.Labels[contract.LabelResourceID]], thing)
	}
	first := byResource["first"][0]
	require.Equal(s, "one-"+first.Labels[contract.LabelNodeID], first.Name)
	require.Len(s, byResource["second"], len(regions))
	for _, second := range byResource["second"] {
		require.Equal(s, first.ID, second.Value)
		require.Contains(s, regions, second.Region)
	}
}

// item is a thing as the provider writes it down.
type item struct {
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Region string            `json:"region"`
	Value  string            `json:"value"`
	Labels map[string]string `json:"labels"`
}

func (s *site) read() (all []item) {
	paths, err := filepath.Glob(filepath.Join(s.things, "*", "*.json"))
	require.NoError(s, err)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(s, err)
		var it item
		require.NoError(s, json.Unmarshal(content, &it))
		all = append(all, it)
	}
	return all
}

// ensuredTwice posts what a pipeline posts at every push: nothing changes, until something does.
func (s *site) ensuredTwice(resources string) {
	ensured := strings.ReplaceAll(resources, `"type"`, `"operation": "ensure", "type"`)
	before := s.read()
	unchanged := s.applied(config(s.T, "app", ensured))
	require.Equal(s, chainSize, unchanged.Unchanged)
	require.Equal(s, before, s.read())

	changed := s.applied(config(s.T, "app", strings.Replace(ensured, `"value": "c"`, `"value": "d"`, 1)))
	require.Equal(s, 1, changed.Changed)
	require.Equal(s, chainSize, s.outside())
	require.Equal(s, "v3", changed.Version)
}

func TestACreateOfWhatIsThereIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.applied(config(t, "app", chain))
	second := s.apply(config(t, "app", chain))
	require.False(t, second.Success)
	require.Equal(t, "already_exists", second.FailedOperation.ErrorType)
	require.Equal(t, chainSize, s.outside())
}

func TestAStoredPlanIsAppliedAsItStands(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	keep := false
	plan, err := s.Client.Plan(s.ctx, &rest.PlanRequest{Config: config(t, "app", chain), ValidateOnly: &keep})
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{8}$", plan.SpecGraphID)
	s.restart()
	stored, err := s.Client.StoredPlan(s.ctx, plan.SpecGraphID)
	require.NoError(t, err)
	require.Len(t, stored.Operations, len(plan.Operations))
	for i := range stored.Operations {
		require.Equal(t, "create", plan.Operations[i].Action)
		require.Empty(t, stored.Operations[i].Action, "nobody was asked")
		require.Equal(t, plan.Operations[i].ID, stored.Operations[i].ID)
	}
	again, err := s.Client.Plan(s.ctx, &rest.PlanRequest{GraphID: plan.SpecGraphID, Credentials: noCredentials()})
	require.NoError(t, err)
	require.Equal(t, plan.Operations, again.Operations)
	status, err := s.Client.Status(s.ctx, plan.SpecGraphID, "")
	require.NoError(t, err)
	require.Equal(t, "planned", status.Status)
	result := s.resume(plan.SpecGraphID)
	require.True(t, result.Success)
	require.Equal(t, plan.SpecGraphID, result.GraphID)
}

func TestADryRunDoesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{Config: config(t, "app", chain), Mode: rest.ModeDryRun})
	require.NoError(t, err)
	require.True(t, result.Success)
	require.Equal(t, chainSize, result.Pending)
	require.Empty(t, result.GraphID)
	require.Zero(t, s.outside())
	require.Zero(t, s.rows()["graphs"])
}

func TestAFailureBlocksWhatIsBehindItAndResumeGoesOn(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result := s.apply(config(t, "app", `{
		"root":    {"type": "noop:thing"},
		"broken":  {"type": "noop:thing", "properties": {"fail": "permission_denied", "fail_times": 1}, "depends_on": ["root"]},
		"behind":  {"type": "noop:regional", "depends_on": ["broken"]},
		"further": {"type": "noop:thing", "depends_on": ["behind"]},
		"slow":    {"type": "noop:thing", "properties": {"sleep_ms": 300}}
	}`))
	require.False(t, result.Success)
	require.Equal(t, rest.RunFailed, result.Status)
	require.Equal(t, "broken", result.FailedOperation.ResourceID)
	require.Equal(t, "permission_denied", result.FailedOperation.ErrorType)
	require.Equal(t, map[string]string{
		"root": "completed", "broken": "failed", "behind@us-east-1": "blocked", "behind@eu-west-1": "blocked", "further": "blocked",
		"slow": "completed", // what is in flight finishes
	}, s.statuses(result.GraphID))
	require.Equal(t, 2, s.outside())

	resumed := s.resume(result.GraphID)
	require.True(t, resumed.Success, "%+v", resumed.FailedOperation)
	require.Equal(t, result.RunID, resumed.RunID)
	require.Equal(t, 6, s.outside())
}

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result := s.applied(config(t, "app", `{"shaky": {"type": "noop:thing", "properties": {"fail": "network", "fail_times": 2}}}`))
	status, err := s.Client.Status(s.ctx, result.GraphID, "")
	require.NoError(t, err)
	require.Equal(t, 3, status.Operations[0].Attempt)
	require.Equal(t, 1, s.outside())
}

func TestOneRunADeploymentAtATime(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	slow := `{"slow": {"type": "noop:thing", "operation": "ensure", "properties": {"sleep_ms": 1000}}}`
	running := s.begin(config(t, "app", slow))
	for _, request := range []struct{ path, body string }{
		{"/deploy/apply", string(encode(t, &rest.ApplyRequest{Config: config(t, "app", slow)}))},
		{"/deploy/apply", `{"graph_id": "` + running.GraphID + `", "credentials": {"noop": {}}}`},
		{"/deploy/destroy", `{"deployment_id": "app", "credentials": {"noop": {}}}`},
	} {
		refused := s.ask(http.MethodPost, request.path, []byte(request.body))
		problem := refused.problem(t)
		require.Equal(t, http.StatusConflict, problem.Status)
		require.Equal(t, running.RunID, problem.RunID)
	}
	other := s.begin(config(t, "other", slow)) // another deployment is not held up
	require.True(t, s.await(running.RunID).Success)
	require.True(t, s.await(other.RunID).Success)
	require.Equal(t, 2, s.outside())
}

func TestOutputsAndViews(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result := s.applied(config(t, "app", chain))
	outputs, err := s.Client.Outputs(s.ctx, result.GraphID, "", "second")
	require.NoError(t, err)
	require.Len(t, outputs.Outputs, len(regions))
	for _, view := range []string{"spec", "execution"} {
		for _, format := range []string{"json", "mgraph", "dot", "mermaid"} {
			shown := s.ask(http.MethodGet, "/deploy/graph/"+result.GraphID+"?view="+view+"&format="+format, nil)
			require.Equal(t, http.StatusOK, shown.status, view+" "+format)
			for i, region := range regions {
				require.Contains(t, string(shown.body), region, "%s %s %d", view, format, i)
			}
		}
	}
	types, err := s.Client.ResourceTypes(s.ctx)
	require.NoError(t, err)
	require.NotEmpty(t, types.ResourceTypes)
	list, err := s.Client.Deployments(s.ctx, rest.ListQuery{})
	require.NoError(t, err)
	require.Equal(t, result.GraphID, list.Deployments[0].HeadGraphID)
}
