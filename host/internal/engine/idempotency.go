package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Command names one request, so that a repeat of it is known for one: the caller's key, "" for none, the route, and the body.
type Command struct {
	Key   string
	Route string
	Body  any
}

// Once begins a run, unless the command was given before: then it says how the run stands that the command came to. The key is
// bound to its run in the transaction that makes the run or goes on with it, so that there is no moment between. Repeats that come
// while the first is being begun wait for that.
func (e *Engine) Once(ctx context.Context, caller Caller, command Command, begin func(context.Context, Caller) (*rest.RunResult, error)) (*rest.RunResult, error) {
	return once(ctx, e, caller, command, begin, func(key store.IdempotencyKey) (*rest.RunResult, error) {
		return e.Result(ctx, caller, key.RunID)
	})
}

// PlanOnce is Plan, unless the command was given before: then it gives the plan that was stored.
func (e *Engine) PlanOnce(ctx context.Context, caller Caller, command Command, request *rest.PlanRequest) (*rest.PlanResponse, error) {
	if !request.Stores() {
		command.Key = ""
	}
	plan := func(ctx context.Context, caller Caller) (*rest.PlanResponse, error) {
		return e.Plan(ctx, caller, request)
	}
	return once(ctx, e, caller, command, plan, func(key store.IdempotencyKey) (*rest.PlanResponse, error) {
		return e.StoredPlan(ctx, caller, key.GraphID)
	})
}

func once[T any](ctx context.Context, e *Engine, caller Caller, command Command,
	begin func(context.Context, Caller) (*T, error), again func(store.IdempotencyKey) (*T, error),
) (*T, error) {
	if command.Key == "" {
		return begin(ctx, caller)
	}
	digest, err := e.digest(ctx, command.Body)
	if err != nil {
		return nil, classified(err)
	}
	leave, err := e.commands.enter(ctx, caller.Tenant+"\x00"+command.Key)
	if err != nil {
		return nil, err
	}
	defer leave()
	e.sweepKeys(ctx)
	caller.key = &store.IdempotencyKey{Tenant: caller.Tenant, Key: command.Key, Route: command.Route, Digest: digest}
	key, err := e.given(ctx, caller.key)
	switch {
	case err == nil:
		return again(key)
	case !errors.Is(err, store.ErrNotFound):
		return nil, classified(err)
	}
	result, refused := begin(ctx, caller)
	if refused == nil {
		return result, nil
	}
	// Another host may have been given the same command at the same time, and was first.
	if key, err = e.given(ctx, caller.key); err == nil {
		return again(key)
	}
	return nil, refused
}

// given finds what a command came to when it was given before. store.ErrNotFound says that it was not.
func (e *Engine) given(ctx context.Context, command *store.IdempotencyKey) (store.IdempotencyKey, error) {
	key, err := e.store.Idempotency(ctx, command.Tenant, command.Key)
	if err == nil && (key.Route != command.Route || key.Digest != command.Digest) {
		err = invalid(graph.Problem{Pointer: "#/header/Idempotency-Key", Message: "was sent with another request before: each request has a key of its own"})
	}
	return key, err
}

// keyFor is the key of the caller's command as it is recorded with what the command comes to; nil where it has none.
func (c Caller) keyFor(runID, graphID string, at time.Time) *store.IdempotencyKey {
	if c.key == nil {
		return nil
	}
	key := *c.key
	key.RunID, key.GraphID, key.At = runID, graphID, at.UTC()
	return &key
}

// sweepEvery is how often keys that are of no use any more are dropped, at most.
const sweepEvery = time.Hour

// sweepKeys drops old keys when there was no time for that lately: keys come only with commands, and so do sweeps.
func (e *Engine) sweepKeys(ctx context.Context) {
	now := e.options.Now()
	e.mu.Lock()
	due := now.Sub(e.swept) >= sweepEvery
	if due {
		e.swept = now
	}
	e.mu.Unlock()
	if !due {
		return
	}
	if err := e.store.SweepIdempotency(ctx, now); err != nil {
		e.log.Warn("old idempotency keys were not dropped", "error", err)
	}
}

// digest says whether two bodies ask for the same. Credentials are left out, and of sealed values all but that they are there:
// sealing the same secret again gives other bytes.
func (e *Engine) digest(ctx context.Context, body any) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode the request: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var request map[string]any
	if err := decoder.Decode(&request); err != nil {
		return "", fmt.Errorf("decode the request: %w", err)
	}
	withoutSecrets(request)
	if config, ok := request["config"].(map[string]any); ok {
		withoutSecrets(config)
		if err := e.withoutSealed(ctx, config); err != nil {
			return "", err
		}
	}
	if text, err = json.Marshal(request); err != nil { // in the order of the names
		return "", fmt.Errorf("encode the request: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// sealedMark stands for a sealed value in what a digest is made of.
const sealedMark = "sealed"

func withoutSecrets(object map[string]any) {
	for name := range object {
		if strings.HasSuffix(name, "credentials") {
			delete(object, name)
		}
	}
	boxes, _ := object["sealed_properties"].(map[string]any)
	for pointer := range boxes {
		boxes[pointer] = sealedMark
	}
}

// withoutSealed replaces the properties of a configuration that their types declare sensitive.
func (e *Engine) withoutSealed(ctx context.Context, config map[string]any) error {
	text, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("encode the config: %w", err)
	}
	cfg := &rest.Config{}
	if err := json.Unmarshal(text, cfg); err != nil {
		return fmt.Errorf("decode the config: %w", err)
	}
	catalog, _, err := e.pick(ctx, cfg)
	if err != nil {
		return err
	}
	resources, _ := config["resources"].(map[string]any)
	for _, resource := range resources {
		definition, _ := resource.(map[string]any)
		name, _ := definition["type"].(string)
		kind, known := catalog.Type(name)
		if !known {
			continue
		}
		for _, pointer := range kind.Sensitive {
			markSealed(definition["properties"], document.Split(pointer))
		}
	}
	return nil
}

// markSealed replaces what stands at a place, where something does.
func markSealed(value any, at []string) {
	object, _ := value.(map[string]any)
	if _, there := object[at[0]]; !there {
		return
	}
	if len(at) == 1 {
		object[at[0]] = sealedMark
		return
	}
	markSealed(object[at[0]], at[1:])
}

// turns lets one command at a time have a key.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{}
}

// enter waits for the turn, or the end of ctx.
func (t *turns) enter(ctx context.Context, key string) (leave func(), err error) {
	for {
		t.mu.Lock()
		before, busy := t.taken[key]
		if !busy {
			mine := make(chan struct{})
			if t.taken == nil {
				t.taken = map[string]chan struct{}{}
			}
			t.taken[key] = mine
			t.mu.Unlock()
			return func() { t.leave(key, mine) }, nil
		}
		t.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *turns) leave(key string, mine chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.taken, key)
	close(mine)
}
