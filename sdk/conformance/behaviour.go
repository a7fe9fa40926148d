package conformance

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// validatesRepeatably: valid properties have no errors, unknown ones have a pointer, and the answer is the same each time.
func validatesRepeatably(t *testing.T, s *suite, j *subject) {
	unknown := maps.Clone(j.given)
	unknown["a property that nobody has"] = 1
	items := []contract.ValidateItem{
		{Type: j.kind.Name, Verb: contract.VerbCreate, Properties: j.sealProperties(t, j.given)},
		{Type: j.kind.Name, Verb: contract.VerbCreate, Properties: document(t, unknown)},
	}
	for role := range j.refs {
		items[0].Roles = append(items[0].Roles, role)
	}
	first, err := s.process(t).Validate(t.Context(), items)
	require.NoError(t, err)
	s.hear(t, first)
	for _, diagnostic := range first[0] {
		require.NotEqual(t, contract.SeverityError, diagnostic.Severity, diagnostic.Summary)
	}
	found := diagnosed(t, first[1])
	require.Equal(t, contract.KindInvalidInput, found.Kind)
	require.Equal(t, "/a property that nobody has", found.Pointer)
	for range 3 {
		again, err := s.process(t).Validate(t.Context(), items)
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
}

// errorsHaveKinds: whatever is wrong with a request, the answer says what and what to do, and nothing was changed.
func errorsHaveKinds(t *testing.T, s *suite, j *subject) {
	before := s.count(t)
	for name, spoil := range map[string]func(*contract.ExecuteRequest){
		"unknown property": func(r *contract.ExecuteRequest) { r.Target.Properties = []byte(`{"nobody has this":1}`) },
		"no object":        func(r *contract.ExecuteRequest) { r.Target.Properties = []byte(`[]`) },
		"unknown type":     func(r *contract.ExecuteRequest) { r.Target.Type = s.about.Name + ":nobody:has:this" },
		"unknown verb":     func(r *contract.ExecuteRequest) { r.Verb = "" },
		"bad credentials":  func(r *contract.ExecuteRequest) { r.Context.Credentials = []byte(`{"nobody has this":1}`) },
	} {
		t.Run(name, func(t *testing.T) {
			request := j.request(t, contract.VerbCreate)
			spoil(request)
			result, _ := j.execute(t, request)
			require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
			require.NotEqual(t, contract.KindProviderFault, result.Diagnostics[0].Kind)
		})
	}
	require.Equal(t, before, s.count(t), "a refused request changed something")
}

// lives: create, verify, ensure, update, delete, each seen by Find and by the count.
func lives(t *testing.T, s *suite, j *subject) {
	before := s.count(t)
	require.Empty(t, j.find(t))
	require.Equal(t, contract.CheckFail, j.verify(t, j.given)["exists"])
	created := j.applies(t, j.request(t, contract.VerbCreate))
	require.Equal(t, contract.ChangeCreated, created.Change)
	require.Equal(t, before+1, s.count(t))
	j.standsThere(t, created)
	j.passes(t, j.given)
	again := j.applies(t, j.request(t, contract.VerbEnsure))
	require.NotEqual(t, contract.ChangeCreated, again.Change)
	require.Equal(t, created.Identity, again.Identity)
	if j.other != nil {
		j.changes(t)
	}
	require.Equal(t, before+1, s.count(t))
	deleted := j.applies(t, j.request(t, contract.VerbDelete))
	require.Equal(t, contract.ChangeDeleted, deleted.Change)
	j.gone(t)
	require.Equal(t, before, s.count(t))
	absent := j.applies(t, j.request(t, contract.VerbDelete))
	require.Equal(t, contract.ChangeNone, absent.Change, "deleting what is absent is applied, and changes nothing")
}

// standsThere: Find finds exactly what was made, and knows whose it is.
func (j *subject) standsThere(t *testing.T, created *contract.Result) {
	t.Helper()
	found := j.find(t)
	require.Len(t, found, 1)
	require.Equal(t, created.Identity, found[0].Identity)
	if !j.labelled() {
		return
	}
	require.Equal(t, contract.OwnershipOurs, found[0].Ownership)
	for key, value := range j.labels() {
		require.Equal(t, value, created.LabelsApplied[key], "label %s is not said to be applied", key)
	}
	other := j.in("another tenant")
	for _, seen := range other.find(t) {
		require.NotEqual(t, contract.OwnershipOurs, seen.Ownership, "another tenant is told that it owns this")
	}
}

// passes: Verify finds nothing wrong.
func (j *subject) passes(t *testing.T, properties map[string]any) {
	t.Helper()
	for name, status := range j.verify(t, properties) {
		require.NotEqual(t, contract.CheckFail, status, "check %s fails on what was just made so", name)
	}
}

// changes: an update changes what differs, Verify sees the difference, and a second one changes nothing.
func (j *subject) changes(t *testing.T) {
	t.Helper()
	require.Contains(t, statuses(j.verify(t, j.other)), contract.CheckFail, "Verify does not see that properties differ")
	update := j.request(t, contract.VerbUpdate)
	update.Target = j.aim(t, j.other)
	require.Equal(t, contract.ChangeUpdated, j.applies(t, update).Change)
	j.passes(t, j.other)
	require.Contains(t, statuses(j.verify(t, j.given)), contract.CheckFail)
}

func statuses(checks map[string]contract.CheckStatus) []contract.CheckStatus {
	var all []contract.CheckStatus
	for _, status := range checks {
		all = append(all, status)
	}
	return all
}

// madeOnce: the same create again finds its thing, and leaves it alone.
func madeOnce(t *testing.T, s *suite, j *subject) {
	before := s.count(t)
	request := j.request(t, contract.VerbCreate)
	j.applies(t, request)
	second, _ := j.execute(t, request)
	require.NotEqual(t, contract.OutcomeApplied, second.Outcome)
	require.Equal(t, contract.KindAlreadyExists, second.Diagnostics[0].Kind)
	require.Equal(t, before+1, s.count(t))
	j.remove(t)
}

// readsChangeNothing: with and without a thing there.
func readsChangeNothing(t *testing.T, s *suite, j *subject) {
	read := func() {
		before := s.count(t)
		j.find(t)
		j.verify(t, j.given)
		checked, err := s.process(t).CheckCredentials(t.Context(), &contract.CheckCredentialsRequest{
			Context: j.context(t), Identify: true,
		})
		require.NoError(t, err)
		s.hear(t, checked)
		require.Empty(t, checked.Diagnostics)
		require.NotEmpty(t, checked.Account, "nobody is told whose account this is")
		require.Equal(t, before, s.count(t))
	}
	read()
	j.applies(t, j.request(t, contract.VerbCreate))
	read()
	j.passes(t, j.given)
	j.remove(t)
}

// nothingAfterWriteBy: too late is too late for every verb.
func nothingAfterWriteBy(t *testing.T, s *suite, j *subject) {
	late := func(verb contract.Verb, properties map[string]any) {
		before := s.count(t)
		request := j.request(t, verb)
		request.Target = j.aim(t, properties)
		request.Context.WriteBy = time.Now().Add(-time.Second)
		result, _ := j.execute(t, request)
		require.NotEqual(t, contract.OutcomeApplied, result.Outcome, verb)
		require.NotEqual(t, contract.OutcomePartial, result.Outcome, verb)
		require.Equal(t, before, s.count(t), verb)
	}
	late(contract.VerbCreate, j.given)
	late(contract.VerbEnsure, j.given)
	j.applies(t, j.request(t, contract.VerbCreate))
	late(contract.VerbDelete, j.given)
	if j.other != nil {
		late(contract.VerbUpdate, j.other)
		j.passes(t, j.given)
	}
	j.remove(t)
}

// finishesExisting: what an earlier attempt left is taken up, not made again.
func finishesExisting(t *testing.T, s *suite, j *subject) {
	before := s.count(t)
	for _, verb := range []contract.Verb{contract.VerbCreate, contract.VerbEnsure} {
		request := j.request(t, verb)
		made := j.applies(t, request)
		settled := j.settle(t, request)
		require.Equal(t, made.Identity, settled.Identity)
		require.Equal(t, before+1, s.count(t))
		j.passes(t, j.given)
		j.remove(t)
	}
}

// tenantsDoNotMeet: many calls for many tenants at once, each with a thing of its own.
func tenantsDoNotMeet(t *testing.T, s *suite, j *subject) {
	before := s.count(t)
	subjects := j.tenants()
	if j.kind.Discovery == contract.DiscoverByName && subjects[0].name() == subjects[1].name() {
		t.Skip("things of this type have the same name for all")
	}
	created := atOnce(t, s.process(t), subjects)
	identities := map[string]bool{}
	for i, result := range created {
		require.NotNil(t, result)
		require.Equal(t, contract.OutcomeApplied, result.Outcome, "%v", result.Diagnostics)
		subjects[i].owned = true
		identities[result.Identity] = true
	}
	require.Len(t, identities, len(subjects))
	require.Equal(t, before+len(subjects), s.count(t))
	if sealedField(s.about.CredentialsSchema) != "" && s.target.Credentials != nil {
		stolen := subjects[0].request(t, contract.VerbDelete)
		stolen.Context.Tenant = subjects[1].tenant
		result, _ := subjects[0].execute(t, stolen)
		require.Equal(t, contract.OutcomeNotApplied, result.Outcome, "credentials of one tenant serve another")
	}
	for _, each := range subjects {
		each.remove(t)
	}
	require.Equal(t, before, s.count(t))
}

// tenants are eight of them with a resource each.
func (j *subject) tenants() []*subject {
	subjects := make([]*subject, 8)
	for i := range subjects {
		fresh := *j
		fresh.tenant, fresh.id = fmt.Sprintf("tenant-%d", i), fmt.Sprintf("%s%02x", j.id[:6], i)
		subjects[i] = &fresh
	}
	return subjects
}

// atOnce creates them all at the same time.
func atOnce(t *testing.T, p *process, subjects []*subject) []*contract.Result {
	t.Helper()
	results := make([]*contract.Result, len(subjects))
	var group sync.WaitGroup
	for i, each := range subjects {
		request := each.request(t, contract.VerbCreate)
		group.Go(func() { results[i], _ = p.Execute(t.Context(), request, func(contract.Event) {}) })
	}
	group.Wait()
	return results
}
