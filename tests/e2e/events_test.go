package e2e_test

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// slowly is a run that takes a while: one thing after the other.
const slowly = `{
	"a": {"type": "noop:thing", "properties": {"sleep_ms": 400}},
	"b": {"type": "noop:thing", "properties": {"sleep_ms": 400}, "depends_on": ["a"]},
	"c": {"type": "noop:thing", "properties": {"sleep_ms": 400}, "depends_on": ["b"]}
}`

// frame is one server-sent event as it came.
type frame struct{ id, event string }

// stream reads a stream's frames until it ends, or enough says so.
func (s *site) stream(graphID, lastEventID string, enough func(frame) bool) (frames []frame) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/deploy/events/"+graphID, nil)
	require.NoError(s, err)
	request.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(s, http.StatusOK, response.StatusCode)
	require.Equal(s, "text/event-stream", response.Header.Get("Content-Type"))
	var next frame
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "id":
			next.id = value
		case field == "event":
			next.event = value
		case lines.Text() == "" && next != frame{}:
			frames = append(frames, next)
			if enough != nil && enough(next) {
				return frames
			}
			next = frame{}
		}
	}
	return frames
}

// versions are the events' numbers, from their ids.
func versions(t *testing.T, runID string, frames []frame) (numbers []int64) {
	for _, f := range frames {
		if f.id == "" {
			continue
		}
		of, number, err := rest.ParseEventID(f.id)
		require.NoError(t, err)
		require.Equal(t, runID, of)
		numbers = append(numbers, number)
	}
	return numbers
}

// from1 is 1, 2, ... to n.
func upTo(from, to int64) (numbers []int64) {
	for n := from; n <= to; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

func TestEventsAreReplayedAcrossARestart(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	body := encode(t, &rest.ApplyRequest{Config: config(t, "app", slowly)})
	accepted := s.ask(http.MethodPost, "/deploy/apply", body, "Prefer", "respond-async")
	require.Equal(t, http.StatusAccepted, accepted.status)
	require.Equal(t, "respond-async", accepted.header.Get("Preference-Applied"))
	runID, found := strings.CutPrefix(accepted.header.Get("Location"), "/deploy/runs/")
	require.True(t, found)
	run, err := s.Client.Run(s.ctx, runID)
	require.NoError(t, err)

	seen := s.stream(run.GraphID, "", func(f frame) bool { return f.event == "operation_ended" })
	last := seen[len(seen)-1].id
	s.Kill()
	require.NoError(t, s.Start(s.ctx))
	interrupted := s.stream(run.GraphID, last, nil)
	require.Equal(t, "end", interrupted[len(interrupted)-1].event, "the run stands")
	require.True(t, s.resume(run.GraphID).Success)

	rest := s.stream(run.GraphID, last, nil)
	require.Equal(t, "end", rest[len(rest)-1].event)
	before, after := versions(t, runID, seen), versions(t, runID, rest)
	require.Equal(t, upTo(1, int64(len(before))), before)
	require.Equal(t, upTo(before[len(before)-1]+1, after[len(after)-1]), after, "what follows the last one seen, without a gap")
	require.Equal(t, upTo(1, after[len(after)-1]), versions(t, runID, s.stream(run.GraphID, "", nil)), "and all of it again")
}

func TestAnEventThatTheHostDoesNotKnowBeginsAnew(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result := s.applied(config(t, "app", chain))
	whole := s.stream(result.GraphID, "", nil)
	for _, unknown := range []string{"deadbeef:4", result.RunID + ":100000", "nonsense"} {
		frames := s.stream(result.GraphID, unknown, nil)
		require.Equal(t, "reset", frames[0].event, unknown)
		require.Equal(t, whole, frames[1:], unknown)
	}
}

func TestALongCallAnswersWhenItsCallerWants(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	body := encode(t, &rest.ApplyRequest{Config: config(t, "app", slowly)})
	began := time.Now()
	accepted := s.ask(http.MethodPost, "/deploy/apply", body, "Prefer", "wait=1")
	require.Equal(t, http.StatusAccepted, accepted.status, "it takes longer than a second")
	require.GreaterOrEqual(t, time.Since(began), time.Second)
	runID := strings.TrimPrefix(accepted.header.Get("Location"), "/deploy/runs/")
	require.True(t, s.await(runID).Success)
}

func TestACallerWhoGoesAwayDoesNotStopARun(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx, leave := context.WithCancel(s.ctx)
	defer leave()
	failed := make(chan error, 1)
	go func() {
		_, err := s.Client.Apply(ctx, &rest.ApplyRequest{Config: config(t, "app", slowly)})
		failed <- err
	}()
	var runs *rest.RunList
	require.Eventually(t, func() (begun bool) {
		var err error
		runs, err = s.Client.Runs(s.ctx, rest.RunsQuery{DeploymentID: "app"})
		return err == nil && len(runs.Runs) == 1
	}, time.Minute, 5*time.Millisecond, "the run is there before the caller goes")
	leave()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.True(t, s.await(runs.Runs[0].RunID).Success)
	require.Equal(t, 3, s.outside())
}

func TestEventsComeInPagesToo(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result := s.applied(config(t, "app", chain))
	all := s.stream(result.GraphID, "", nil)
	after := rest.EventID(result.RunID, 3)
	page := s.ask(http.MethodGet, "/deploy/events/"+result.GraphID+"?after="+after, nil)
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, string(page.body), strconv.Quote(rest.EventID(result.RunID, 4)))
	require.NotContains(t, string(page.body), strconv.Quote(rest.EventID(result.RunID, 2)))
	require.Contains(t, string(page.body), all[len(all)-2].id)
}
