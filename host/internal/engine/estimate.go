package engine

import (
	"context"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// learn has a plan estimate by what operations of this tenant took.
func (e *Engine) learn(ctx context.Context, tenant string, p *plan.Plan) error {
	stats, err := e.store.Durations(ctx, tenant)
	if err != nil {
		return err
	}
	measured := make([]plan.Measured, len(stats))
	for i, s := range stats {
		measured[i] = plan.Measured{Type: s.Type, Verb: string(s.Verb), Count: s.Count, Mean: s.Mean}
	}
	p.Learn(measured)
	return nil
}

// standing is the status of a run, with what it will still take.
func (e *Engine) standing(d *drive, state *execution.Run) *rest.StatusResponse {
	response := statusOf(d, state)
	if !state.Status.Final() {
		response.EstimatedRemaining = remaining(d.plan, state, e.options.Now()).Seconds()
	}
	return response
}

// remaining follows the longest way through what is left. What runs longer than usual is taken to be about done.
func remaining(p *plan.Plan, state *execution.Run, now time.Time) time.Duration {
	return p.Longest(func(i int) time.Duration {
		usual := p.Operations[i].Typical
		switch operation := state.Operation(p.Operations[i].ID); operation.Status {
		case execution.Completed, execution.Skipped:
			return 0
		case execution.Running:
			return max(0, usual-max(0, now.Sub(operation.StartedAt)))
		default:
			return usual
		}
	})
}
