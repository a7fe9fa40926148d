package provider_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

func TestDescribe(t *testing.T) {
	h := build(t, provider.TypeOf(buckets{discovery: contract.DiscoverByLabel}), provider.TypeOf(fixed{buckets{discovery: contract.DiscoverByName}}),
		provider.Limits[*vendor](contract.RateLimit{MaxConcurrent: 5}), provider.DefaultRegion[*vendor]("region"),
		provider.ReadsRecordsOf[*vendor]("^1.0.0"))
	about, err := h.provider.Describe(context.Background())
	require.NoError(t, err)
	require.Equal(t, []any{"acme", "1.2.3", "region", 5, []string{"^1.0.0"}},
		[]any{about.Name, about.Version, about.RegionField, about.RateLimit.MaxConcurrent, about.ReadsRecordsOf})
	bucket, ok := about.Type("acme:bucket")
	require.True(t, ok)
	require.Equal(t, []string{"/secret", "/env/*", "/nested/inner", "/options/*/inner"}, bucket.Sensitive)
	require.True(t, bucket.Validates)
	update, ok := bucket.Verb(contract.VerbUpdate)
	require.True(t, ok)
	require.Equal(t, contract.Convergent, update.RepeatSafety)
	create, _ := bucket.Verb(contract.VerbCreate)
	require.Equal(t, contract.VerbSupport{Verb: contract.VerbCreate, RepeatSafety: contract.ByLabel, TypicalDuration: time.Minute}, create)
	plain, _ := about.Type("acme:fixed")
	_, ok = plain.Verb(contract.VerbUpdate)
	require.False(t, ok)
	require.False(t, plain.Validates)

	var schema struct {
		AdditionalProperties bool
		Required             []string
		Properties           map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(bucket.Schema, &schema))
	require.Equal(t, []string{"name"}, schema.Required)
	require.False(t, schema.AdditionalProperties)
	require.Equal(t, "In GB.", schema.Properties["size"]["description"])
	require.Equal(t, map[string]any{
		"type": "string", "contentEncoding": "base64", "writeOnly": true, "x-sealed": true,
	}, schema.Properties["secret"])
	require.Contains(t, string(about.CredentialsSchema), `"x-sealed":true`)
	keys, err := h.provider.PublicKeys(context.Background())
	require.NoError(t, err)
	require.Equal(t, h.keys.Public(), keys)
}

// Resources that are wrong in one way each.
type (
	pointerUpdate  struct{ buckets }
	wrongUpdate    struct{ fixed }
	wrongValidate  struct{ fixed }
	reserved       struct{ fixed }
	wrongPlan      struct{ fixed }
	wrongRollback  struct{ fixed }
	noPlanner      struct{ fixed }
	wrongRow       struct{ row }
	described      struct{ fixed }
	recursive      struct{ Inner *recursive }
	recursiveRooms struct{}
)

func (w described) Describe() provider.Description {
	about := w.fixed.Describe()
	about.Type, about.Placement, about.Discovery, about.RepeatSafety = "other:thing", "", "", ""
	about.Identifying, about.SelfOutput = []string{"/what"}, "what"
	about.References = []contract.ReferenceRole{{Role: "r", Property: "/what"}}
	return about
}
func (wrongUpdate) Update(context.Context, *vendor) error { return nil }
func (wrongValidate) Validate(string)                     {}
func (reserved) Upgrade()                                 {}
func (wrongPlan) Plan() error                             { return nil }
func (wrongRollback) Rollback(context.Context, *vendor)   {}
func (wrongRow) Validate()                                {}
func (noPlanner) Rollback(context.Context, *vendor, *provider.Operation[Bucket]) (provider.Outputs, error) {
	return nil, nil
}
func (*pointerUpdate) Validate() {}

func (recursiveRooms) Describe() provider.Description { return rooms{}.Describe() }
func (recursiveRooms) Create(context.Context, *vendor, *provider.Operation[recursive]) (provider.Outputs, error) {
	return nil, nil
}
func (recursiveRooms) Delete(context.Context, *vendor, *provider.Operation[recursive]) (provider.Outputs, error) {
	return nil, nil
}
func (recursiveRooms) Verify(context.Context, *vendor, *provider.Operation[recursive]) ([]provider.Check, error) {
	return nil, nil
}
func (recursiveRooms) Find(context.Context, *vendor, *provider.Query[recursive], func(provider.Found) error) error {
	return nil
}

func TestNewRefusesWhatWouldMislead(t *testing.T) {
	good := provider.TypeOf(fixed{buckets{discovery: contract.DiscoverByLabel}})
	inner := fixed{buckets{discovery: contract.DiscoverByLabel}}
	cases := map[string]struct {
		name, version string
		types         []provider.Type[*vendor]
		says          []string
	}{
		"bad name":          {"Acme", "1.0.0", nil, []string{"lower-case"}},
		"bad version":       {"acme", "1.0", nil, []string{"semantic version"}},
		"twice":             {"acme", "1.0.0", []provider.Type[*vendor]{good, good}, []string{"given twice"}},
		"wrong Update":      {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(wrongUpdate{inner})}, []string{"Update"}},
		"wrong Validate":    {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(wrongValidate{inner})}, []string{"Validate"}},
		"wrong Plan":        {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(wrongPlan{inner})}, []string{"Plan", "Planner"}},
		"wrong Rollback":    {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(wrongRollback{inner})}, []string{"Rollbacker"}},
		"no Planner":        {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(noPlanner{inner})}, []string{"needs a Planner"}},
		"wrong composite":   {"acme", "1.0.0", []provider.Type[*vendor]{provider.CompositeOf[*vendor](wrongRow{})}, []string{"Validator"}},
		"composite twice":   {"acme", "1.0.0", []provider.Type[*vendor]{provider.CompositeOf[*vendor](row{}), provider.CompositeOf[*vendor](row{})}, []string{"twice"}},
		"reserved":          {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(reserved{inner})}, []string{"reserved"}},
		"pointer receiver":  {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(pointerUpdate{inner.inner})}, []string{"Validate", "pointer receiver"}},
		"no default region": {"acme", "1.0.0", []provider.Type[*vendor]{provider.DefaultRegion[*vendor]("what")}, []string{"what"}},
		"contains itself":   {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(recursiveRooms{})}, []string{"contains itself"}},
		"all at once": {"acme", "1.0.0", []provider.Type[*vendor]{provider.TypeOf(described{inner})}, []string{
			`begin with "acme:"`, "Placement", "Discovery", "RepeatSafety", "identifying", "fills", "SelfOutput",
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := provider.New(c.name, c.version, (&house{}).dial, c.types...)
			require.Error(t, err)
			for _, say := range c.says {
				require.Contains(t, err.Error(), say)
			}
		})
	}
	_, err := provider.New("acme", "1.0.0", func(context.Context, provider.Access[string, int]) (*vendor, error) { return nil, nil })
	require.ErrorContains(t, err, "not a struct")
}

func TestPropertiesAreDecodedStrictly(t *testing.T) {
	cases := map[string]struct{ properties, pointer string }{
		"unknown field":           {`{"name":"x","nmae":"y"}`, "/nmae"},
		"unknown field deeper":    {`{"nested":{"count":1,"what":2}}`, "/nested/what"},
		"unknown field in a list": {`{"options":[{},{"a/b~c":2}]}`, "/options/1/a~1b~0c"},
		"wrong type":              {`{"size":"canary"}`, "/size"},
		"wrong type in a map":     {`{"env":{"A":7}}`, "/env/A"},
		"fraction for an integer": {`{"size":1.5}`, "/size"},
		"list for an object":      {`{"nested":[]}`, "/nested"},
		"object for a list":       {`{"options":{}}`, "/options"},
		"no object":               {`[]`, ""},
		"not JSON":                {`{"name":`, ""},
		"two documents":           {`{} {}`, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			request := execute(contract.VerbCreate)
			request.Target.Properties = json.RawMessage(c.properties)
			result, _ := h.run(t, request)
			require.Equal(t, provider.InvalidInput, kind(result))
			require.Equal(t, c.pointer, result.Diagnostics[0].Pointer)
			require.NotContains(t, result.Diagnostics[0].Summary, "canary")
		})
	}
	h := build(t)
	for _, properties := range []string{``, `null`, `{}`, `{"nested":null,"env":null,"secret":null}`} {
		request := execute(contract.VerbCreate)
		request.Target.Properties = json.RawMessage(properties)
		result, _ := h.run(t, request)
		require.Equal(t, contract.OutcomeApplied, result.Outcome, result.Diagnostics)
	}
}

func FuzzProperties(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"x"}`, `{"env":{"a":"b"},"options":[{"inner":"x"}]}`, `[`, `{"size":1e99}`} {
		f.Add(seed)
	}
	h := build(f)
	f.Fuzz(func(t *testing.T, properties string) {
		request := execute(contract.VerbCreate)
		request.Target.Properties = json.RawMessage(properties)
		result, _ := h.run(t, request)
		if result.Outcome != contract.OutcomeApplied {
			require.Equal(t, provider.InvalidInput, kind(result))
		}
	})
}

func TestAnAuthorTestsAMethodByHand(t *testing.T) {
	v := &vendor{}
	ctx, op, trial := provider.NewOperation(context.Background(), provider.Runtime{}, provider.Operation[Bucket]{
		Verb: contract.VerbCreate, Name: "data", Properties: Bucket{Secret: provider.FakeSealed(canary)},
	})
	a := &answering{}
	v.create = func(ctx context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
		secret, err := op.Open(op.Properties.Secret)
		require.NoError(t, err)
		require.Equal(t, canary, secret.Reveal())
		require.NoError(t, a.request(ctx, "PUT"))
		op.Made("arn:new")
		op.Progress(0.5, "half")
		op.Log("warn", "the value is %s", canary)
		return nil, provider.Errorf(provider.Network, "gone")
	}
	_, err := buckets{}.Create(ctx, v, op)
	recorded := trial.Recorded()
	require.Equal(t, []string{"arn:new"}, recorded.Made)
	require.Equal(t, []contract.Progress{{Fraction: 0.5, Message: "half"}}, recorded.Progress)
	require.Equal(t, []contract.Log{{Level: "warn", Message: "the value is ***"}}, recorded.Logs)
	require.Equal(t, []int{1, 1, 0, 0}, []int{recorded.Started, recorded.Succeeded, recorded.Refused, recorded.Unclear})
	require.Equal(t, contract.OutcomePartial, trial.Outcome(err))
	require.Equal(t, contract.OutcomeApplied, trial.Outcome(nil))
}

func TestAnOperationFilledByHandDoesNotPanic(t *testing.T) {
	op := &provider.Operation[Bucket]{Properties: Bucket{Secret: provider.FakeSealed(canary)}}
	op.Made("x")
	op.Wrote()
	op.Progress(1, "x")
	op.Log("info", "x")
	require.NoError(t, op.MayWrite())
	require.Empty(t, op.Fingerprint(provider.NewSecret("x")))
	secret, err := op.Open(op.Properties.Secret)
	require.NoError(t, err)
	require.Equal(t, canary, secret.Reveal())
	_, err = op.Open(provider.Sealed{})
	require.Equal(t, provider.DecryptionFailed, contract.KindOf(err))
	access := provider.Access[Key, Place]{Credentials: Key{Secret: provider.FakeSealed("x")}}
	_, err = access.Open(access.Credentials.Secret)
	require.NoError(t, err)
}

func TestChecks(t *testing.T) {
	require.Equal(t, contract.CheckPass, provider.Equal("n", 5, 5).Status)
	require.Equal(t, provider.Check{Name: "n", Status: contract.CheckFail, Expected: "5", Actual: "6"}, provider.Equal("n", 5, 6))
	same := provider.EqualJSON("p", json.RawMessage(`{"b":[1], "a":1.5}`), map[string]any{"a": 1.5, "b": []int{1}})
	require.Equal(t, contract.CheckPass, same.Status)
	differ := provider.EqualJSON("p", json.RawMessage(`{"a":1}`), json.RawMessage(`{"a":2}`))
	require.Equal(t, provider.Check{Name: "p", Status: contract.CheckFail, Expected: `{"a":1}`, Actual: `{"a":2}`}, differ)
	require.Equal(t, contract.CheckUnknown, provider.EqualJSON("p", json.RawMessage(`{`), 1).Status)
}

func TestErrorf(t *testing.T) {
	cause := context.DeadlineExceeded
	err := provider.Errorf(provider.NotReady, "the role cannot be assumed: %w", cause)
	require.ErrorIs(t, err, cause)
	require.Equal(t, contract.RetryAfterDelay, err.Retry)
	require.Equal(t, contract.SeverityError, err.Severity)
	require.True(t, strings.HasPrefix(err.Summary, "the role cannot be assumed"))
}
