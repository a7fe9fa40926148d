package provider

import (
	"context"
	"fmt"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Made announces that the thing exists under this identity: from here on the host can find it again, whatever happens. Call it
// before any waiting.
func (op *Operation[P]) Made(id string) { op.call.announce(id) }

// Wrote says that something was changed outside. Only authors whose requests do not go through Transport need it.
func (op *Operation[P]) Wrote() { op.call.wrote() }

// HasWritten says whether this call has changed something outside, or may have.
func (op *Operation[P]) HasWritten() bool { return op.call.wroteAny() }

// MayWrite refuses once no request that changes anything may be started any more: its time has passed, or the host broke the
// call off. Only authors whose requests do not go through Transport need it, before each such request.
func (op *Operation[P]) MayWrite() error { return op.call.mayWrite() }

// Progress says how far the operation is, 0 to 1, negative when that is not known.
func (op *Operation[P]) Progress(fraction float64, message string) {
	op.call.progress(fraction, message)
}

// Log adds a line to the operation's log. Level is trace, debug, info, warn or error. Opened secrets are masked in it.
func (op *Operation[P]) Log(level, format string, args ...any) { op.call.log(level, format, args...) }

// Open opens a sealed property.
func (op *Operation[P]) Open(s Sealed) (Secret, error) { return op.call.open(s) }

// Fingerprint tells later whether a secret has changed, to holders of this provider's keys only.
func (op *Operation[P]) Fingerprint(s Secret) string { return op.call.fingerprint(s) }

// Format prints verb and type only.
func (op Operation[P]) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "%s %s", op.Verb, op.call.typeName())
}

// Format prints the type only.
func (q Query[P]) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "find %s", q.call.typeName())
}

// Open opens a sealed credential.
func (a Access[K, S]) Open(s Sealed) (Secret, error) { return a.call.open(s) }

// Format prints the place only.
func (a Access[K, S]) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "access in %q", a.Region)
}

// fingerprint of a secret, by the provider's key.
func (c *call) fingerprint(s Secret) string {
	if c == nil || c.runtime.Keys == nil {
		return ""
	}
	return c.runtime.Keys.Fingerprint(c.context.Tenant, s.value)
}

// typeName is for printing.
func (c *call) typeName() string {
	if c == nil {
		return "resource"
	}
	return c.kind
}

// Recorded is what an operation made by NewOperation has said and done.
type Recorded struct {
	// Made are the identities announced, in order.
	Made     []string
	Progress []contract.Progress
	Logs     []contract.Log
	// Wrote is the author's word; the numbers are what Transport saw.
	Wrote                                bool
	Started, Succeeded, Refused, Unclear int
}

// recorder gathers the events of an operation under test.
type recorder struct {
	mu sync.Mutex
	Recorded
}

func (r *recorder) emit(event contract.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case event.Identity != nil:
		r.Made = append(r.Made, event.Identity.ID)
	case event.Progress != nil:
		r.Progress = append(r.Progress, *event.Progress)
	case event.Log != nil:
		r.Logs = append(r.Logs, *event.Log)
	}
}

// Trial is an operation under a unit test: what it has said and done so far, and what would be reported.
type Trial struct {
	call     *call
	recorder *recorder
}

// NewOperation makes an operation for a unit test, filled by hand, with what it does recorded. The context is the one to call
// the author's method with.
func NewOperation[P any](ctx context.Context, runtime Runtime, filled Operation[P]) (context.Context, *Operation[P], *Trial) {
	runtime = runtime.complete()
	seen := &recorder{}
	filled.call = &call{
		kind: "resource", runtime: &runtime, emit: seen.emit, entered: true,
		context: &contract.CallContext{Region: filled.Region, Account: filled.Account},
	}
	return filled.call.in(ctx), &filled, &Trial{filled.call, seen}
}

// Recorded is what has happened so far.
func (t *Trial) Recorded() Recorded {
	t.call.mu.Lock()
	defer t.call.mu.Unlock()
	t.recorder.mu.Lock()
	defer t.recorder.mu.Unlock()
	said, w := t.recorder.Recorded, t.call.writes
	said.Wrote, said.Started, said.Succeeded, said.Refused, said.Unclear = w.wrote, w.started, w.succeeded, w.refused, w.unclear
	return said
}

// Outcome is what would be reported if the author's method returned err now.
func (t *Trial) Outcome(err error) contract.Outcome { return t.call.outcome(err) }
