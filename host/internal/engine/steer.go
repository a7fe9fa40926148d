package engine

import (
	"fmt"
	"strconv"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
)

// steering is what a person asks of a run at rest before it goes on. Operations are named by node id, operation id or resource
// id.
type steering struct {
	// release lets go what is held: only what from names, where that is given.
	release bool
	from    string
	skip    []string
	unskip  []string
	retry   []string
}

// asks says that more is asked for than to go on.
func (s *steering) asks() bool { return s.from != "" || len(s.skip)+len(s.unskip)+len(s.retry) > 0 }

// steer gives the events that carry out what is asked for, each a legal change of the run as it stands, or all that is wrong with
// it. What failed and what is blocked is always set going again.
func steer(p *plan.Plan, run *execution.Run, s steering, by string) ([]execution.Event, []graph.Problem) {
	h := &helm{plan: p, run: run, by: by, taken: map[int]string{}, released: map[string]bool{}}
	h.names, h.wholes = namesOf(p)
	skipped := h.named("/skip", s.skip, h.maySkip)
	unskipped := h.named("/unskip", s.unskip, h.mayUnskip)
	retried := h.named("/retry", s.retry, h.mayRetry)
	h.release(s)
	if len(h.problems) > 0 {
		return nil, h.problems
	}
	h.move(h.of(skipped, execution.Running), execution.Pending, "skipped by request", false)
	h.move(h.ids(skipped), execution.Skipped, "skipped by request", false)
	h.move(h.ids(unskipped), execution.Pending, "no longer skipped", false)
	h.move(h.ids(retried), execution.Pending, "asked for once more", true)
	h.move(h.ids(h.behind(retried)), execution.Pending, "behind what was asked for once more", false)
	h.move(h.ids(h.again()), execution.Pending, "resumed", false)
	return h.events, nil
}

// helm works out one steering. taken says which operations have an event of their own, and by which field of the request.
type helm struct {
	plan     *plan.Plan
	run      *execution.Run
	by       string
	names    map[string][]int
	wholes   map[string]bool // names of composites
	taken    map[int]string
	released map[string]bool
	events   []execution.Event
	problems []graph.Problem
}

// namesOf gives operations by each of their names, and those of its parts by the names of a composite.
func namesOf(p *plan.Plan) (names map[string][]int, wholes map[string]bool) {
	names, wholes = make(map[string][]int, 2*len(p.Operations)), map[string]bool{}
	for i := range p.Operations {
		o := &p.Operations[i]
		names[o.Node.ResourceID] = append(names[o.Node.ResourceID], i)
		if o.Node.NodeID != o.Node.ResourceID {
			names[o.Node.NodeID] = append(names[o.Node.NodeID], i)
		}
		if o.ID != o.Node.NodeID && o.ID != o.Node.ResourceID {
			names[o.ID] = append(names[o.ID], i)
		}
	}
	for _, c := range compositesOf(p) {
		for _, name := range []string{c.node.ResourceID, c.node.NodeID} {
			names[name], wholes[name] = c.operations, true
		}
	}
	return names, wholes
}

func (h *helm) problem(pointer, message string) {
	h.problems = append(h.problems, graph.Problem{Pointer: pointer, Message: message})
}

func (h *helm) status(i int) execution.Status { return h.run.Operations()[i].Status }

// named finds the operations of a list of names. may says what is wrong with one, and whether it is to be moved. Of a composite, those
// parts are meant that it may be asked of; there must be one.
func (h *helm) named(field string, names []string, may func(i int) (wrong string, move bool)) []int {
	var found []int
	for at, name := range names {
		pointer := field + "/" + strconv.Itoa(at)
		operations := h.names[name]
		if len(operations) == 0 {
			h.problem(pointer, "names nothing in this run")
		}
		if h.wholes[name] {
			operations = willing(operations, may)
		}
		for _, i := range operations {
			wrong, move := may(i)
			switch other, taken := h.taken[i]; {
			case wrong != "":
				h.problem(pointer, wrong)
			case taken && other != field:
				h.problem(pointer, "stands in "+other+" as well")
			case !taken:
				h.taken[i] = field
				if move {
					found = append(found, i)
				}
			}
		}
	}
	return found
}

// willing are those operations that something may be asked of; all of them when there is none, so that it is said why.
func willing(operations []int, may func(i int) (wrong string, move bool)) []int {
	var some []int
	for _, i := range operations {
		if wrong, _ := may(i); wrong == "" {
			some = append(some, i)
		}
	}
	if len(some) == 0 {
		return operations
	}
	return some
}

func (h *helm) maySkip(i int) (wrong string, move bool) {
	switch status := h.status(i); {
	case h.plan.Operations[i].Cut:
		return "is skipped already: it stands behind an end edge", false
	case status == execution.Completed:
		return "is completed: there is nothing to skip", false
	default:
		return "", status != execution.Skipped
	}
}

func (h *helm) mayUnskip(i int) (wrong string, move bool) {
	switch status := h.status(i); {
	case h.plan.Operations[i].Cut:
		return "stands behind an end edge: only another graph can deploy it", false
	case status != execution.Skipped:
		return fmt.Sprintf("is %s, not skipped", status), false
	default:
		return "", true
	}
}

func (h *helm) mayRetry(i int) (wrong string, move bool) {
	switch status := h.status(i); status {
	case execution.Completed, execution.Failed, execution.Running:
		return "", true
	default:
		return fmt.Sprintf("is %s: only what was tried can be tried once more", status), false
	}
}

// release lets go what pause edges hold. A released edge is never closed again.
func (h *helm) release(s steering) {
	if !s.release {
		return
	}
	held := schedule.Held(h.plan, h.run)
	if s.from != "" {
		only := map[int][]string{}
		for _, i := range h.names[s.from] {
			if edges, ok := held[i]; ok {
				only[i] = edges
			}
		}
		if held = only; len(held) == 0 {
			h.problem("/from_node", "names nothing that is held by a pause edge")
		}
	}
	for i := range h.plan.Operations {
		for _, edge := range held[i] {
			if !h.released[edge] {
				h.released[edge] = true
				h.events = append(h.events, execution.Event{Kind: execution.EdgeReleased, Edge: edge, By: h.by})
			}
		}
	}
}

// move adds an event for operations, in one.
func (h *helm) move(ids []string, to execution.Status, reason string, retry bool) {
	if len(ids) > 0 {
		h.events = append(h.events, execution.Event{
			Kind: execution.Changed, Operations: ids, Status: to, Reason: reason, By: h.by, Retry: retry,
		})
	}
}

func (h *helm) ids(operations []int) []string {
	ids := make([]string, len(operations))
	for at, i := range operations {
		ids[at] = h.plan.Operations[i].ID
	}
	return ids
}

func (h *helm) of(operations []int, status execution.Status) []string {
	var ids []string
	for _, i := range operations {
		if h.status(i) == status {
			ids = append(ids, h.plan.Operations[i].ID)
		}
	}
	return ids
}

// behind is what has run, or was to run, behind operations that are asked for once more. What was skipped stays so.
func (h *helm) behind(operations []int) []int {
	met := make([]bool, len(h.plan.Operations))
	for _, i := range operations {
		met[i] = true
	}
	var found []int
	for i := range h.plan.Operations { // in order, so that one pass sees all
		for _, edge := range h.plan.Operations[i].Predecessors {
			met[i] = met[i] || met[edge.Operation]
		}
		if _, taken := h.taken[i]; !met[i] || taken {
			continue
		}
		switch h.status(i) {
		case execution.Completed, execution.Failed, execution.Blocked, execution.Paused:
			h.taken[i] = "behind"
			found = append(found, i)
		}
	}
	return found
}

// again is what failed or is blocked, and what no edge holds any more.
func (h *helm) again() []int {
	var found []int
	for i := range h.plan.Operations {
		if _, taken := h.taken[i]; taken {
			continue
		}
		switch h.status(i) {
		case execution.Failed, execution.Blocked:
			found = append(found, i)
		case execution.Paused:
			if h.free(i) {
				found = append(found, i)
			}
		}
	}
	return found
}

func (h *helm) free(i int) bool {
	for _, edge := range h.plan.Operations[i].Predecessors {
		if edge.Pauses() && !h.released[edge.EdgeID] && !h.run.Released(edge.EdgeID) {
			return false
		}
	}
	return true
}
