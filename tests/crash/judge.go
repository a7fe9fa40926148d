package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// The rules, as the summary counts them.
const (
	ruleOrphan    = "orphan"
	ruleDuplicate = "duplicate"
	ruleLost      = "lost acknowledgement"
	ruleEvents    = "events"
	ruleNotDone   = "not done"
	ruleNoIntent  = "made before its intent"
	ruleLeftOver  = "left over"
	ruleStuck     = "stuck"
	ruleTwoHosts  = "two hosts on one run"
)

var rules = []string{
	ruleOrphan, ruleDuplicate, ruleLost, ruleEvents, ruleNotDone, ruleNoIntent, ruleLeftOver, ruleStuck, ruleTwoHosts,
}

// unlabelled is the type whose things carry no labels.
const unlabelled = "github:secret:repo"

// violation is one thing that must not be.
type violation struct{ rule, text string }

// layer is one run over the deployment: an apply, an apply that changes it, or a destroy.
type layer struct {
	kind     string
	scenario *scenario // nil for a destroy
	// graphID is that by which the run is asked for.
	graphID string
	// run is empty while it is not known whether the host has stored the run.
	run string
	// told are the events that a follower was given, version is the newest of them, and spoken the newest that a status spoke of.
	told            map[int64]event
	version, spoken int64
	// posted has the config sent, although a graph of it may be known.
	posted bool
	// stands is how the run stood when it was last asked for.
	stands string
	// ledger is the run in the store, status what the host says of it: nil while there is none.
	ledger *ledgerRun
	status *rest.StatusResponse
	served []event

	replayed *history // of the ledger's events
}

func (l *layer) history() *history {
	if l.replayed == nil {
		l.replayed = replay(l.ledger.Events)
	}
	return l.replayed
}

// evidence is all that is known at one moment.
type evidence struct {
	deploymentID string
	layers       []*layer
	things       []thing

	found []violation
}

func (e *evidence) blame(rule, format string, args ...any) {
	e.found = append(e.found, violation{rule, fmt.Sprintf(format, args...)})
}

// judge holds the evidence against every rule.
func (e *evidence) judge() []violation {
	for _, l := range e.layers {
		e.judgeEvents(l)
	}
	at := e.match()
	for _, where := range e.places() {
		e.judgePlace(where, at)
	}
	return e.found
}

// judgeEvents: what was told is kept, nothing is missing in between, and file, events and status say the same.
func (e *evidence) judgeEvents(l *layer) {
	if l.run == "" {
		return
	}
	if l.ledger == nil {
		e.blame(ruleLost, "run %s was acknowledged and is not in the file", l.run)
		return
	}
	if spoken := max(l.version, l.spoken); l.ledger.Version < spoken {
		e.blame(ruleLost, "run %s stands at event %d, and %d was told of", l.run, l.ledger.Version, spoken)
	}
	for _, version := range slices.Sorted(maps.Keys(l.told)) {
		if int(version) > len(l.ledger.Events) || !reflect.DeepEqual(l.ledger.Events[version-1], l.told[version]) {
			e.blame(ruleLost, "run %s: event %d is not what was told", l.run, version)
		}
	}
	h := l.history()
	for _, text := range h.broken {
		e.blame(ruleEvents, "run %s: %s", l.run, text)
	}
	if h.version != l.ledger.Version || h.status != l.ledger.Status {
		e.blame(ruleEvents, "run %s is %s at %d, and its events say %s at %d", l.run, l.ledger.Status, l.ledger.Version, h.status, h.version)
	}
	e.judgeHosts(l)
	e.judgeStatus(l)
}

// judgeHosts: from one start of the run until it next rests, one host alone begins attempts, whoever believes to have it.
func (e *evidence) judgeHosts(l *layer) {
	var at string
	for i := range l.ledger.Events {
		told := &l.ledger.Events[i]
		host := l.ledger.Hosts[told.Version]
		switch {
		case told.Kind == "run_changed" && told.RunStatus == "running":
			at = ""
		case host == "":
		case at != "" && at != host:
			e.blame(ruleTwoHosts, "run %s: event %d is of host %s, while %s has the run", l.run, told.Version, host, at)
		default:
			at = host
		}
	}
}

// judgeStatus: the events that are served begin with those of the file, and add up to the status that is served.
func (e *evidence) judgeStatus(l *layer) {
	if l.status == nil {
		return
	}
	if len(l.served) < len(l.ledger.Events) || !reflect.DeepEqual(l.served[:len(l.ledger.Events)], l.ledger.Events) {
		e.blame(ruleEvents, "run %s: the events served are not those of the file", l.run)
	}
	h := replay(l.served)
	for _, text := range h.broken {
		e.blame(ruleEvents, "run %s, as served: %s", l.run, text)
	}
	if h.status != l.status.Status || h.version != l.status.EventVersion {
		e.blame(ruleEvents, "run %s: status says %s at %d, its events %s at %d", l.run, l.status.Status, l.status.EventVersion, h.status, h.version)
	}
	for i := range l.status.Operations {
		operation := &l.status.Operations[i]
		if replayed := h.operation(operation.ID); replayed.status != operation.Status || replayed.open != operation.IntentOpen {
			e.blame(ruleEvents, "run %s: operation %s is %s, its events say %s", l.run, operation.ID, operation.Status, replayed.status)
		}
	}
}

// match finds the logical resource of each thing: one that has none is an orphan, two of one are duplicates, and none may be
// there that was not announced.
func (e *evidence) match() map[place]*thing {
	at := map[place]*thing{}
	for i := range e.things {
		t := &e.things[i]
		where, ok := e.placeOf(t)
		switch {
		case !ok:
			e.blame(ruleOrphan, "%s %s in %q belongs to nothing that was asked for", t.Type, t.Name, t.Region)
		case at[where] != nil:
			e.blame(ruleDuplicate, "%s %s in %q is there twice: %s and %s", t.Type, where.Resource, where.Region, at[where].Name, t.Name)
		case !e.announced(where):
			e.blame(ruleNoIntent, "%s %s in %q is there, and no intent says why", t.Type, where.Resource, where.Region)
		default:
			at[where] = t
		}
	}
	return at
}

// placeOf goes by labels, and by name for what carries none.
func (e *evidence) placeOf(t *thing) (place, bool) {
	for _, l := range slices.Backward(e.layers) {
		if l.status == nil || l.scenario == nil {
			continue
		}
		for i := range l.status.Operations {
			operation := &l.status.Operations[i]
			if operation.ResourceType == t.Type && operation.Region == t.Region && e.is(t, operation) {
				return place{operation.ResourceID, operation.Region}, true
			}
		}
	}
	return place{}, false
}

func (e *evidence) is(t *thing, operation *rest.OperationStatus) bool {
	if len(t.Labels) == 0 {
		return t.Name == operation.Name
	}
	return t.Labels[contract.LabelDeployID] == e.deploymentID && t.Labels[contract.LabelResourceID] == operation.ResourceID
}

// announced says whether an apply's file holds an intent for the place.
func (e *evidence) announced(where place) bool {
	for _, l := range e.layers {
		if operation := l.operationAt(where); l.scenario != nil && operation != nil && operation.intents > 0 {
			return true
		}
	}
	return false
}

// operationAt is what the file says of the operation at a place; nil when the run has none there.
func (l *layer) operationAt(where place) *operationHistory {
	if l.status == nil || l.ledger == nil {
		return nil
	}
	for i := range l.status.Operations {
		operation := &l.status.Operations[i]
		if operation.ResourceID == where.Resource && operation.Region == where.Region {
			return l.history().operation(operation.ID)
		}
	}
	return nil
}

func (e *evidence) places() []place {
	seen := map[place]bool{}
	for _, l := range e.layers {
		if l.scenario != nil {
			for where := range l.scenario.wants {
				seen[where] = true
			}
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// judgePlace: the last run that was at work there decides. What it has completed is so; what it has begun may be so or not;
// where it has not begun, the run before it decides.
func (e *evidence) judgePlace(where place, at map[place]*thing) {
	for i, l := range slices.Backward(e.layers) {
		operation := l.operationAt(where)
		switch {
		case operation == nil || operation.intents == 0 && operation.status != "completed":
			continue
		case operation.status != "completed":
			return
		case l.scenario == nil && at[where] != nil:
			e.blame(ruleLeftOver, "%s in %q was deleted, and is there", where.Resource, where.Region)
		case l.scenario != nil:
			// What a later apply may have changed elsewhere is part of what is compared with.
			settled := i == len(e.layers)-1 || e.layers[len(e.layers)-1].scenario == nil
			e.judgeValues(l, where, at, settled)
		}
		return
	}
}

func (e *evidence) judgeValues(l *layer, where place, at map[place]*thing, settled bool) {
	t := at[where]
	if t == nil {
		e.blame(ruleNotDone, "%s in %q is completed, and is not there", where.Resource, where.Region)
		return
	}
	if t.Type != unlabelled && (t.Labels[contract.LabelOwner] == "" || t.Labels[contract.LabelNodeID] == "") {
		e.blame(ruleNotDone, "%s in %q is completed, and lacks labels", where.Resource, where.Region)
	}
	if !settled {
		return
	}
	wants := l.scenario.wants[where](func(other place) *thing { return at[other] })
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		if t.Values[name] != wants[name] {
			e.blame(ruleNotDone, "%s in %q is completed, and its %s is not what was asked for", where.Resource, where.Region, name)
		}
	}
}
