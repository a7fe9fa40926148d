package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humahttprouter"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const eventStreamType = "text/event-stream"

// pollWait is how long a reader of JSON waits for something new who does not say how long.
const pollWait = 250 * time.Millisecond

type eventsInput struct {
	GraphRun
	Preferring
	After       string `query:"after" doc:"The id of the last event seen: what follows it is sent" example:"7ac40001:12"`
	LastEventID string `header:"Last-Event-ID" doc:"The same, as browsers send it"`
	Accept      string `header:"Accept" hidden:"true"`
}

// last is the id of the last event that the caller saw.
func (in *eventsInput) last() string {
	if in.LastEventID != "" {
		return in.LastEventID
	}
	return in.After
}

// asJSON: a caller that does not say which wants a page when it says after what.
func (in *eventsInput) asJSON() bool {
	return in.Accept == "application/json" || in.Accept == "" && in.After != ""
}

func (s *server) registerEvents() {
	operation := get("events", "/deploy/events/{graph_id}", "deploy", "Follow what happens in a run")
	operation.Description = "Server-sent events from the first event on, or after the one given; `event` is the event's kind and " +
		"`id` its id. `reset` says that the id given is not of this run and all is sent again; `end` says that the run stands, and " +
		"the stream closes. Comments keep a silent stream alive. A follower that does not keep up is cut off; it goes on with the " +
		"last id it saw. As JSON, one page of events; `Prefer: wait=N` waits for something new."
	operation.Metadata = map[string]any{metaProduces: []string{eventStreamType, "application/json"}}
	handle(s, route{Operation: operation, example: exampleEvents(), errors: []rest.Kind{rest.KindNotFound}},
		func(ctx context.Context, caller engine.Caller, in *eventsInput) (*huma.StreamResponse, error) {
			stream, err := s.feed(ctx, caller, in.GraphID, in.Run, in.last())
			if err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				r, w, _ := humahttprouter.Unwrap(hc)
				if in.asJSON() {
					s.page(w, r, in, stream)
					return
				}
				s.follow(w, r, stream)
			}}, nil
		})
}

// feed is a run's events from somewhere on. next waits until there are some; done says that the run stands and all was given.
type feed struct {
	runID string
	reset bool
	next  func(context.Context) (events []rest.Event, done bool, err error)
}

func feedOf(events EventsOf) func(context.Context, engine.Caller, string, string, string) (*feed, error) {
	return func(ctx context.Context, caller engine.Caller, graphID, runID, after string) (*feed, error) {
		stream, err := events.Events(ctx, caller, graphID, runID, after)
		if err != nil {
			return nil, err
		}
		return &feed{runID: stream.RunID, reset: stream.Reset, next: stream.Next}, nil
	}
}

// page answers with what there is, or what comes within the wait.
func (s *server) page(w http.ResponseWriter, r *http.Request, in *eventsInput, stream *feed) {
	wait := preferenceOf(in.Prefer).wait
	if wait < 0 {
		wait = pollWait
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	events, done, err := stream.next(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.problemOf(r.Context(), err).write(w, r)
		return
	}
	page := rest.EventPage{RunID: stream.runID, Events: events, Reset: stream.reset, Done: done, After: in.last()}
	if stream.reset {
		page.After = ""
	}
	if len(events) > 0 {
		page.After = events[len(events)-1].ID
	}
	w.Header().Set("Content-Type", "application/json")
	_ = encode(w, page)
}

// follow writes the stream until the run stands, the follower goes, or falls behind. Nothing is kept for a follower: it
// reads the store at its own pace, and a write that takes too long ends it.
func (s *server) follow(w http.ResponseWriter, r *http.Request, stream *feed) {
	w.Header().Set("Content-Type", eventStreamType)
	w.Header().Set("X-Accel-Buffering", "no")
	out := &follower{w: w, controller: http.NewResponseController(w), timeout: s.FollowTimeout}
	defer out.release()
	err := out.send(opening(stream))
	for done := false; err == nil && !done; {
		var text []byte
		if text, done, err = s.nextFrames(r.Context(), stream); err == nil {
			err = out.send(text)
		}
	}
	if err != nil && r.Context().Err() == nil {
		s.Log.Debug("follower cut off", "trace_id", exchangeOf(r.Context()).trace, "run_id", stream.runID, "error", err)
	}
}

// nextFrames waits for events; where there are none for a while it gives a sign of life.
func (s *server) nextFrames(ctx context.Context, stream *feed) (text []byte, done bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, s.Heartbeat)
	defer cancel()
	events, done, err := stream.next(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return []byte(": heartbeat\n\n"), false, nil
	}
	return frames(events, done, stream.runID), done, err
}

func opening(stream *feed) []byte {
	if stream.reset {
		return control("reset", stream.runID)
	}
	return []byte(": following\n\n")
}

// control is an event of the stream's own, without an id.
func control(name, runID string) []byte {
	return fmt.Appendf(nil, "event: %s\ndata: {\"run_id\":%q}\n\n", name, runID)
}

func frames(events []rest.Event, done bool, runID string) []byte {
	var out bytes.Buffer
	for i := range events {
		data, err := json.Marshal(&events[i])
		if err != nil {
			continue
		}
		fmt.Fprintf(&out, "id: %s\nevent: %s\ndata: %s\n\n", events[i].ID, events[i].Kind, data)
	}
	if done {
		out.Write(control("end", runID))
	}
	return out.Bytes()
}

// follower writes with a deadline for each write.
type follower struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	timeout    time.Duration
}

// release leaves the connection to later requests without a deadline of ours.
func (f *follower) release() { _ = f.controller.SetWriteDeadline(time.Time{}) }

func (f *follower) send(data []byte) error {
	if err := f.controller.SetWriteDeadline(time.Now().Add(f.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := f.w.Write(data); err != nil {
		return err
	}
	return f.controller.Flush()
}
