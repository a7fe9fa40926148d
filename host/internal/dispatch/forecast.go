package dispatch

import (
	"context"
	"encoding/json"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// forecastTimeout bounds what one operation is asked about; what takes longer is not known.
const forecastTimeout = time.Minute

// Forecast is what one operation would really do.
type Forecast struct {
	// Action is "" when it cannot be told; Reason then says why, and so it does for a conflict.
	Action  contract.PlannedAction
	Reason  string
	Changes []contract.PropertyChange
	// Later points to properties that take a value from what is not there yet.
	Later       []string
	Permissions []string
}

// Allows says whether a type's schema takes these properties.
type Allows func(kind *contract.ResourceType, properties json.RawMessage) bool

// Forecast asks the providers what each operation of the run's plan would change, in the order of the plan, as many at once as
// the limits let through. It reads, and records nothing. An error means that ctx ended.
func (d *Dispatcher) Forecast(ctx context.Context, run *Run, records Records, allows Allows) ([]Forecast, error) {
	n := len(run.Plan.Operations)
	f := &forecaster{Performer: d.performer(run, records), allows: allows, forecasts: make([]Forecast, n)}
	walk(run.Plan, d.options.Concurrency, func(i int) { f.forecasts[i] = f.forecast(ctx, i) })
	return f.forecasts, ctx.Err()
}

type forecaster struct {
	*Performer
	allows    Allows
	forecasts []Forecast
}

// forecast asks, and again where that may help.
func (f *forecaster) forecast(ctx context.Context, i int) Forecast {
	ctx, cancel := context.WithTimeout(ctx, forecastTimeout)
	defer cancel()
	for try := 1; ; try++ {
		told, err := f.ask(ctx, i)
		if err == nil {
			return told
		}
		d := contract.DiagnosticOf(err)
		again := d.Retry == contract.RetryAfterDelay || d.Kind == contract.KindInterrupted
		if !again || try >= f.dispatcher.options.Tries || !pause(ctx, max(d.RetryAfter, backoff(try))) {
			return Forecast{Reason: string(d.Kind) + ": " + d.Summary}
		}
	}
}

func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f *forecaster) ask(ctx context.Context, i int) (Forecast, error) {
	operation := &f.run.Plan.Operations[i]
	if operation.Node.Verb == contract.VerbVerify {
		return Forecast{Action: contract.ActionNoOp}, nil
	}
	name, version := f.pin(operation.Node)
	provider, description, release, err := f.dispatcher.providers.Use(ctx, name, version)
	if err != nil {
		return Forecast{}, err
	}
	defer release()
	kind, ok := description.Type(operation.Node.Type)
	if !ok {
		return Forecast{}, contract.New(contract.KindUnsupported, "the provider no longer offers this resource type")
	}
	values, later, err := f.references(ctx, i)
	if err != nil {
		return Forecast{}, err
	}
	target, err := f.filled(operation, values)
	if err != nil {
		return Forecast{}, err
	}
	if len(later) > 0 && !f.askable(kind, operation.Node, later, target.Properties) {
		return f.derived(i, later), nil
	}
	if f.withheld(operation.Node) && !f.allows(kind, target.Properties) {
		return Forecast{Reason: "not asked: it has a sealed value that was not stored and was not given again"}, nil
	}
	q := question{provider: provider, kind: kind, verb: operation.Node.Verb, target: target, context: f.callContext(operation)}
	leave, err := f.dispatcher.limits.enter(ctx, q.context, name, description.RateLimit)
	if err != nil {
		return Forecast{}, err
	}
	defer leave()
	told, err := q.ask(ctx)
	told.expect(pointersOf(operation.Node, later))
	return told, err
}

// references resolves what exists, and names the roles whose value is known only later.
func (f *forecaster) references(ctx context.Context, i int) (values map[string]json.RawMessage, later []string, err error) {
	operation := &f.run.Plan.Operations[i]
	values = map[string]json.RawMessage{}
	for role, reference := range operation.Node.References {
		if f.coming(i, reference) {
			later = append(later, role)
			continue
		}
		value, err := f.resolve(ctx, operation, reference)
		switch {
		case contract.KindOf(err) == contract.KindPrecondition:
			later = append(later, role)
		case err != nil:
			return nil, nil, err
		default:
			values[role] = value
		}
	}
	if lenient(operation.Node) {
		later = nil
	}
	return values, later, nil
}

// coming says that what is referred to would be made by this plan.
func (f *forecaster) coming(i int, reference graph.Reference) bool {
	operation := &f.run.Plan.Operations[i]
	to, err := f.referenced(operation, reference)
	if err != nil {
		return false
	}
	for _, edge := range operation.Predecessors {
		if &f.run.Plan.Operations[edge.Operation] == to {
			action := f.forecasts[edge.Operation].Action
			return action == contract.ActionCreate || action == contract.ActionReplace
		}
	}
	return false
}

// askable says whether the provider can be asked without these: none says which thing it is, and the schema can do without.
func (f *forecaster) askable(kind *contract.ResourceType, node *graph.Node, later []string, properties json.RawMessage) bool {
	for _, role := range later {
		property := node.References[role].Property
		if property == "" {
			return false
		}
		for _, identifying := range kind.Identifying {
			if identifying == property {
				return false
			}
		}
	}
	return f.allows(kind, properties)
}

// withheld says that a sealed value of the node is not at hand, nor needed to delete it.
func (f *forecaster) withheld(node *graph.Node) bool {
	for _, need := range node.Needs() {
		if f.run.Sealed[need.NodeID][need.Pointer] == "" && node.Verb != contract.VerbDelete {
			return true
		}
	}
	return false
}

// derived is the forecast when nobody can be asked yet: what is on record will get a new value, what is not will be made.
func (f *forecaster) derived(i int, later []string) Forecast {
	operation := &f.run.Plan.Operations[i]
	told := Forecast{
		Action: contract.ActionCreate, Later: pointersOf(operation.Node, later),
		Reason: "not asked: it depends on what is not there yet",
	}
	recorded := f.records.Made(operation) || f.records.Identity(operation) != ""
	if operation.Node.Verb == contract.VerbUpdate || operation.Node.Verb == contract.VerbEnsure && recorded {
		told.Action = contract.ActionUpdate
	}
	return told
}

func pointersOf(node *graph.Node, roles []string) []string {
	var pointers []string
	for _, role := range roles {
		if property := node.References[role].Property; property != "" {
			pointers = append(pointers, property)
		}
	}
	return pointers
}
