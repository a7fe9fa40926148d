package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestTimeIsUTCWithMilliseconds(t *testing.T) {
	moment := time.Date(2026, 11, 22, 4, 5, 6, 7_000_000, time.FixedZone("", 3600))
	text, err := json.Marshal(rest.At(moment))
	require.NoError(t, err)
	require.Equal(t, `"2026-11-22T03:05:06.007Z"`, string(text))

	var back rest.Time
	require.NoError(t, json.Unmarshal(text, &back))
	require.True(t, moment.Equal(back.Time))
	require.Error(t, json.Unmarshal([]byte(`"yesterday"`), &back))
	require.NoError(t, json.Unmarshal([]byte(`null`), &back))
	require.True(t, back.IsZero())
}

func TestEmptyListsAndMapsAreNeverNull(t *testing.T) {
	text, err := json.Marshal(rest.PlanResponse{})
	require.NoError(t, err)
	require.NotContains(t, string(text), "null")

	text, err = json.Marshal(rest.RunResult{})
	require.NoError(t, err)
	require.Contains(t, string(text), `"outputs":{}`)
	require.Contains(t, string(text), `"failed_operation":null`)
	require.NotContains(t, string(text), "started_at")
}

func TestCredentialsPrintHidden(t *testing.T) {
	request := rest.ApplyRequest{Credentials: rest.Credentials{"aws": json.RawMessage(`"canary"`)}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(format, request.Credentials), "canary")
		require.NotContains(t, fmt.Sprintf(format, request), "canary")
	}
}

func TestResourcesKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfDistinct(rapid.StringMatching(`[A-Za-z0-9_-]{1,8}`), rapid.ID[string]).Draw(t, "ids")
		resources := rest.Resources{}
		for _, id := range ids {
			resources = append(resources, rest.NamedResource{ID: id, Definition: rest.Resource{
				Type: "t", DependsOn: []rest.Dependency{{Resource: "a"}, {Resource: "b", EdgeType: "pause"}},
			}})
		}
		text, err := json.Marshal(resources)
		require.NoError(t, err)
		var back rest.Resources
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, resources, back)
	})
}

func TestEventIDs(t *testing.T) {
	run, version, err := rest.ParseEventID(rest.EventID("aaaa1111", 42))
	require.NoError(t, err)
	require.Equal(t, "aaaa1111", run)
	require.EqualValues(t, 42, version)
	for _, bad := range []string{"", ":", "a", "a:", ":1", "a:x", "a:-1"} {
		_, _, err := rest.ParseEventID(bad)
		require.Error(t, err, bad)
	}
}

func TestProblemErrorsMatchByKind(t *testing.T) {
	err := fmt.Errorf("apply: %w", &rest.ProblemError{Problem: rest.Problem{
		Kind: rest.KindConflict, Title: "Conflict", RunID: "aaaa1111",
	}})
	require.ErrorIs(t, err, rest.KindConflict)
	require.NotErrorIs(t, err, rest.KindInvalid)
	var problem *rest.ProblemError
	require.True(t, errors.As(err, &problem))
	require.Equal(t, "aaaa1111", problem.RunID)
}
