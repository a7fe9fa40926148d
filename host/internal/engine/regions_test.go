package engine_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// everywhere keeps what was executed, in order, as "resource@region verb", and can refuse some of it after a while.
type everywhere struct {
	contract.Provider
	mu     sync.Mutex
	done   []string
	target map[string]contract.Target
	refuse map[string]time.Duration // "resource@region", and how long that takes
	takes  time.Duration            // what everything else takes
}

func (e *everywhere) Execute(ctx context.Context, request *contract.ExecuteRequest, emit func(contract.Event)) (*contract.Result, error) {
	where := request.Target.Labels[contract.LabelResourceID] + "@" + request.Context.Region
	e.mu.Lock()
	e.done = append(e.done, where+" "+string(request.Verb))
	e.target[where] = request.Target
	after, refused := e.refuse[where]
	takes := e.takes
	e.mu.Unlock()
	if refused {
		time.Sleep(after)
		d := contract.New(contract.KindPermissionDenied, "not here").Diagnostic
		return &contract.Result{Outcome: contract.OutcomeNotApplied, Diagnostics: []contract.Diagnostic{d}}, nil
	}
	time.Sleep(takes)
	return e.Provider.Execute(ctx, request, emit)
}

// since gives what was executed since it was last asked.
func (e *everywhere) since() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	done := e.done
	e.done = nil
	slices.Sort(done)
	return done
}

func buildEverywhere(t *testing.T) (*house, *everywhere) {
	h := build(t)
	e := &everywhere{Provider: h.plugins.Provider, target: map[string]contract.Target{}, refuse: map[string]time.Duration{}}
	h.plugins.Provider = e
	return h, e
}

// placed gives the state of every placement that is on record, by "resource@region".
func (h *house) placed() map[string]store.PlacementState {
	resources, err := h.store.Resources(h.t.Context(), "default", "app")
	require.NoError(h.t, err)
	states := map[string]store.PlacementState{}
	for _, r := range resources {
		for _, p := range r.Placements {
			states[r.ResourceID+"@"+p.Region] = p.State
		}
	}
	return states
}

// in is a configuration for some regions.
func (h *house) in(resources string, regions ...string) *rest.Config {
	cfg := h.config(resources)
	cfg.Targets[0].Regions = regions
	return cfg
}

const spread = `{
	"role": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "r"}},
	"base": {"type": "noop:regional", "operation": "ensure", "references": {"from": "role.value"}},
	"api": {"type": "noop:regional", "operation": "ensure", "references": {"from": "base.id"}},
	"here": {"type": "noop:thing", "operation": "ensure", "references": {"from": "api@eu-west-1.id"}},
	"first": {"type": "noop:thing", "operation": "ensure", "references": {"from": "api.id"}}}`

func TestRegionsGoPairByPairAndAreReadByName(t *testing.T) {
	h, e := buildEverywhere(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.in(spread, "us-east-1", "eu-west-1", "ap-south-1")})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	require.Equal(t, 9, h.outside())
	require.Contains(t, strings.Join(applied.Warnings, " "), "first reads api in us-east-1, the first of its 3 regions")
	ids := map[string]string{}
	for _, operation := range h.status(applied.GraphID).Operations {
		ids[operation.ResourceID+"@"+operation.Region] = operation.Identity
		for _, before := range operation.DependsOn {
			if operation.ResourceID == "api" {
				require.True(t, strings.HasSuffix(before, "@"+operation.Region), "a region waits for its own: %s", before)
			}
		}
		if operation.ResourceID == "here" {
			require.Len(t, operation.DependsOn, 3, "one thing waits for all regions of another")
		}
	}
	read := func(where string) (value string) {
		var properties struct{ Value string }
		require.NoError(t, json.Unmarshal(e.target[where].Properties, &properties))
		return properties.Value
	}
	for _, region := range []string{"us-east-1", "eu-west-1", "ap-south-1"} {
		require.Equal(t, ids["base@"+region], read("api@"+region))
		require.Equal(t, "r", read("base@"+region))
	}
	require.Equal(t, ids["api@eu-west-1"], read("here@"))
	require.Equal(t, ids["api@us-east-1"], read("first@"))
}

// TestOneRegionFails: what failed, what waits for it, what was in flight beside it and what had not begun are told apart exactly,
// and going on does what is open and nothing else.
func TestOneRegionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := buildEverywhere(t)
		e.takes, e.refuse["base@eu-west-1"] = 2*time.Second, 3*time.Second
		failed := h.apply(&rest.ApplyRequest{Config: h.in(spread, "us-east-1", "eu-west-1", "ap-south-1")})
		require.Equal(t, rest.RunFailed, failed.Status)
		require.Equal(t, "base", failed.FailedOperation.ResourceID)
		require.Equal(t, "eu-west-1", failed.FailedOperation.Region)
		require.Equal(t, map[string]string{
			"role": "completed", "base@us-east-1": "completed", "base@eu-west-1": "failed", "base@ap-south-1": "completed",
			"api@us-east-1": "completed", "api@eu-west-1": "blocked", "api@ap-south-1": "completed", "here": "blocked", "first": "blocked",
		}, h.standing(failed.GraphID), "what was in flight finished")
		require.Equal(t, map[string]store.PlacementState{
			"role@": store.Live, "base@us-east-1": store.Live, "base@eu-west-1": store.Planned, "base@ap-south-1": store.Live,
			"api@us-east-1": store.Live, "api@eu-west-1": store.Planned, "api@ap-south-1": store.Live, "here@": store.Planned, "first@": store.Planned,
		}, withoutMaybe(h.placed()))
		require.Equal(t, 5, h.outside())
		e.since()

		delete(e.refuse, "base@eu-west-1")
		h.restart()
		resumed := h.apply(&rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
		require.True(t, resumed.Success, "%+v", resumed.FailedOperation)
		require.Equal(t, []string{"api@eu-west-1 ensure", "base@eu-west-1 ensure", "first@ ensure", "here@ ensure"}, e.since())
		require.Equal(t, 9, h.outside())
	})
}

// withoutMaybe reads what an attempt may have made, and proved not to have, as planned.
func withoutMaybe(states map[string]store.PlacementState) map[string]store.PlacementState {
	for where, state := range states {
		if state == store.Maybe {
			states[where] = store.Planned
		}
	}
	return states
}

func TestDestroyGoesThroughAllRegions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := buildEverywhere(t)
		require.True(t, h.apply(&rest.ApplyRequest{Config: h.in(spread, "us-east-1", "eu-west-1")}).Success)
		e.takes, e.refuse["api@us-east-1"] = time.Second, 3*time.Second
		destroy := func() *rest.RunResult {
			begun, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
			require.NoError(t, err)
			return h.wait(begun)
		}
		failed := destroy()
		require.Equal(t, rest.RunFailed, failed.Status)
		require.Equal(t, map[string]store.PlacementState{
			"role@": store.Live, "base@us-east-1": store.Live, "base@eu-west-1": store.Gone,
			"api@us-east-1": store.Live, "api@eu-west-1": store.Gone, "here@": store.Gone, "first@": store.Gone,
		}, h.placed(), "the other region was not kept waiting, and what is still needed stays")
		require.Equal(t, 3, h.outside())
		e.since()
		delete(e.refuse, "api@us-east-1")
		require.True(t, destroy().Success)
		require.Equal(t, []string{"api@us-east-1 delete", "base@us-east-1 delete", "role@ delete"}, e.since())
		require.Zero(t, h.outside())
	})
}

func TestANewVersionInOtherRegions(t *testing.T) {
	h, e := buildEverywhere(t)
	only := `{"base": {"type": "noop:regional", "operation": "ensure", "properties": {"name": "n", "value": "v"}}}`
	first := h.apply(&rest.ApplyRequest{Config: h.in(only, "us-east-1", "eu-west-1")})
	require.True(t, first.Success)
	e.since()
	second := h.apply(&rest.ApplyRequest{Config: h.in(only, "us-east-1", "ap-south-1")})
	require.True(t, second.Success)
	require.Equal(t, []string{"base@ap-south-1 ensure", "base@us-east-1 ensure"}, e.since())
	require.Equal(t, 1, second.Unchanged)
	require.Equal(t, []string{`resource "base" (noop:regional) is deployed in eu-west-1 too, which is no target of it any more: it stays there until it is destroyed`},
		[]string(second.Warnings))
	require.Equal(t, 3, h.outside())
	begun, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(begun).Success)
	require.Equal(t, []string{"base@ap-south-1 delete", "base@eu-west-1 delete", "base@us-east-1 delete"}, e.since())
	require.Zero(t, h.outside(), "it is destroyed wherever it is")
}
