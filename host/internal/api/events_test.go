package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/api"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func event(version int64) rest.Event {
	return rest.Event{ID: rest.EventID(runID, version), RunID: runID, Version: version, Kind: rest.EventProgress, Message: "a\nb"}
}

func get(t *testing.T, h *host, path string, headers ...string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", h.URL+path, nil)
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := h.Client().Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestEventsAreReplayedAndEnd(t *testing.T) {
	var asked string
	h := serve(t, api.FeedOf(func(_, _, after string) *api.Feed {
		asked = after
		return scripted(false, []rest.Event{event(1), event(2)}, []rest.Event{event(3)})
	}))
	reply := h.do(t, "GET", "/deploy/events/5bec1234", "", "Last-Event-ID", "7ac40001:0")
	require.Equal(t, "text/event-stream", reply.Header.Get("Content-Type"))
	var ids []string
	for line := range strings.Lines(reply.body) {
		if id, found := strings.CutPrefix(line, "id: "); found {
			ids = append(ids, strings.TrimSpace(id))
		}
		if data, found := strings.CutPrefix(line, "data: "); found {
			require.True(t, json.Valid([]byte(data)), line)
		}
	}
	require.Equal(t, []string{"7ac40001:1", "7ac40001:2", "7ac40001:3"}, ids)
	require.True(t, strings.HasSuffix(reply.body, "event: end\ndata: {\"run_id\":\"7ac40001\"}\n\n"), reply.body)
	require.Equal(t, "7ac40001:0", asked)
}

func TestUnknownIDResets(t *testing.T) {
	var asked []string
	h := serve(t, api.FeedOf(func(graph, run, after string) *api.Feed {
		asked = []string{graph, run, after}
		return scripted(true, []rest.Event{event(1)})
	}))
	reply := h.do(t, "GET", "/deploy/events/5bec1234?after=other:9&run=7ac40001", "", "Accept", "text/event-stream")
	require.Contains(t, reply.body, "event: reset\n")
	require.Less(t, strings.Index(reply.body, "event: reset"), strings.Index(reply.body, "id: 7ac40001:1"))
	require.Equal(t, []string{"5bec1234", "7ac40001", "other:9"}, asked)
}

func TestSilentStreamIsKeptAlive(t *testing.T) {
	release := make(chan struct{})
	h := serve(t, func(o *api.Options) { o.Heartbeat = time.Millisecond }, always(blocking(release)))
	response := get(t, h, "/deploy/events/5bec1234")
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() && lines.Text() != ": heartbeat" {
	}
	require.Equal(t, ": heartbeat", lines.Text())
	close(release)
	rest, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, string(rest), "event: end")
}

func TestFollowerThatGoesIsLetGo(t *testing.T) {
	gone := make(chan struct{})
	h := serve(t, always(api.NewFeed(runID, false, func(ctx context.Context) ([]rest.Event, bool, error) {
		<-ctx.Done()
		close(gone)
		return nil, false, ctx.Err()
	})))
	response := get(t, h, "/deploy/events/5bec1234")
	require.NoError(t, response.Body.Close())
	<-gone
}

// TestSlowFollowerIsCutOff reads nothing of an endless stream: the host must give it up, not keep it.
func TestSlowFollowerIsCutOff(t *testing.T) {
	var version atomic.Int64
	gone := make(chan struct{})
	large := strings.Repeat("x", 1<<16)
	endless := api.NewFeed(runID, false, func(ctx context.Context) ([]rest.Event, bool, error) {
		next := event(version.Add(1))
		if next.Version == 1 {
			context.AfterFunc(ctx, func() { close(gone) })
		}
		next.Message = large
		return []rest.Event{next}, false, nil
	})
	h := serve(t, func(o *api.Options) { o.FollowTimeout = 50 * time.Millisecond }, always(endless))
	connection, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	_, err = fmt.Fprintf(connection, "GET /deploy/events/5bec1234 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Fatal("the follower was kept")
	}
}

func TestFollowingLeavesTheConnectionWhole(t *testing.T) {
	const timeout = 20 * time.Millisecond
	h := serve(t, func(o *api.Options) { o.FollowTimeout = timeout }, always(scripted(false, []rest.Event{event(1)})))
	h.do(t, "GET", "/deploy/events/5bec1234", "")
	time.Sleep(2 * timeout)
	require.Equal(t, http.StatusOK, h.do(t, "GET", "/deployments", "").StatusCode, "the deadline of the stream has passed")
}

func TestEventsAsJSON(t *testing.T) {
	for _, headers := range [][]string{{"Accept", "application/json"}, {}} {
		h := serve(t, always(scripted(false, []rest.Event{event(1), event(2)})))
		reply := h.do(t, "GET", "/deploy/events/5bec1234?after=7ac40001:0", "", headers...)
		require.Equal(t, "application/json", reply.Header.Get("Content-Type"))
		var page rest.EventPage
		require.NoError(t, json.Unmarshal([]byte(reply.body), &page))
		require.Len(t, page.Events, 2)
		require.Equal(t, "7ac40001:2", page.After)
		require.True(t, page.Done)
	}
}

func TestPageWithNothingNew(t *testing.T) {
	h := serve(t, always(blocking(make(chan struct{}))))
	reply := h.do(t, "GET", "/deploy/events/5bec1234?after=7ac40001:2", "", "Prefer", "wait=0")
	require.JSONEq(t, `{"run_id":"7ac40001","events":[],"done":false,"after":"7ac40001:2"}`, reply.body)
}

func TestEventsOfAnUnknownGraph(t *testing.T) {
	h := serve(t)
	h.engine.err = &engine.Error{Kind: engine.NotFound, Message: "there is no such graph"}
	h.do(t, "GET", "/deploy/events/5bec1234", "", "Accept", "text/event-stream").problem(t, rest.KindNotFound)
}

// scripted gives the batches one after the other, and is done with the last.
func scripted(reset bool, batches ...[]rest.Event) *api.Feed {
	return api.NewFeed(runID, reset, func(context.Context) ([]rest.Event, bool, error) {
		next := batches[0]
		batches = batches[1:]
		return next, len(batches) == 0, nil
	})
}

// blocking has nothing until it is released, and is then done.
func blocking(release <-chan struct{}) *api.Feed {
	return api.NewFeed(runID, false, func(ctx context.Context) ([]rest.Event, bool, error) {
		select {
		case <-release:
			return nil, true, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	})
}

func always(feed *api.Feed) func(*api.Options) {
	return api.FeedOf(func(_, _, _ string) *api.Feed { return feed })
}
