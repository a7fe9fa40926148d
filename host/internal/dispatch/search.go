package dispatch

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Searched is what was found outside where one operation's thing would be. Complete says that there is no more; Problem is why it
// could not be searched for.
type Searched struct {
	Found    []contract.Found
	Complete bool
	Problem  *contract.Diagnostic
}

// Search looks for what each operation of the run's plan is about, in the order of the plan, as many at once as the limits let
// through. What is found is what later ones may refer to. It reads, and records nothing. An error means that ctx ended.
func (d *Dispatcher) Search(ctx context.Context, run *Run, records Records) ([]Searched, error) {
	n := len(run.Plan.Operations)
	seen := &seen{Records: records, outputs: map[place]json.RawMessage{}}
	s := &searcher{Performer: d.performer(run, seen), seen: seen, searched: make([]Searched, n)}
	walk(run.Plan, d.options.Concurrency, func(i int) { s.searched[i] = s.search(ctx, i) })
	return s.searched, ctx.Err()
}

// walk does something for each operation of a plan, after it has done so for its predecessors, many at once.
func walk(p *plan.Plan, atOnce int, do func(i int)) {
	n := len(p.Operations)
	done := make([]chan struct{}, n)
	for i := range done {
		done[i] = make(chan struct{})
	}
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(n, atOnce) {
		workers.Go(func() {
			for i := range next {
				for _, edge := range p.Operations[i].Predecessors {
					<-done[edge.Operation]
				}
				do(i)
				close(done[i])
			}
		})
	}
	// Operations are handed out in order, so that whoever waits for a predecessor waits for one that is at work.
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}

type searcher struct {
	*Performer
	seen     *seen
	searched []Searched
}

// seen are the records, and what was found already.
type seen struct {
	Records
	mu      sync.Mutex
	outputs map[place]json.RawMessage
}

// Outputs are those of what was found, or else on record.
func (s *seen) Outputs(nodeID, region string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	if outputs, found := s.outputs[place{nodeID, region}]; found {
		return outputs
	}
	return s.Records.Outputs(nodeID, region)
}

func (s *seen) add(operation *plan.Operation, outputs json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outputs[place{operation.Node.Logical(), operation.Region}] = outputs
}

// search asks, and again where that may help.
func (s *searcher) search(ctx context.Context, i int) Searched {
	ctx, cancel := context.WithTimeout(ctx, forecastTimeout)
	defer cancel()
	operation := &s.run.Plan.Operations[i]
	for try := 1; ; try++ {
		searched, err := s.lookFor(ctx, operation)
		if err == nil {
			if len(searched.Found) == 1 {
				s.seen.add(operation, searched.Found[0].Outputs)
			}
			return searched
		}
		d := contract.DiagnosticOf(err)
		again := d.Retry == contract.RetryAfterDelay || d.Kind == contract.KindInterrupted
		if !again || try >= s.dispatcher.options.Tries || !pause(ctx, max(d.RetryAfter, backoff(try))) {
			return Searched{Problem: &d}
		}
	}
}

func (s *searcher) lookFor(ctx context.Context, operation *plan.Operation) (Searched, error) {
	name, version := s.pin(operation.Node)
	provider, description, release, err := s.dispatcher.providers.Use(ctx, name, version)
	if err != nil {
		return Searched{}, err
	}
	defer release()
	target, err := s.known(ctx, operation)
	if err != nil {
		return Searched{}, err
	}
	call := s.callContext(operation)
	leave, err := s.dispatcher.limits.enter(ctx, call, name, description.RateLimit)
	if err != nil {
		return Searched{}, err
	}
	defer leave()
	var searched Searched
	end, err := provider.Find(ctx, &contract.FindRequest{Context: call, Target: target}, func(f contract.Found) {
		searched.Found = append(searched.Found, f)
	})
	if err != nil {
		return Searched{}, err
	}
	searched.Complete = end.Completeness == contract.Complete
	return searched, nil
}

// known is the target with what it refers to as far as that was found: labels and names tell most things without it.
func (s *searcher) known(ctx context.Context, operation *plan.Operation) (contract.Target, error) {
	values := map[string]json.RawMessage{}
	for role, reference := range operation.Node.References {
		value, err := s.resolve(ctx, operation, reference)
		switch {
		case contract.KindOf(err) == contract.KindPrecondition:
		case err != nil:
			return contract.Target{}, err
		default:
			values[role] = value
		}
	}
	return s.filled(operation, values)
}
