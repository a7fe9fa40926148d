package e2e_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestARepeatedRequestStartsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	send := func(key string, body *rest.ApplyRequest) *answer {
		return s.ask(http.MethodPost, "/deploy/apply", encode(t, body), "Idempotency-Key", key)
	}
	request := &rest.ApplyRequest{Config: config(t, "app", slowly)}
	answers := make([]*answer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = send("build-7", request) })
	}
	all.Wait()
	runID := ""
	for _, one := range answers {
		require.Equal(t, http.StatusOK, one.status, "%s", one.body)
		var result rest.RunResult
		require.NoError(t, json.Unmarshal(one.body, &result))
		require.True(t, result.Success, "each waits for the run that the first one began")
		if runID == "" {
			runID = result.RunID
		}
		require.Equal(t, runID, result.RunID)
	}
	s.Kill()
	require.NoError(t, s.Start(s.ctx))
	after := send("build-7", request)
	require.Contains(t, string(after.body), runID, "the key outlives the host")
	other := send("build-7", &rest.ApplyRequest{Config: config(t, "app", chain)})
	require.Equal(t, rest.KindInvalid, other.problem(t).Kind)
	list, err := s.Client.Runs(s.ctx, rest.RunsQuery{})
	require.NoError(t, err)
	require.Len(t, list.Runs, 1)
	require.Equal(t, 3, s.outside())
}
