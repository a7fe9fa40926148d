package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestPreferDecidesHowLongToWait(t *testing.T) {
	tests := []struct {
		name, prefer string
		running      bool
		want         int
		applied      string
	}{
		{"final by default", "", false, 200, ""},
		{"async", "respond-async", false, 202, "respond-async"},
		{"wait, done", "wait=10", false, 200, "wait=10"},
		{"wait, too short", "wait=0", true, 202, "wait=0"},
		{"async and wait, done", "respond-async, wait=10", false, 200, "wait=10"},
		{"unknown preferences are ignored", "speed=high, wait=-1, wait=x", false, 200, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := serve(t)
			if test.running {
				h.engine.settled = make(chan struct{})
			}
			reply := h.do(t, "POST", "/deploy/apply", applyBody, "Prefer", test.prefer)
			require.Equal(t, test.want, reply.StatusCode, reply.body)
			require.Equal(t, test.applied, reply.Header.Get("Preference-Applied"))
			if test.want == http.StatusAccepted {
				require.Equal(t, "/deploy/runs/"+runID, reply.Header.Get("Location"))
				require.Contains(t, reply.body, `"status":"running"`)
			}
		})
	}
}

func TestWaitEndsWithAccepted(t *testing.T) {
	h := serve(t)
	h.engine.settled = make(chan struct{})
	started := time.Now()
	reply := h.do(t, "POST", "/deploy/apply", applyBody, "Prefer", "wait=1")
	require.Equal(t, http.StatusAccepted, reply.StatusCode)
	require.GreaterOrEqual(t, time.Since(started), time.Second)
}

func TestWhatStandsAlreadyIsAnsweredAtOnce(t *testing.T) {
	h := serve(t)
	h.engine.settled = make(chan struct{})
	h.engine.status = rest.RunPaused
	reply := h.do(t, "POST", "/deploy/apply", applyBody)
	require.Equal(t, http.StatusOK, reply.StatusCode)
	require.Contains(t, reply.body, `"status":"paused"`)
}

func TestClientThatGoesAwayEndsOnlyItsWait(t *testing.T) {
	h := serve(t)
	h.engine.settled = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "POST", h.URL+"/deploy/apply", strings.NewReader(applyBody))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	failed := make(chan error)
	go func() {
		_, err := h.Client().Do(request)
		failed <- err
	}()
	require.Eventually(t, func() bool {
		h.engine.mu.Lock()
		defer h.engine.mu.Unlock()
		return len(h.engine.asked) == 1
	}, 5*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.NotContains(t, h.log.String(), "request failed")
}
