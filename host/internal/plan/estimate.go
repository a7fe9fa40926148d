package plan

import (
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// unknownDuration stands in for one that nobody declared or measured.
const unknownDuration = time.Second

// enoughMeasured is how many operations of a type and verb must have been measured before their mean counts for more than what
// the provider declares.
const enoughMeasured = 5

// Verbs under which operations are measured beside their own: Unchanged for those that found nothing to do, Undone for those that
// brought an earlier state back.
const (
	Unchanged = "no_op"
	Undone    = "rollback"
)

// Measured is how long operations of one type and verb took here, or of Unchanged.
type Measured struct {
	Type  string
	Verb  string
	Count int64
	Mean  time.Duration
}

// Declare estimates anew, from what the providers in a catalog declare.
func (p *Plan) Declare(catalog graph.Catalog) {
	p.catalog = catalog
	p.estimate()
}

// Learn estimates anew, from what was measured where that is enough, and from what the provider declares where it is not.
func (p *Plan) Learn(measured []Measured) {
	p.measured = make(map[step]time.Duration, len(measured))
	for _, m := range measured {
		if m.Count >= enoughMeasured {
			p.measured[step{m.Type, m.Verb}] = m.Mean
		}
	}
	p.estimate()
}

// Foresee estimates anew, knowing of some operations that they will find nothing to do.
func (p *Plan) Foresee(unchanged func(operation int) bool) {
	for i := range p.Operations {
		p.Operations[i].unchanged = unchanged(i)
	}
	p.estimate()
}

// estimate follows the longest way through the operations.
func (p *Plan) estimate() {
	typical := durations{catalog: p.catalog, measured: p.measured, known: map[step]time.Duration{}}
	for i := range p.Operations {
		p.Operations[i].Typical = typical.of(&p.Operations[i])
	}
	p.Estimate = p.Longest(func(i int) time.Duration { return p.Operations[i].Typical })
}

// Longest is the longest way through the operations, which are in order, when each takes what takes says. Behind an end edge
// nothing runs.
func (p *Plan) Longest(takes func(operation int) time.Duration) time.Duration {
	done := make([]time.Duration, len(p.Operations))
	var longest time.Duration
	for i := range p.Operations {
		var start time.Duration
		for _, edge := range p.Operations[i].Predecessors {
			start = max(start, done[edge.Operation])
		}
		done[i] = start + takes(i)
		if !p.Operations[i].Cut {
			longest = max(longest, done[i])
		}
	}
	return longest
}

// durations remembers what is known of a type and verb.
type durations struct {
	catalog  graph.Catalog
	measured map[step]time.Duration
	known    map[step]time.Duration
}

type step struct{ name, verb string }

func (d durations) of(operation *Operation) time.Duration {
	if operation.unchanged {
		if mean, ok := d.measured[step{operation.Node.Type, Unchanged}]; ok {
			return mean
		}
	}
	at := step{operation.Node.Type, string(operation.Node.Verb)}
	if operation.Node.Undo != nil {
		at.verb = Undone
	}
	duration, ok := d.known[at]
	if !ok {
		if duration, ok = d.measured[at]; !ok {
			duration = d.declared(at)
		}
		d.known[at] = duration
	}
	return duration
}

func (d durations) declared(at step) time.Duration {
	if d.catalog == nil {
		return unknownDuration
	}
	if kind, ok := d.catalog.Type(at.name); ok {
		if support, _ := kind.Verb(contract.Verb(at.verb)); support.TypicalDuration > 0 {
			return support.TypicalDuration
		}
	}
	return unknownDuration
}
