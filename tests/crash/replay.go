package main

import (
	"fmt"
	"slices"
	"strings"
)

// history is what a run's events add up to, by the checker's own reading of them.
type history struct {
	status     string
	version    int64
	operations map[string]*operationHistory
	// broken says where the events contradict each other.
	broken []string
}

// operationHistory is how one operation stands.
type operationHistory struct {
	status string
	// intents counts attempts that were announced; unsettled says that the last one may have left something.
	intents   int
	open      bool
	unsettled bool
	attempt   int
}

// What the events of a run may do, written down a second time: the table that the host keeps is not asked.
var (
	runChanges = map[string]string{
		"": "queued", "queued": "running cancelled interrupted", "running": "completed failed paused cancelling interrupted",
		"failed": "running cancelled", "paused": "running cancelled", "interrupted": "running cancelled",
		"cancelling": "cancelled completed failed interrupted",
	}
	operationChanges = map[string]string{
		"pending": "running paused blocked skipped", "running": "completed failed running pending",
		"failed": "running completed pending skipped", "blocked": "pending paused skipped",
		"paused": "pending blocked skipped", "skipped": "pending", "completed": "pending",
	}
)

func allowed(table map[string]string, from, to string) bool {
	return slices.Contains(strings.Fields(table[from]), to)
}

// replay reads events in order.
func replay(events []event) *history {
	h := &history{operations: map[string]*operationHistory{}}
	for i := range events {
		e := &events[i]
		if e.Version != h.version+1 {
			h.complain("event %d follows %d", e.Version, h.version)
		}
		h.version = e.Version
		h.apply(e)
	}
	return h
}

func (h *history) complain(format string, args ...any) {
	h.broken = append(h.broken, fmt.Sprintf(format, args...))
}

func (h *history) operation(id string) *operationHistory {
	if h.operations[id] == nil {
		h.operations[id] = &operationHistory{status: "pending"}
	}
	return h.operations[id]
}

func (h *history) apply(e *event) {
	switch e.Kind {
	case "run_changed":
		if !allowed(runChanges, h.status, e.RunStatus) {
			h.complain("event %d: the run goes from %q to %q", e.Version, h.status, e.RunStatus)
		}
		h.status = e.RunStatus
	case "operations_changed":
		for _, id := range e.Operations {
			h.move(e, id, e.Status)
		}
	case "operation_intent":
		h.intent(e)
	case "operation_ended":
		h.end(e)
	}
}

func (h *history) move(e *event, id, status string) {
	operation := h.operation(id)
	if !allowed(operationChanges, operation.status, status) {
		h.complain("event %d: operation %s goes from %s to %s", e.Version, id, operation.status, status)
	}
	operation.status = status
}

// intent opens an attempt. What an earlier one may have left is said to be settled by it, and nothing else is.
func (h *history) intent(e *event) {
	operation := h.operation(e.Operation)
	if e.Settling != (operation.open || operation.unsettled) {
		h.complain("event %d: operation %s, settling is %v", e.Version, e.Operation, e.Settling)
	}
	if e.Attempt <= operation.attempt {
		h.complain("event %d: operation %s, attempt %d follows %d", e.Version, e.Operation, e.Attempt, operation.attempt)
	}
	h.move(e, e.Operation, "running")
	operation.intents++
	operation.attempt, operation.open = e.Attempt, true
}

// end closes an attempt, or ends an operation that needed none.
func (h *history) end(e *event) {
	operation := h.operation(e.Operation)
	if operation.status == "running" || e.Status != "pending" && operation.status == "pending" {
		operation.status = "running" // it may end without an attempt
		h.move(e, e.Operation, e.Status)
	} else if operation.status != "pending" {
		h.complain("event %d: operation %s ends while it is %s", e.Version, e.Operation, operation.status)
	}
	if e.Outcome != "" {
		operation.open, operation.unsettled = false, e.Outcome == "UNKNOWN" || e.Outcome == "PARTIAL"
	}
	if e.Status == "completed" && (operation.open || operation.unsettled) {
		h.complain("event %d: operation %s is completed and not settled", e.Version, e.Operation)
	}
}
