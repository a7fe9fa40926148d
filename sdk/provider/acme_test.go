package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the time in every test that does not run in a bubble of its own.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Key is the credentials of acme, Place its settings, Bucket the properties of a bucket.
type (
	Key struct {
		ID     string          `json:"id"`
		Secret provider.Sealed `json:"encrypted_secret"`
		Region string          `json:"region,omitempty"`
	}
	Place struct {
		Endpoint string `json:"endpoint,omitempty"`
	}
	Bucket struct {
		Name    string                     `json:"name" jsonschema:"maxLength=63"`
		Size    int                        `json:"size,omitempty" jsonschema:"minimum=1" jsonschema_description:"In GB."`
		Secret  provider.Sealed            `json:"secret,omitempty"`
		Env     map[string]provider.Sealed `json:"env,omitempty"`
		Nested  *Nested                    `json:"nested,omitempty"`
		Options []Nested                   `json:"options,omitempty"`
	}
	Nested struct {
		Inner provider.Sealed `json:"inner,omitempty"`
		Count int             `json:"count,omitempty"`
	}
)

// vendor is the fake client: each test says what its calls do.
type vendor struct {
	things []provider.Found
	// lag makes Find inconclusive.
	lag            time.Duration
	findErr        error
	create, update func(context.Context, *provider.Operation[Bucket]) (provider.Outputs, error)
	remove         func(context.Context, *provider.Operation[Bucket]) (provider.Outputs, error)
	check          func(context.Context, *provider.Operation[Bucket]) ([]provider.Check, error)

	mu     sync.Mutex
	called []string
	ops    []provider.Operation[Bucket]
}

func (v *vendor) note(name string, op *provider.Operation[Bucket]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.called = append(v.called, name)
	v.ops = append(v.ops, *op)
}

// buckets is the type under test; labelled and updatable.
type buckets struct {
	discovery contract.Discovery
	validate  func(Bucket, provider.References) []provider.Diagnostic
}

func (b buckets) Describe() provider.Description {
	return provider.Description{
		Type: "acme:bucket", Summary: "A bucket.", Placement: contract.Regional, Identifying: []string{"/name"},
		Discovery: b.discovery, RepeatSafety: contract.ByLabel, SelfOutput: "arn", SettleTime: time.Second, Typical: time.Minute,
		References: []contract.ReferenceRole{{Role: "size-from", Property: "/size"}},
		Outputs: []contract.OutputField{
			{Name: "arn"}, {Name: "password", Sensitive: true, Once: true}, {Name: "plain-password", Sensitive: true},
		},
		Naming: contract.Naming{Property: "/name", Suffix: contract.SuffixNode},
	}
}

func (buckets) Create(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	v.note("create", op)
	if v.create != nil {
		return v.create(ctx, op)
	}
	op.Made("arn:new")
	return provider.Outputs{"arn": "arn:new"}, nil
}

func (buckets) Update(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	v.note("update", op)
	if v.update != nil {
		return v.update(ctx, op)
	}
	op.Wrote()
	return provider.Outputs{"arn": op.Existing.Identity}, nil
}

func (buckets) Delete(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	v.note("delete", op)
	if v.remove != nil {
		return v.remove(ctx, op)
	}
	op.Wrote()
	return nil, nil
}

func (buckets) Verify(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) ([]provider.Check, error) {
	v.note("verify", op)
	if v.check != nil {
		return v.check(ctx, op)
	}
	return []provider.Check{provider.Equal("size", op.Properties.Size, op.Properties.Size)}, nil
}

func (buckets) Find(_ context.Context, v *vendor, _ *provider.Query[Bucket], found func(provider.Found) error) error {
	if v.findErr != nil {
		return v.findErr
	}
	for _, thing := range v.things {
		if err := found(thing); err != nil {
			return err
		}
	}
	if v.lag > 0 {
		return provider.Inconclusive(v.lag)
	}
	return nil
}

func (b buckets) Validate(properties Bucket, roles provider.References) []provider.Diagnostic {
	if b.validate == nil {
		return nil
	}
	return b.validate(properties, roles)
}

// fixed is a type without Update.
type fixed struct{ inner buckets }

func (f fixed) Describe() provider.Description {
	about := f.inner.Describe()
	about.Type = "acme:fixed"
	return about
}

func (f fixed) Create(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	return f.inner.Create(ctx, v, op)
}

func (f fixed) Delete(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	return f.inner.Delete(ctx, v, op)
}

func (f fixed) Verify(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) ([]provider.Check, error) {
	return f.inner.Verify(ctx, v, op)
}

func (f fixed) Find(ctx context.Context, v *vendor, q *provider.Query[Bucket], found func(provider.Found) error) error {
	return f.inner.Find(ctx, v, q, found)
}

// house is a provider under test with its keys and a scripted vendor.
type house struct {
	*vendor
	provider *provider.Provider
	keys     *sealedbox.Ring
	connects int
	access   []provider.Access[Key, Place]
	connect  func(context.Context, provider.Access[Key, Place]) error
	clock    time.Time
	mu       sync.Mutex
}

func (h *house) dial(ctx context.Context, access provider.Access[Key, Place]) (*vendor, error) {
	h.mu.Lock()
	h.connects++
	h.access = append(h.access, access)
	h.mu.Unlock()
	if h.connect != nil {
		if err := h.connect(ctx, access); err != nil {
			return nil, err
		}
	}
	return h.vendor, nil
}

func build(t testing.TB, types ...provider.Type[*vendor]) *house {
	t.Helper()
	keys, err := sealedbox.Generate(now)
	require.NoError(t, err)
	h := &house{vendor: &vendor{}, keys: keys, clock: now}
	if types == nil {
		types = []provider.Type[*vendor]{
			provider.TypeOf(buckets{discovery: contract.DiscoverByLabel}),
			provider.TypeOf(fixed{buckets{discovery: contract.DiscoverByLabel}}),
		}
	}
	h.provider, err = provider.New("acme", "1.2.3", h.dial, types...)
	require.NoError(t, err)
	h.provider.Use(provider.Runtime{Keys: keys, Now: func() time.Time { return h.clock }})
	t.Cleanup(h.provider.Close)
	return h
}

// seal seals a value to acme.
func (h *house) seal(t testing.TB, purpose, value string) string {
	t.Helper()
	box, err := sealedbox.Seal(h.keys.Primary().Key, sealedbox.Envelope{
		Audience: "tenant", Provider: "acme", Purpose: purpose, Value: value,
	})
	require.NoError(t, err)
	return box
}

var labels = map[string]string{
	contract.LabelOwner: "owner", contract.LabelDeployID: "deploy", contract.LabelResourceID: "data",
	contract.LabelNodeID: "11112222", contract.LabelGraphID: "33334444",
}

func callContext() contract.CallContext {
	return contract.CallContext{
		CallID: "call-1", IdempotencyKey: "key-1", Attempt: 1, Account: "account", Region: "eu-west-1", Tenant: "tenant",
		DeploymentID: "deploy", Owner: "owner", Credentials: json.RawMessage(`{"id":"AKIA"}`),
		Settings: json.RawMessage(`{"endpoint":"http://vendor"}`),
	}
}

func execute(verb contract.Verb) *contract.ExecuteRequest {
	return &contract.ExecuteRequest{
		Context: callContext(), Verb: verb,
		Target: contract.Target{
			Type: "acme:bucket", Name: "data-11112222", Properties: json.RawMessage(`{"name":"data","size":5}`),
			Labels: labels, Tags: map[string]string{"team": "x"},
		},
	}
}

// run performs a request and gives the result with its events.
func (h *house) run(t testing.TB, request *contract.ExecuteRequest) (*contract.Result, []contract.Event) {
	t.Helper()
	var mu sync.Mutex
	var events []contract.Event
	result, err := h.provider.Execute(context.Background(), request, func(e contract.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
	})
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	return result, slices.Clone(events)
}

// kind is the kind of a result's error, "" when there is none.
func kind(result *contract.Result) contract.Kind {
	if len(result.Diagnostics) == 0 {
		return ""
	}
	return result.Diagnostics[0].Kind
}

// thing is what stands outside, with these labels.
func thing(labels map[string]string) provider.Found {
	return provider.Found{
		Identity: "arn:old", Name: "data-11112222", Labels: labels, Outputs: provider.Outputs{"arn": "arn:old"}, Ready: true,
	}
}

// others carries the labels of another deployment.
func others() map[string]string {
	return map[string]string{
		contract.LabelOwner: "owner", contract.LabelDeployID: "another", contract.LabelResourceID: "data",
	}
}

// answering is a vendor's HTTP side that answers each request with the next status; 0 breaks the connection.
type answering struct {
	mu       sync.Mutex
	statuses []int
	sent     []string
}

func (a *answering) RoundTrip(request *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent = append(a.sent, request.Method)
	status := 200
	if len(a.statuses) > 0 {
		status, a.statuses = a.statuses[0], a.statuses[1:]
	}
	if status == 0 {
		return nil, fmt.Errorf("connection reset")
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: request}, nil
}

// request sends one request through the SDK's transport.
func (a *answering) request(ctx context.Context, method string) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://vendor/", strings.NewReader("body"))
	if err != nil {
		return err
	}
	response, err := provider.Transport(a).RoundTrip(request)
	if err != nil {
		return err
	}
	if response.StatusCode >= 400 {
		return provider.Errorf(provider.RemoteError, "the vendor answered %d", response.StatusCode)
	}
	return response.Body.Close()
}
