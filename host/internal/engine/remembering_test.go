package engine_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// memory is a provider that plans its things and can bring them back: what noop does not say, it reads from what noop finds.
type memory struct {
	contract.Provider

	mu sync.Mutex
	// planned counts Plan calls by resource id and verb; refusing answers in their place when it is set.
	planned  map[string]int
	asked    []*contract.PlanRequest
	refusing func(resourceID string) error
	// undone are the Rollback calls; losing loses the answer of the first n of them, after they were performed.
	undone []*contract.RollbackRequest
	losing int
	// answering is told after each Rollback, before it is answered.
	answering func(resourceID string)
}

// remember makes these types of the house's provider plan and roll back, and no others.
func (h *house) remember(types ...string) *memory {
	m := &memory{Provider: h.plugins.Provider, planned: map[string]int{}}
	h.plugins.Provider = m
	for i := range h.plugins.description.ResourceTypes {
		kind := &h.plugins.description.ResourceTypes[i]
		kind.Plans = slices.Contains(types, kind.Name)
		kind.Rollbacks = kind.Plans
	}
	return m
}

const recordFormat = "memory/1"

func (m *memory) Plan(ctx context.Context, r *contract.PlanRequest) (*contract.PlanResult, error) {
	id := r.Target.Labels[contract.LabelResourceID]
	m.mu.Lock()
	m.planned[id+" "+string(r.Verb)]++
	m.asked = append(m.asked, r)
	refusing := m.refusing
	m.mu.Unlock()
	if refusing != nil {
		if err := refusing(id); err != nil {
			return nil, err
		}
	}
	value, found, err := m.value(ctx, r)
	if err != nil {
		return nil, err
	}
	return m.result(r, value, found), nil
}

// value is what the thing holds.
func (m *memory) value(ctx context.Context, r *contract.PlanRequest) (value json.RawMessage, found bool, err error) {
	_, err = m.Provider.Find(ctx, &contract.FindRequest{Context: r.Context, Target: r.Target}, func(f contract.Found) {
		outputs := map[string]json.RawMessage{}
		_ = json.Unmarshal(f.Outputs, &outputs)
		value, found = outputs["value"], true
	})
	return value, found, err
}

func (m *memory) result(r *contract.PlanRequest, before json.RawMessage, found bool) *contract.PlanResult {
	properties := map[string]json.RawMessage{}
	_ = json.Unmarshal(r.Target.Properties, &properties)
	after := properties["value"]
	record := &contract.RollbackRecord{Format: recordFormat, Data: before}
	change := []contract.PropertyChange{{Pointer: "/value", Before: before, After: after}}
	deletes := r.Verb == contract.VerbDelete
	switch {
	case deletes && found:
		return &contract.PlanResult{Action: contract.ActionDelete, Record: record}
	case deletes:
		return &contract.PlanResult{Action: contract.ActionNoOp}
	case found && r.Verb == contract.VerbCreate:
		diagnostic := contract.New(contract.KindAlreadyExists, "it stands there already").Diagnostic
		return &contract.PlanResult{Action: contract.ActionConflict, Diagnostics: []contract.Diagnostic{diagnostic}}
	case found && string(before) == string(after):
		return &contract.PlanResult{Action: contract.ActionNoOp}
	case found:
		return &contract.PlanResult{
			Action: contract.ActionUpdate, Changes: change, Record: record, Permissions: []string{"noop:Put"}, Prepared: []byte("prepared"),
		}
	case r.Verb == contract.VerbUpdate:
		return &contract.PlanResult{Action: contract.ActionConflict}
	default:
		return &contract.PlanResult{Action: contract.ActionCreate, Permissions: []string{"noop:Put"}}
	}
}

func (m *memory) Rollback(ctx context.Context, r *contract.RollbackRequest, emit func(contract.Event)) (*contract.Result, error) {
	m.mu.Lock()
	m.undone = append(m.undone, r)
	lost, answering := len(m.undone) <= m.losing, m.answering
	m.mu.Unlock()
	if r.Record.Format != recordFormat {
		return nil, contract.New(contract.KindUnsupported, "this record has another format")
	}
	target := r.Target
	target.Properties = json.RawMessage(`{"value":` + string(r.Record.Data) + `}`)
	request := &contract.ExecuteRequest{Context: r.Context, Target: target, Verb: contract.VerbEnsure}
	result, err := m.Provider.Execute(ctx, request, emit)
	if answering != nil {
		answering(r.Target.Labels[contract.LabelResourceID])
	}
	if lost {
		return nil, contract.New(contract.KindInterrupted, "the connection broke")
	}
	return result, err
}

func (m *memory) count(what string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.planned[what]
}

// held is what the things of the world hold, by resource id and region.
func (h *house) held(t *testing.T) map[string]string {
	held := map[string]string{}
	for _, it := range h.items(t) {
		held[it.Labels[contract.LabelResourceID]+it.Region] = it.Value
	}
	return held
}
