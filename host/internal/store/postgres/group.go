package postgres

import (
	"fmt"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// group is what a batch has for one run, added up: each row that it changes is changed once.
type group struct {
	run    runState
	writes []int

	changed  bool // has events
	versions []int64
	payloads [][]byte

	places    []*store.PlacementWrite // in the order in which they are first named
	placed    map[placeKey]*store.PlacementWrite
	logs      []*store.OperationLog
	records   map[recordKey]*store.RollbackRecord
	durations map[durationKey]duration
	keys      []*store.IdempotencyKey
	heads     []*store.HeadMove
	destroyed *bool
}

// runState is the row of a run, as a batch moves it on.
type runState struct {
	row.Run
	number, token, deployment int64
	tenant, deploymentID      string
}

type placeKey struct{ node, region string }

type recordKey struct {
	operation string
	attempt   int
}

type durationKey struct{ tenant, kind, verb string }

type duration struct {
	count int64
	total time.Duration
}

// place adds a placement write to what earlier ones of the same placement came to.
func (g *group) place(p *store.PlacementWrite) error {
	if p.Tenant != g.run.tenant || p.DeploymentID != g.run.deploymentID {
		return fmt.Errorf("placement: %w", store.ErrNotFound)
	}
	key := placeKey{p.NodeID, p.Region}
	sum := g.placed[key]
	if sum == nil {
		if g.placed == nil {
			g.placed = map[placeKey]*store.PlacementWrite{}
		}
		first := *p
		g.placed[key], g.places = &first, append(g.places, &first)
		return nil
	}
	if p.Cleared {
		sum.Cleared, sum.Made, sum.Identity, sum.Outputs = true, false, "", nil
	}
	sum.Made = sum.Made || p.Made
	if p.State != "" {
		sum.State = p.State
	}
	if p.Outputs != nil {
		sum.Outputs = p.Outputs
	}
	for _, field := range []struct {
		sum   *string
		given string
	}{
		{&sum.Identity, p.Identity}, {&sum.Account, p.Account}, {&sum.ProviderVersion, p.ProviderVersion}, {&sum.GraphID, p.GraphID},
	} {
		if field.given != "" {
			*field.sum = field.given
		}
	}
	return nil
}

// add takes in what a write has beside events and placements.
func (g *group) add(w *store.Write) {
	for k := range w.Logs {
		g.logs = append(g.logs, &w.Logs[k])
	}
	for k := range w.RollbackRecords {
		if g.records == nil {
			g.records = map[recordKey]*store.RollbackRecord{}
		}
		g.records[recordKey{w.RollbackRecords[k].Operation, w.RollbackRecords[k].Attempt}] = &w.RollbackRecords[k]
	}
	for _, d := range w.Durations {
		if g.durations == nil {
			g.durations = map[durationKey]duration{}
		}
		key := durationKey{g.run.tenant, d.Type, string(d.Verb)}
		sum := g.durations[key]
		g.durations[key] = duration{sum.count + 1, sum.total + d.Took}
	}
	if w.Idempotency != nil {
		g.keys = append(g.keys, w.Idempotency)
	}
	if w.Head != nil {
		g.heads = append(g.heads, w.Head)
	}
	if w.Destroyed != nil {
		g.destroyed = w.Destroyed
	}
}
