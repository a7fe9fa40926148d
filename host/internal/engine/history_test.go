package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestHistoryTellsWhoDidWhatToADeployment(t *testing.T) {
	h := build(t)
	ci, ops := h.caller, engine.Caller{Tenant: "default", Name: "ops", Role: "tenant"}
	first := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	h.caller = ops
	second := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	verified, err := h.engine.Verify(t.Context(), ops, &rest.VerifyRequest{GraphID: second.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	h.wait(verified)
	h.caller = ci
	destroyed, err := h.engine.Destroy(t.Context(), ci, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	h.wait(destroyed)
	for range 2 { // from memory, and from the store
		history, err := h.engine.History(t.Context(), ci, "app", rest.ListQuery{})
		require.NoError(t, err)
		require.True(t, history.Destroyed)
		require.Empty(t, history.NextCursor)
		require.Len(t, history.Versions, 3)
		derived, head, oldest := history.Versions[0], history.Versions[1], history.Versions[2]
		require.Equal(t, "destroy", derived.Kind)
		require.Empty(t, derived.Runs, "the run is the head's")
		require.Equal(t, []any{second.GraphID, "v2", true, "ops"}, []any{head.GraphID, head.Version, head.Head, head.CreatedBy})
		require.Equal(t, []any{first.GraphID, "v1", false, "ci"}, []any{oldest.GraphID, oldest.Version, oldest.Head, oldest.CreatedBy})
		told := [][]any{}
		for _, run := range head.Runs {
			told = append(told, []any{run.Kind, run.StartedBy, run.Status, run.Completed, run.Changed, run.PlanGraphID})
		}
		require.Equal(t, [][]any{
			{"destroy", "ci", "completed", 4, 4, derived.GraphID}, {"verify", "ops", "completed", 4, 0, ""}, {"apply", "ops", "completed", 4, 0, ""},
		}, told)
		h.restart()
	}
	_, err = h.engine.History(t.Context(), engine.Caller{Tenant: "other"}, "app", rest.ListQuery{})
	h.refused(engine.NotFound, err)
}

func TestCompareIsOfOneDeploymentAndOneTenant(t *testing.T) {
	h := build(t)
	first := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	second := h.apply(&rest.ApplyRequest{Config: h.config(`{"a": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "z"}}}`)})
	compared, err := h.engine.Compare(t.Context(), h.caller, first.GraphID, second.GraphID)
	require.NoError(t, err)
	require.Equal(t, []int{0, 2, 1, 0}, []int{compared.Added, compared.Removed, compared.Changed, compared.Unchanged})
	require.Contains(t, compared.Resources[0].Differences, rest.Difference{
		Pointer: "/properties/value", Before: json.RawMessage(`"x"`), After: json.RawMessage(`"z"`),
	})
	cfg := h.chain("create")
	cfg.DeploymentID = "other"
	other := h.apply(&rest.ApplyRequest{Config: cfg})
	_, err = h.engine.Compare(t.Context(), h.caller, first.GraphID, other.GraphID)
	h.refused(engine.Invalid, err)
	_, err = h.engine.Compare(t.Context(), engine.Caller{Tenant: "other"}, first.GraphID, second.GraphID)
	h.refused(engine.NotFound, err)
}

// TestAPageLosesNoRowAndGivesNoneTwice: whatever the pages' sizes, and while more is added in front, a walk through a list gives
// each row that was there when it began, once, newest first.
func TestAPageLosesNoRowAndGivesNoneTwice(t *testing.T) {
	h := build(t)
	stored := 0
	plan := func() {
		cfg, keep := h.chain("ensure"), false
		cfg.DeploymentID = fmt.Sprintf("app-%d", stored)
		stored++
		_, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: cfg, ValidateOnly: &keep})
		require.NoError(t, err)
	}
	for range 9 {
		plan()
	}
	rapid.Check(t, func(rt *rapid.T) {
		limit, adds := rapid.IntRange(1, 12).Draw(rt, "limit"), rapid.IntRange(0, 1).Draw(rt, "adds")
		there, query := stored, rest.ListQuery{Limit: limit}
		var seen []string
		for {
			list, err := h.engine.Deployments(t.Context(), h.caller, query)
			require.NoError(rt, err)
			require.LessOrEqual(rt, len(list.Deployments), limit)
			for _, d := range list.Deployments {
				seen = append(seen, d.DeploymentID)
			}
			if query.Cursor = list.NextCursor; query.Cursor == "" {
				break
			}
			require.Len(rt, list.Deployments, limit, "only the last page is short")
			if stored < 40 && adds > 0 {
				plan()
			}
		}
		var want []string
		for i := range there {
			want = append(want, fmt.Sprintf("app-%d", i))
		}
		slices.Reverse(want)
		require.Equal(rt, want, seen)
	})
	_, err := h.engine.Deployments(t.Context(), h.caller, rest.ListQuery{Cursor: "app-none"})
	h.refused(engine.NotFound, err)
}

// TestEventsAreReadOnFromAnywhere: whatever the pages begin behind, they give what follows, once and in order, to the end.
func TestEventsAreReadOnFromAnywhere(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	whole := h.eventsOf(applied.GraphID, applied.RunID)
	rapid.Check(t, func(rt *rapid.T) {
		after := rapid.IntRange(0, len(whole)).Draw(rt, "after")
		last := ""
		if after > 0 {
			last = whole[after-1].ID
		}
		stream, err := h.engine.Events(t.Context(), h.caller, applied.GraphID, "", last)
		require.NoError(rt, err)
		require.False(rt, stream.Reset)
		var rest []string
		for done := false; !done; {
			events, atRest, err := stream.Next(t.Context())
			require.NoError(rt, err)
			done = atRest
			for _, event := range events {
				rest = append(rest, event.ID)
			}
		}
		var want []string
		for _, event := range whole[after:] {
			want = append(want, event.ID)
		}
		require.Equal(rt, want, rest)
	})
}

// TestRunsAreFilteredBeforeTheyArePaged: a page of what a filter lets through is full, but for the last one.
func TestRunsAreFilteredBeforeTheyArePaged(t *testing.T) {
	h := build(t)
	var verifications, applies []string
	for range 3 {
		applied := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
		applies = append([]string{applied.RunID}, applies...)
		for range 2 {
			verified, err := h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: applied.GraphID, Credentials: noCredentials})
			require.NoError(t, err)
			verifications = append([]string{h.wait(verified).RunID}, verifications...)
		}
	}
	walk := func(query rest.RunsQuery) (ids []string, pages int) {
		for {
			list, err := h.engine.Runs(t.Context(), h.caller, query)
			require.NoError(t, err)
			pages++
			for _, run := range list.Runs {
				ids = append(ids, run.RunID)
			}
			if query.Cursor = list.NextCursor; query.Cursor == "" {
				return ids, pages
			}
			require.Len(t, list.Runs, query.Limit)
		}
	}
	ids, pages := walk(rest.RunsQuery{Kind: "verify", ListQuery: rest.ListQuery{Limit: 2}})
	require.Equal(t, verifications, ids)
	require.Equal(t, 3, pages, "no page is empty")
	ids, _ = walk(rest.RunsQuery{Kind: "apply", DeploymentID: "app", Status: "completed", ListQuery: rest.ListQuery{Limit: 1}})
	require.Equal(t, applies, ids)
	ids, _ = walk(rest.RunsQuery{Kind: "apply", DeploymentID: "other", ListQuery: rest.ListQuery{Limit: 1}})
	require.Empty(t, ids)
}
