package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// runOptions is what a run keeps of its command, and what was said about it at its beginning.
type runOptions struct {
	Only     []string        `json:"only,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	LeftOver []rest.LeftOver `json:"left_over,omitempty"`
	// Move is what a run of the kind move is to do.
	Move *moveOptions `json:"move,omitempty"`
	// TimeoutSeconds bounds each drive of the run; 0 for none.
	TimeoutSeconds float64 `json:"timeout_seconds,omitempty"`
	// PreviousHead is the graph that the deployment stood as before the run, "" for none; nil where nobody wrote it down.
	PreviousHead *string `json:"previous_head,omitempty"`
	// Undoes is the run that a rollback takes back, Restores the graph that is the head again once it has, "" for none, and
	// Head the one that was the head when it began.
	Undoes   string `json:"undoes,omitempty"`
	Restores string `json:"restores,omitempty"`
	Head     string `json:"head,omitempty"`
}

// reload brings a run back from the store: its plan, its state, and what is recorded of its resources.
func (e *Engine) reload(ctx context.Context, caller Caller, run store.Run) (*drive, *execution.Run, error) {
	d := &drive{run: run}
	var err error
	if d.options, err = optionsOf(&run); err != nil {
		return nil, nil, err
	}
	spec, _, err := e.load(ctx, caller, run.PlanGraphID)
	if err != nil {
		return nil, nil, err
	}
	if d.plan, err = e.planOf(run.Kind, spec, run.ExecGraphID, d.options.Only); err != nil {
		return nil, nil, err
	}
	if err := e.learn(ctx, caller.Tenant, d.plan); err != nil {
		return nil, nil, err
	}
	events, err := e.store.Events(ctx, run.ID, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	state, err := execution.Replay(run.ID, operationIDs(d.plan), events)
	if err != nil {
		return nil, nil, fmt.Errorf("replay run %s: %w", run.ID, err)
	}
	resources, err := e.store.Resources(ctx, caller.Tenant, run.DeploymentID)
	if err != nil {
		return nil, nil, err
	}
	d.placements = placementsOf(resources)
	return d, state, nil
}

// optionsOf reads what a run kept of its command.
func optionsOf(run *store.Run) (options runOptions, err error) {
	if err := json.Unmarshal(run.Options, &options); err != nil {
		return options, fmt.Errorf("options of run %s: %w", run.ID, err)
	}
	return options, nil
}

// planOf orders a graph for a kind of run: a verification needs no order, and looks at nothing that was to be deleted.
func (e *Engine) planOf(kind execution.RunKind, spec *graph.Spec, execGraphID string, only []string) (*plan.Plan, error) {
	if kind == execution.Verify {
		var err error
		if spec, err = verifiable(spec); err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
	}
	full, err := plan.New(spec, nil, execGraphID)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return limited(full, only)
}
