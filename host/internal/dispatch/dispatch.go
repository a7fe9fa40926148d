// Package dispatch makes one provider call of one operation: it fills in what the operation refers to, settles what an earlier
// attempt left, has the intent recorded before the call, and reads from the answer how the operation stands. When an operation
// runs is the schedule's business, and which process answers the plugin host's.
package dispatch

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Providers gives the provider of a name and version; release is called when the call is over.
type Providers interface {
	Use(ctx context.Context, name, version string) (provider contract.Provider, description *contract.Description, release func(), err error)
}

// Records is what is known of things from before.
type Records interface {
	// Outputs are those of a logical resource in a region, from this run or on record; nil for none.
	Outputs(nodeID, region string) json.RawMessage
	// Made says whether the record holds this deployment as the maker, and Identity what is recorded of it.
	Made(operation *plan.Operation) bool
	Identity(operation *plan.Operation) string
}

// Recorder is the durable side of a run.
type Recorder interface {
	Records
	// Intend returns once the intent is durable, and with it, where there is one, the record to take its operation back by.
	Intend(operation *plan.Operation, intent execution.Event, record *contract.RollbackRecord) error
	// Undoing is the record of the operation that this one takes back; nil for none.
	Undoing(operation *plan.Operation) *contract.RollbackRecord
	// Record returns once the event is durable, with all that follows from it.
	Record(operation *plan.Operation, event execution.Event) error
	// Post records an event that nothing waits for.
	Post(operation *plan.Operation, event execution.Event)
	// Log adds a line to the operation's log.
	Log(operation *plan.Operation, level, message string)
	// State is a copy of the operation's state.
	State(operation *plan.Operation) execution.Operation
	// Uncertain says that an earlier run of the same graph ended without knowing whether it had made it, Stands that one has made it.
	Uncertain(operation *plan.Operation) bool
	Stands(operation *plan.Operation) bool
}

// Access is what calls are made with, by provider.
type Access struct {
	Credentials map[string]json.RawMessage
	Accounts    map[string]string
}

// Run is what all operations of one run share. It holds the caller's sealed credentials and lives no longer than the run.
type Run struct {
	ID           string
	Kind         execution.RunKind
	Tenant       string
	DeploymentID string
	Owner        string
	Plan         *plan.Plan
	Access
	// Away is for the nodes that act in the account that a move goes to.
	Away Access
	// Settings are by provider.
	Settings map[string]json.RawMessage
	// Sealed are boxes by node id and pointer.
	Sealed          map[string]map[string]string
	AllowPlainBoxes bool
}

// Options are the bounds of calls.
type Options struct {
	// Concurrency bounds the calls of all runs that are in flight at once.
	Concurrency int
	// Timeout of an operation that names none.
	Timeout time.Duration
	// Tries of one operation before it fails, when what went wrong may pass.
	Tries int
	// RateLimits are the operator's, by provider: only what is tighter than the provider's own takes effect.
	RateLimits map[string]contract.RateLimit
	// Host tells this host's attempts from those of others, "" where there are no others. SettleGrace is how long a vendor may take
	// over a request: so long after its write_by an attempt of another host, and after it was broken off one of this host, may still
	// have effects.
	Host        string
	SettleGrace time.Duration
	Now         func() time.Time
}

// Dispatcher makes calls for every run of a host: the limits of a provider hold across them.
type Dispatcher struct {
	providers Providers
	options   Options
	limits    *limits
}

// New makes a dispatcher.
func New(providers Providers, options Options) *Dispatcher {
	return &Dispatcher{providers: providers, options: options, limits: newLimits(options.Concurrency)}
}

func (d *Dispatcher) limitOf(provider string, description *contract.Description) contract.RateLimit {
	return tighter(description.RateLimit, d.options.RateLimits[provider])
}

// Performer performs the operations of one run.
func (d *Dispatcher) Performer(run *Run, recorder Recorder) *Performer {
	p := d.performer(run, recorder)
	p.recorder = recorder
	return p
}

// performer can look things up; it records nothing.
func (d *Dispatcher) performer(run *Run, records Records) *Performer {
	return &Performer{
		dispatcher: d, run: run, records: records,
		tries: map[string]int{}, asked: map[string]time.Time{},
		places: placesOf(run.Plan), nodes: nodesOf(run.Plan), context: contextOf(run.Plan), found: map[place]*discovery{},
	}
}

// Settler brings to an end what the attempts of a run left open, and begins nothing: what a search does not find is not made,
// and what has killed its provider before is left alone.
func (d *Dispatcher) Settler(run *Run, recorder Recorder) *Performer {
	p := d.Performer(run, recorder)
	p.closing = true
	return p
}

// Performer implements schedule.Performer.
type Performer struct {
	dispatcher *Dispatcher
	run        *Run
	records    Records
	recorder   Recorder
	closing    bool // it settles, and begins nothing
	places     map[place]*plan.Operation
	nodes      map[string]*graph.Node
	context    map[string]bool // nodes that are referred to and have no operation

	mu    sync.Mutex
	tries map[string]int       // attempts in this drive of the run, by operation
	asked map[string]time.Time // when a search first told too little, by operation
	found map[place]*discovery
}

// place is one logical resource in one region.
type place struct{ nodeID, region string }

func placesOf(p *plan.Plan) map[place]*plan.Operation {
	places := make(map[place]*plan.Operation, len(p.Operations))
	for i := range p.Operations {
		operation := &p.Operations[i]
		at := place{operation.Node.Logical(), operation.Region}
		if _, twice := places[at]; !twice || operation.Node.Verb != contract.VerbVerify {
			places[at] = operation
		}
	}
	return places
}

func nodesOf(p *plan.Plan) map[string]*graph.Node {
	nodes := make(map[string]*graph.Node, len(p.Spec.Nodes)+len(p.Spec.Context))
	for _, some := range [][]graph.Node{p.Spec.Nodes, p.Spec.Context} {
		for i := range some {
			nodes[some[i].Logical()] = &some[i]
		}
	}
	return nodes
}

func contextOf(p *plan.Plan) map[string]bool {
	context := make(map[string]bool, len(p.Spec.Context))
	for i := range p.Spec.Context {
		context[p.Spec.Context[i].Logical()] = true
	}
	return context
}

// Perform brings the operation to the end of one attempt.
func (p *Performer) Perform(ctx context.Context, operation *plan.Operation) (execution.Event, error) {
	a := &attempt{Performer: p, operation: operation, state: p.recorder.State(operation), started: p.now(), calls: ctx}
	event, err := a.run(ctx)
	if err != nil {
		return execution.Event{}, err
	}
	event.Kind, event.Operation = execution.Ended, operation.ID
	if event.Status == execution.Completed {
		p.forget(operation)
	}
	if planted.Is(planted.EarlyRelease) && event.Status == execution.Completed {
		time.AfterFunc(time.Millisecond, func() { _ = p.recorder.Record(operation, event) })
		return event, nil
	}
	return event, p.recorder.Record(operation, event)
}

func (p *Performer) now() time.Time { return p.dispatcher.options.Now() }

func (p *Performer) pin(node *graph.Node) (name, version string) {
	name = node.Provider()
	return name, p.run.Plan.Spec.Providers[name].Version
}

func (p *Performer) forget(operation *plan.Operation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tries, operation.ID)
	delete(p.asked, operation.ID)
}
