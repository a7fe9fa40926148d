package dispatch

import (
	"context"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// question is one operation as a provider is asked about it.
type question struct {
	provider contract.Provider
	kind     *contract.ResourceType
	verb     contract.Verb
	target   contract.Target
	context  contract.CallContext
}

// ask has the provider plan, or, where its type does not, look whether the thing is there.
func (q *question) ask(ctx context.Context) (Forecast, error) {
	if !q.kind.Plans {
		return q.look(ctx)
	}
	planned, err := q.plan(ctx)
	if contract.KindOf(err) == contract.KindUnsupported {
		return q.look(ctx)
	}
	if err != nil {
		return Forecast{}, err
	}
	told := Forecast{Action: planned.Action, Changes: planned.Changes, Permissions: planned.Permissions, Reason: reasonOf(planned.Diagnostics)}
	if !slices.Contains(contract.PlannedActions(), told.Action) {
		told.Action = ""
	}
	return told, nil
}

func (q *question) plan(ctx context.Context) (*contract.PlanResult, error) {
	planned, err := q.provider.Plan(ctx, &contract.PlanRequest{Context: q.context, Target: q.target, Verb: q.verb})
	if err == nil && planned == nil {
		err = contract.New(contract.KindProviderFault, "the provider planned nothing")
	}
	return planned, err
}

func reasonOf(diagnostics []contract.Diagnostic) string {
	var texts []string
	for _, d := range diagnostics {
		if d.Severity != contract.SeverityInfo {
			texts = append(texts, d.Summary)
		}
	}
	return strings.Join(texts, "; ")
}

// look derives the action from whether the thing is there, and whose it is.
func (q *question) look(ctx context.Context) (Forecast, error) {
	var found []contract.Found
	end, err := q.provider.Find(ctx, &contract.FindRequest{Context: q.context, Target: q.target}, func(f contract.Found) {
		found = append(found, f)
	})
	switch {
	case err != nil:
		return Forecast{}, err
	case len(found) > 1:
		return conflict(contract.DiagnosticOf(ambiguous(found)).Summary), nil
	case len(found) == 1:
		return q.present(found[0].Ownership), nil
	case end.Completeness != contract.Complete:
		return Forecast{Reason: "a search could not yet tell whether it exists"}, nil
	default:
		return q.absent(), nil
	}
}

func conflict(reason string) Forecast {
	return Forecast{Action: contract.ActionConflict, Reason: reason}
}

func (q *question) absent() Forecast {
	switch q.verb {
	case contract.VerbUpdate:
		return conflict("there is nothing to update")
	case contract.VerbDelete:
		return Forecast{Action: contract.ActionNoOp}
	default:
		return Forecast{Action: contract.ActionCreate}
	}
}

// present goes by the same rules of ownership as a provider does when it executes.
func (q *question) present(whose contract.Ownership) Forecast {
	free := whose == contract.OwnershipNobody || whose == contract.OwnershipUnknown
	ours := whose == contract.OwnershipOurs || whose == contract.OwnershipUnknown && q.target.Owned
	switch {
	case q.verb == contract.VerbCreate && (ours || !q.target.Adopt || !free):
		return conflict("it exists already")
	case !ours && (!q.target.Adopt || !free):
		return conflict("it exists, and no record or label says that it is this deployment's")
	case q.verb == contract.VerbDelete:
		return Forecast{Action: contract.ActionDelete}
	default:
		return Forecast{Reason: "it exists, and its type does not tell what would change"}
	}
}

// expect adds the properties that take a value later: whatever it is, it is not the one that is there.
func (f *Forecast) expect(later []string) {
	if len(later) == 0 {
		return
	}
	f.Later = later
	f.Changes = slices.DeleteFunc(slices.Clone(f.Changes), func(c contract.PropertyChange) bool {
		return slices.Contains(later, c.Pointer)
	})
	if f.Action == contract.ActionNoOp {
		f.Action = contract.ActionUpdate
	}
}
