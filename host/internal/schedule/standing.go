package schedule

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
)

// standing is where each operation stands by the rules of edges, given what has happened in the run. There is one order of
// precedence: what is behind an end edge, however far, is skipped, since the graph says so, whatever else happens; else what is
// behind a failure is blocked; else it waits for all that it is behind; and then it is held while a pause edge that leads to it
// is not released. An operation that was skipped by request counts as done once all before it is, so that what is behind it
// still comes after what is before it.
type standing struct {
	waiting []int  // predecessors that are not done
	closed  []bool // completed or skipped: never started
	skipped []bool // by request
	holds   []bool // a pause edge that leads to it is not released
	met     []bool // blocked, or passed through, by a failure
	open    int    // how many are not closed
}

func stand(p *plan.Plan, run *execution.Run) *standing {
	n := len(p.Operations)
	flags := make([]bool, 5*n)
	s := &standing{
		waiting: make([]int, n), closed: flags[:n:n], skipped: flags[n : 2*n : 2*n], holds: flags[2*n : 3*n : 3*n],
		met: flags[3*n : 4*n : 4*n],
	}
	passed := flags[4*n:]
	for i := range p.Operations {
		operation, status := &p.Operations[i], run.Operations()[i].Status
		for _, edge := range operation.Predecessors {
			if !passed[edge.Operation] {
				s.waiting[i]++
			}
			s.holds[i] = s.holds[i] || edge.Pauses() && !run.Released(edge.EdgeID)
		}
		s.skipped[i] = status == execution.Skipped && !operation.Cut
		s.closed[i] = operation.Cut || s.skipped[i] || status == execution.Completed
		passed[i] = status == execution.Completed || s.skipped[i] && s.waiting[i] == 0
		if !s.closed[i] {
			s.open++
		}
	}
	return s
}

// frontier is what is ready, in the order of the plan. What may have been left half done by an earlier attempt goes first.
func (s *standing) frontier(p *plan.Plan, run *execution.Run, early func(*plan.Operation) bool) []int {
	var first, later []int
	for i := range p.Operations {
		switch {
		case s.closed[i] || s.waiting[i] > 0 || s.holds[i]:
		case run.Operations()[i].Unsettled() || early != nil && run.Operations()[i].Attempt == 0 && early(&p.Operations[i]):
			first = append(first, i)
		default:
			later = append(later, i)
		}
	}
	return append(first, later...)
}

// Next is what a step would perform, were the run gone on with and all that is held released; false when nothing is left.
func Next(p *plan.Plan, run *execution.Run, early func(*plan.Operation) bool) (operation int, ok bool) {
	s := stand(p, run)
	clear(s.holds)
	if ready := s.frontier(p, run, early); len(ready) > 0 {
		return ready[0], true
	}
	return 0, false
}

// Movable says, by operation, what can be performed before a person is needed again: in a step that is one.
func Movable(p *plan.Plan, run *execution.Run, options Options) []bool {
	s, movable := stand(p, run), make([]bool, len(p.Operations))
	if options.Step {
		if ready := s.frontier(p, run, options.Early); len(ready) > 0 {
			movable[ready[0]] = true
		}
		return movable
	}
	stuck := make([]bool, len(p.Operations))
	for i := range p.Operations {
		stuck[i] = s.holds[i] && !s.closed[i]
		for _, edge := range p.Operations[i].Predecessors {
			stuck[i] = stuck[i] || stuck[edge.Operation]
		}
		// What is completed or skipped holds up nothing by itself; a skipped one passes on what is before it.
		stuck[i] = stuck[i] && (!s.closed[i] || s.skipped[i])
		movable[i] = !s.closed[i] && !stuck[i]
	}
	return movable
}

// Held are the operations that wait for nothing but a pause edge, and the spec edges that hold each.
func Held(p *plan.Plan, run *execution.Run) map[int][]string {
	s, held := stand(p, run), map[int][]string{}
	for i := range p.Operations {
		if s.closed[i] || s.waiting[i] > 0 || !s.holds[i] {
			continue
		}
		for _, edge := range p.Operations[i].Predecessors {
			if edge.Pauses() && !run.Released(edge.EdgeID) {
				held[i] = append(held[i], edge.EdgeID)
			}
		}
	}
	return held
}
