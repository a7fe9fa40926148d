package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// notAsked is what a plan says when it knows no more than the configuration.
const notAsked = "no provider was asked what is there: give credentials to be told what would really change"

// preview asks the providers what the plan would really change, and says so in the answer. Nothing is stored.
func (e *Engine) preview(ctx context.Context, caller Caller, p *prepared, accounts map[string]string, credentials rest.Credentials) ([]dispatch.Forecast, error) {
	run := &dispatch.Run{
		ID: "plan/" + RandomID(), Tenant: caller.Tenant, DeploymentID: p.spec.DeploymentID, Owner: e.owner(caller.Tenant),
		Plan: p.plan, Access: dispatch.Access{Credentials: credentials, Accounts: accounts}, Settings: e.options.Settings, Sealed: boxesOf(p.sealed),
		AllowPlainBoxes: e.options.PlainBoxes(ctx),
	}
	allows := func(kind *contract.ResourceType, properties json.RawMessage) bool {
		return e.schemas.Allow(kind.Schema, properties)
	}
	forecasts, err := e.dispatcher.Forecast(ctx, run, recorded{placementsOf(p.resources)}, allows)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	p.plan.Foresee(func(i int) bool { return forecasts[i].Action == contract.ActionNoOp })
	return forecasts, nil
}

// recorded is what the store holds of a deployment's things; it implements dispatch.Records.
type recorded struct {
	placements map[placeKey]store.Placement
}

// Outputs are those on record.
func (r recorded) Outputs(nodeID, region string) json.RawMessage {
	return r.placements[placeKey{nodeID, region}].Outputs
}

// Made says whether the record holds this deployment as the maker.
func (r recorded) Made(operation *plan.Operation) bool {
	return r.placements[placeKey{operation.Node.Logical(), operation.Region}].Made
}

// Identity is what is recorded of the operation's thing.
func (r recorded) Identity(operation *plan.Operation) string {
	return r.placements[placeKey{operation.Node.Logical(), operation.Region}].Identity
}

// foretell adds what the providers said to the answer. A conflict does not make the plan a failure: things may stand otherwise
// when it is applied.
func foretell(response *rest.PlanResponse, forecasts []dispatch.Forecast) {
	response.ProvidersAsked, response.Actions = true, map[string]int{}
	for i := range forecasts {
		operation, told := &response.Operations[i], &forecasts[i]
		operation.Action, operation.ActionReason = string(told.Action), told.Reason
		if told.Action == "" {
			operation.Action = rest.ActionUnknown
		}
		operation.Permissions, operation.Changes = told.Permissions, propertyChanges(told)
		response.Actions[operation.Action]++
		if told.Action == contract.ActionConflict {
			response.Conflicts++
			response.Warnings = append(response.Warnings, fmt.Sprintf("%s would fail: %s", placeOf(operation), told.Reason))
		}
	}
}

// placeOf names an operation for a person.
func placeOf(operation *rest.OperationSummary) string {
	text := fmt.Sprintf("%s of %q", operation.Operation, operation.ResourceID)
	if operation.Region != "" {
		text += " in " + operation.Region
	}
	return text
}

func propertyChanges(told *dispatch.Forecast) []rest.PropertyChange {
	var changes []rest.PropertyChange
	for _, c := range told.Changes {
		change := rest.PropertyChange{Pointer: c.Pointer, Sensitive: c.Sensitive}
		if !c.Sensitive {
			change.Before, change.After = c.Before, c.After
		}
		changes = append(changes, change)
	}
	for _, pointer := range told.Later {
		changes = append(changes, rest.PropertyChange{Pointer: pointer, KnownAfterApply: true})
	}
	return changes
}
