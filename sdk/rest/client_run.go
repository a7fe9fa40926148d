package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// CallOption changes one call.
type CallOption func(*callOptions)

type callOptions struct {
	document json.RawMessage
	event    func(Event)
	started  func(*RunResult)
	async    bool
	key      string
}

// WithDocument sends a config as it stands in place of the request's, so that the host judges every byte of it.
func WithDocument(config json.RawMessage) CallOption {
	return func(o *callOptions) { o.document = config }
}

// OnEvent is told each event of the run, in order, while the call waits. It is called from one goroutine.
func OnEvent(event func(Event)) CallOption { return func(o *callOptions) { o.event = event } }

// OnStarted is told once when the run is stored and started.
func OnStarted(started func(*RunResult)) CallOption {
	return func(o *callOptions) { o.started = started }
}

// Async returns as soon as the run is stored and started.
func Async() CallOption { return func(o *callOptions) { o.async = true } }

// Apply deploys, and returns when the run stands: final, or waiting for a person. A run that failed is an answer, not an
// error. When ctx ends the run goes on.
func (c *Client) Apply(ctx context.Context, request *ApplyRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, "/deploy/apply", request, options)
}

// Continue goes on with a run that is paused, failed or interrupted, and returns when it stands.
func (c *Client) Continue(ctx context.Context, request *ContinueRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, "/deploy/continue", request, options)
}

// Cancel ends a run for good, and returns when it stands.
func (c *Client) Cancel(ctx context.Context, request *CancelRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, "/deploy/cancel", request, options)
}

// Destroy deletes what a deployment made, and returns when the run stands.
func (c *Client) Destroy(ctx context.Context, request *DestroyRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, "/deploy/destroy", request, options)
}

// Rollback takes back what the latest run of a deployment changed, and returns when the run that does so stands.
func (c *Client) Rollback(ctx context.Context, request *RollbackRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, "/deploy/rollback", request, options)
}

// Verify compares what exists with what was deployed, and returns when the run stands.
func (c *Client) Verify(ctx context.Context, request *VerifyRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, "/deploy/verify", request, options)
}

func (c *Client) run(ctx context.Context, path string, request any, options []CallOption) (*RunResult, error) {
	o := collect(options)
	body, err := bodyOf(request, options)
	if err != nil {
		return nil, err
	}
	result, err := c.start(ctx, path, body, o)
	if err != nil {
		return nil, err
	}
	if o.started != nil {
		o.started(result)
	}
	if o.async || o.event == nil && stands(result) {
		return result, nil
	}
	return c.await(ctx, result, o.event)
}

func collect(options []CallOption) callOptions {
	var o callOptions
	for _, option := range options {
		option(&o)
	}
	return o
}

// start asks for an answer at once where events are wanted, and else for one that is held back for a while.
func (c *Client) start(ctx context.Context, path string, body []byte, o callOptions) (*RunResult, error) {
	prefer := "wait=" + strconv.Itoa(int(c.wait/time.Second))
	if o.async || o.event != nil {
		prefer = "respond-async"
	}
	return once[RunResult](ctx, c, path, http.Header{"Prefer": {prefer}}, body, o.key)
}

func stands(run *RunResult) bool { return run.RunID == "" || !ActiveStatus(run.Status) }

// Await follows a run until it stands, and gives its result. event may be nil.
func (c *Client) Await(ctx context.Context, runID string, event func(Event)) (*RunResult, error) {
	run, err := c.Run(ctx, runID)
	if err != nil {
		return nil, err
	}
	return c.await(ctx, run, event)
}

func (c *Client) await(ctx context.Context, run *RunResult, event func(Event)) (*RunResult, error) {
	if run.RunID == "" {
		return run, nil
	}
	seen := int64(0)
	for {
		from := FollowFrom{GraphID: run.GraphID, RunID: run.RunID}
		if seen > 0 {
			from.After = EventID(run.RunID, seen)
		}
		err := c.Follow(ctx, from, func(e Event) {
			if e.Version > seen {
				seen = e.Version
				tell(event, e)
			}
		})
		if err != nil {
			return nil, err
		}
		if run, err = c.Run(ctx, run.RunID); err != nil || stands(run) {
			return run, err
		}
	}
}

func tell(event func(Event), e Event) {
	if event != nil {
		event(e)
	}
}

var errDocument = errors.New("the config is not JSON")

// bodyOf writes a request, with the document in the place of its config where there is one.
func bodyOf(request any, options []CallOption) ([]byte, error) {
	body, err := json.Marshal(request)
	document := collect(options).document
	if err != nil || document == nil {
		return body, err
	}
	if !json.Valid(document) {
		return nil, errDocument
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	delete(members, "config")
	others, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"config":`), document...)
	if len(members) > 0 {
		out = append(out, ',')
	}
	return append(out, others[1:]...), nil
}
