package invariant

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
)

// Told is what callers were told: it may not be taken back. It is safe for concurrent use.
type Told struct {
	mu      sync.Mutex
	graphs  map[string]bool
	version map[string]int64               // of runs
	status  map[string]execution.RunStatus // final ones
	events  map[string]map[int64]Heard
}

// Heard is what a follower heard of one event.
type Heard struct{ Kind, Operation, Status, RunStatus, Outcome string }

// NewTold is told nothing yet.
func NewTold() *Told {
	return &Told{
		graphs: map[string]bool{}, version: map[string]int64{}, status: map[string]execution.RunStatus{},
		events: map[string]map[int64]Heard{},
	}
}

// Graph says that a graph was stored.
func (t *Told) Graph(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.graphs[id] = true
}

// Run says that a run stood at a version, with a status.
func (t *Told) Run(id string, version int64, status execution.RunStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.version[id] = max(t.version[id], version)
	if status.Final() {
		t.status[id] = status
	}
}

// Event tells of an event.
func (t *Told) Event(runID string, version int64, heard Heard) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.events[runID] == nil {
		t.events[runID] = map[int64]Heard{}
	}
	t.events[runID][version] = heard
}

// Acknowledged is I1: what callers were told is in the store.
func Acknowledged(e *Evidence, told *Told) (found []Violation) {
	told.mu.Lock()
	defer told.mu.Unlock()
	lost := func(format string, args ...any) {
		found = append(found, Violation{I1, fmt.Sprintf(format, args...)})
	}
	for _, id := range slices.Sorted(maps.Keys(told.version)) {
		run := e.Run(id)
		switch {
		case run == nil:
			lost("run %s was acknowledged, and is not in the store", id)
		case run.Version < told.version[id]:
			lost("run %s stands at event %d, and %d was told of", id, run.Version, told.version[id])
		case told.status[id] != "" && run.Status != told.status[id]:
			lost("run %s was told to be %s, and is %s", id, told.status[id], run.Status)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(told.events)) {
		run := e.Run(id)
		for version, heard := range told.events[id] {
			if run == nil || version > int64(len(run.Events)) || heardOf(&run.Events[version-1]) != heard {
				lost("run %s: event %d is not what was told", id, version)
			}
		}
	}
	return found
}

func heardOf(e *execution.Event) Heard {
	return Heard{string(e.Kind), e.Operation, string(e.Status), string(e.RunStatus), string(e.Outcome)}
}

// Graphs lists the stored graphs that callers were told of.
func (t *Told) Graphs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.graphs))
}
