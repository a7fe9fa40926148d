package rest_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// keys are those that a script was sent.
type keys struct {
	mu   sync.Mutex
	sent []string
}

func (k *keys) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.sent)
}

// note answers like a step, once it has noted the key.
func (k *keys) note(step http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		k.sent = append(k.sent, r.Header.Get("Idempotency-Key"))
		k.mu.Unlock()
		step(w, r)
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// half begins an answer, and loses the rest.
func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte(`{"run_id":`))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func gateway(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) }

func TestALostAnswerIsAskedForAgainUnderTheSameKey(t *testing.T) {
	for name, lost := range map[string]http.HandlerFunc{"cut": cut, "half": half, "gateway": gateway} {
		t.Run(name, func(t *testing.T) {
			var seen keys
			c, _ := client(t, seen.note(lost), seen.note(answer(200, run(rest.RunCompleted))))
			result, err := c.Apply(t.Context(), &rest.ApplyRequest{GraphID: "5bec1234"})
			require.NoError(t, err)
			require.Equal(t, rest.RunCompleted, result.Status)
			sent := seen.all()
			require.Len(t, sent, 2)
			require.NotEmpty(t, sent[0])
			require.Equal(t, sent[0], sent[1])
		})
	}
}

func TestEachCommandHasAKeyOfItsOwn(t *testing.T) {
	var seen keys
	done := seen.note(answer(200, run(rest.RunCompleted)))
	c, _ := client(t, done, done, done, seen.note(answer(200, rest.PlanResponse{})))
	for _, options := range [][]rest.CallOption{nil, nil, {rest.WithIdempotencyKey("mine")}} {
		_, err := c.Verify(t.Context(), &rest.VerifyRequest{GraphID: "5bec1234"}, options...)
		require.NoError(t, err)
	}
	_, err := c.Plan(t.Context(), &rest.PlanRequest{})
	require.NoError(t, err)
	sent := seen.all()
	require.NotEqual(t, sent[0], sent[1])
	require.Equal(t, "mine", sent[2])
	require.NotEmpty(t, sent[3])
}

func TestWhatTheHostRefusesIsNotAskedForAgain(t *testing.T) {
	for kind, status := range map[rest.Kind]int{rest.KindConflict: 409, rest.KindUnavailable: 503, rest.KindTooMany: 429} {
		c, s := client(t, problem(status, kind))
		_, err := c.Destroy(t.Context(), &rest.DestroyRequest{DeploymentID: "a"})
		require.ErrorIs(t, err, kind)
		require.Len(t, s.asked, 1)
	}
	var seen keys
	cutAgain := seen.note(cut)
	c, _ := client(t, cutAgain, cutAgain, cutAgain, cutAgain)
	_, err := c.Apply(t.Context(), &rest.ApplyRequest{})
	require.Error(t, err)
	require.Len(t, seen.all(), 3, "not for ever")
}

func TestAHostThatIsNotThereIsNotWaitedFor(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	c, err := rest.NewClient(gone.URL, rest.WithRetry(1000, 1e9, 1e9))
	require.NoError(t, err)
	_, err = c.Apply(t.Context(), &rest.ApplyRequest{})
	require.Error(t, err)
}
