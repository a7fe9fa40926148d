package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// subject is one resource under judgement: a case with ids of its own.
type subject struct {
	*suite
	kind   *contract.ResourceType
	given  map[string]any
	other  map[string]any
	refs   map[string]json.RawMessage
	tenant string
	id     string
	// owned and recorded are what a host's record would say.
	owned    bool
	recorded json.RawMessage
	calls    int
}

// subject makes a resource that no other rule has.
func (s *suite) subject(t *testing.T, c *Case) *subject {
	t.Helper()
	kind, ok := s.about.Type(c.Type)
	require.True(t, ok, "the provider has no type %q", c.Type)
	s.drawn++
	made := &subject{
		suite: s, kind: kind, tenant: "tenant", id: fmt.Sprintf("%08x", time.Now().UnixNano()&0xffffff<<8|int64(s.drawn&0xff)),
		given: maps.Clone(c.Properties), refs: map[string]json.RawMessage{},
	}
	for role, value := range c.References {
		made.refs[role] = document(t, value)
	}
	if c.Changed != nil {
		made.other = maps.Clone(c.Properties)
		maps.Copy(made.other, c.Changed)
	}
	return made
}

// in is the same resource of another tenant.
func (j *subject) in(tenant string) *subject {
	other := *j
	other.tenant, other.owned, other.recorded, other.calls = tenant, false, nil, 0
	return &other
}

// labelled says whether the type takes labels.
func (j *subject) labelled() bool {
	return j.kind.Discovery == contract.DiscoverByLabel || j.kind.LabelLimits.MaxCount > 0
}

// labels are those that a host would set.
func (j *subject) labels() map[string]string {
	if !j.labelled() {
		return nil
	}
	return map[string]string{
		contract.LabelOwner: "owner-of-" + j.tenant, contract.LabelDeployID: "deploy-" + j.id,
		contract.LabelResourceID: "subject", contract.LabelNodeID: j.id, contract.LabelGraphID: "0a0a0a0a",
	}
}

// context is what each call carries.
func (j *subject) context(t *testing.T) contract.CallContext {
	t.Helper()
	j.calls++
	c := contract.CallContext{
		CallID: fmt.Sprintf("%s-%d", j.id, j.calls), IdempotencyKey: "key-" + j.id, Attempt: 1, Tenant: j.tenant,
		DeploymentID: "deploy-" + j.id, Owner: "owner-of-" + j.tenant, Credentials: j.credentials(t, j.tenant),
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	if j.kind.Placement == contract.Regional {
		c.Region = j.target.Region
	}
	if j.suite.target.Settings != nil {
		c.Settings = document(t, j.suite.target.Settings)
	}
	return c
}

// name is the physical one.
func (j *subject) name() string {
	given, _ := j.given[strings.TrimPrefix(j.kind.Naming.Property, "/")].(string)
	return j.kind.Naming.Physical(given, j.id, j.target.Region, true, false)
}

// aim is the target of a call with these properties.
func (j *subject) aim(t *testing.T, properties map[string]any) contract.Target {
	t.Helper()
	return contract.Target{
		Type: j.kind.Name, Name: j.name(), Properties: j.sealProperties(t, properties), Labels: j.labels(), References: j.refs,
		Tags: map[string]string{}, Owned: j.owned, RecordedOutputs: j.recorded,
	}
}

// request is an Execute.
func (j *subject) request(t *testing.T, verb contract.Verb) *contract.ExecuteRequest {
	t.Helper()
	return &contract.ExecuteRequest{Context: j.context(t), Target: j.aim(t, j.given), Verb: verb}
}

// execute performs a verb. A host's record of who made what is kept on the way.
func (j *subject) execute(t *testing.T, request *contract.ExecuteRequest) (*contract.Result, []contract.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	var events []contract.Event
	result, err := j.process(t).Execute(ctx, request, func(e contract.Event) { events = append(events, e) })
	require.NoError(t, err, "a call must end with a result")
	j.hear(t, []any{events, result})
	require.Contains(t, contract.Outcomes(), result.Outcome)
	if result.Outcome != contract.OutcomeApplied {
		diagnosed(t, result.Diagnostics)
		return result, events
	}
	j.owned, j.recorded = request.Verb != contract.VerbDelete, result.Outputs
	return result, events
}

// applies performs a verb that must succeed.
func (j *subject) applies(t *testing.T, request *contract.ExecuteRequest) *contract.Result {
	t.Helper()
	result, events := j.execute(t, request)
	require.Equal(t, contract.OutcomeApplied, result.Outcome, "%s: %v", request.Verb, result.Diagnostics)
	require.Contains(t, contract.Changes(), result.Change)
	if result.Change == contract.ChangeCreated && request.Existing == nil {
		announced(t, result, events)
	}
	return result
}

// announced says that the identity came as an event, before the result.
func announced(t *testing.T, result *contract.Result, events []contract.Event) {
	t.Helper()
	for _, event := range events {
		if event.Identity != nil {
			require.Equal(t, event.Identity.ID, result.Identity)
			return
		}
	}
	require.Fail(t, "something was created, and no identity was announced")
}

// find searches, again for as long as the type says that reads may lag.
func (j *subject) find(t *testing.T) []contract.Found {
	t.Helper()
	for deadline := time.Now().Add(j.kind.SettleTime + callTime); ; {
		var found []contract.Found
		end, err := j.process(t).Find(t.Context(), &contract.FindRequest{Context: j.context(t), Target: j.aim(t, j.given)},
			func(f contract.Found) { found = append(found, f) })
		require.NoError(t, err)
		j.hear(t, []any{found, end})
		if end.Completeness == contract.Complete {
			return found
		}
		require.True(t, time.Now().Before(deadline), "Find never says COMPLETE")
		time.Sleep(max(end.RetryAfter, 100*time.Millisecond))
	}
}

// gone searches until nothing is found, within the settle time.
func (j *subject) gone(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(j.kind.SettleTime)
	for len(j.find(t)) > 0 {
		require.True(t, time.Now().Before(deadline), "what was deleted is still found after the settle time")
		time.Sleep(100 * time.Millisecond)
	}
}

// verify compares, and gives the checks by name.
func (j *subject) verify(t *testing.T, properties map[string]any) map[string]contract.CheckStatus {
	t.Helper()
	result, err := j.process(t).Verify(t.Context(), &contract.VerifyRequest{Context: j.context(t), Target: j.aim(t, properties)})
	require.NoError(t, err)
	j.hear(t, result)
	statuses := map[string]contract.CheckStatus{}
	for _, check := range result.Checks {
		require.NotEmpty(t, check.Name)
		require.Contains(t, contract.CheckStatuses(), check.Status)
		statuses[check.Name] = check.Status
	}
	return statuses
}

// settle does what a host does after an answer was lost, until the operation has ended.
func (j *subject) settle(t *testing.T, request *contract.ExecuteRequest) *contract.Result {
	t.Helper()
	found := j.find(t)
	require.LessOrEqual(t, len(found), 1, "one lost answer made several things")
	again := *request
	again.Context.Attempt++
	again.PriorOutcome = contract.OutcomeUnknown
	if len(found) == 1 {
		again.Existing = &found[0]
	}
	return j.applies(t, &again)
}

// remove deletes at the end of a rule.
func (j *subject) remove(t *testing.T) {
	t.Helper()
	j.applies(t, j.request(t, contract.VerbDelete))
	j.gone(t)
}

// credentials are the caller's, sealed for a tenant.
func (s *suite) credentials(t *testing.T, tenant string) json.RawMessage {
	t.Helper()
	if s.target.Credentials == nil {
		return nil
	}
	return s.sealed(t, s.about.CredentialsSchema, s.target.Credentials, func(_, value string) string {
		return s.box(t, sealedbox.Envelope{Audience: tenant, Purpose: sealedbox.PurposeCredential, Value: value})
	})
}

// sealProperties seals what the type's schema says is sealed.
func (j *subject) sealProperties(t *testing.T, properties map[string]any) json.RawMessage {
	t.Helper()
	return j.sealed(t, j.kind.Schema, properties, func(pointer, value string) string {
		return j.box(t, sealedbox.Envelope{
			Audience: j.tenant, Purpose: sealedbox.PurposeProperty(j.kind.Name, pointer), Value: value,
		})
	})
}

// box seals to the provider's primary key.
func (s *suite) box(t *testing.T, envelope sealedbox.Envelope) string {
	t.Helper()
	if envelope.Provider == "" {
		envelope.Provider = s.about.Name
	}
	s.secrets[envelope.Value] = true
	for _, key := range s.keys {
		if key.Primary {
			box, err := sealedbox.Seal(key.Key, envelope)
			require.NoError(t, err)
			return box
		}
	}
	require.Fail(t, "no key is primary")
	return ""
}

// sealed writes a document with the values sealed that its schema marks.
func (s *suite) sealed(
	t *testing.T, schema json.RawMessage, values map[string]any, seal func(pointer, value string) string,
) json.RawMessage {
	t.Helper()
	var about map[string]any
	require.NoError(t, json.Unmarshal(schema, &about), "a schema is not a JSON object")
	var plain any
	require.NoError(t, json.Unmarshal(document(t, values), &plain))
	return document(t, sealMarked(about, plain, "", seal))
}

// sealMarked walks a value along its schema.
func sealMarked(schema map[string]any, value any, pointer string, seal func(pointer, value string) string) any {
	switch given := value.(type) {
	case string:
		if schema["x-sealed"] == true {
			return seal(pointer, given)
		}
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		rest, _ := schema["additionalProperties"].(map[string]any)
		for name, inner := range given {
			about, ok := properties[name].(map[string]any)
			if !ok {
				about = rest
			}
			given[name] = sealMarked(about, inner, pointer+"/"+escape(name), seal)
		}
	case []any:
		about, _ := schema["items"].(map[string]any)
		for i, inner := range given {
			given[i] = sealMarked(about, inner, fmt.Sprintf("%s/%d", pointer, i), seal)
		}
	}
	return value
}

func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}
