package github

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	vendor "github.com/google/go-github/v92/github"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// fakeSecrets is one repository with one secret.
type fakeSecrets struct {
	names   []string // what a list has
	keys    []string // ids of the keys that it gives out, the last one over and over
	there   bool
	updated time.Time
	writes  int
	refuse  map[string]int // status by key id
	missing bool           // the repository
}

func (f *fakeSecrets) GetRepoPublicKey(context.Context, string, string) (*vendor.PublicKey, *vendor.Response, error) {
	if f.missing {
		return nil, nil, refused(404, nil)
	}
	id := f.keys[0]
	if len(f.keys) > 1 {
		f.keys = f.keys[1:]
	}
	return &vendor.PublicKey{KeyID: &id, Key: new(base64.StdEncoding.EncodeToString(make([]byte, 32)))}, nil, nil
}

func (f *fakeSecrets) GetRepoSecret(_ context.Context, _, _, name string) (*vendor.Secret, *vendor.Response, error) {
	if !f.there || f.missing {
		return nil, nil, refused(404, nil)
	}
	return &vendor.Secret{Name: name, UpdatedAt: vendor.Timestamp{Time: f.updated}}, nil, nil
}

// ListRepoSecrets gives two secrets a page.
func (f *fakeSecrets) ListRepoSecrets(_ context.Context, _, _ string, opts *vendor.ListOptions) (*vendor.Secrets, *vendor.Response, error) {
	from := 2 * max(opts.Page-1, 0)
	page, response := &vendor.Secrets{}, &vendor.Response{}
	for _, name := range f.names[from:min(from+2, len(f.names))] {
		page.Secrets = append(page.Secrets, &vendor.Secret{Name: name})
	}
	if from+2 < len(f.names) {
		response.NextPage = max(opts.Page, 1) + 1
	}
	return page, response, nil
}

// TestASecretWhoseNodeIDIsNotKnownIsFoundByItsName: of those called so, with the suffix that the host gives, and no others.
func TestASecretWhoseNodeIDIsNotKnownIsFoundByItsName(t *testing.T) {
	fake := &fakeSecrets{names: []string{"API_KEY", "API_KEY__NOTANID0", "API_KEY_OLD__1111AAAA", "API_KEY__2222BBBB", "OTHER__3333CCCC"}}
	query := &provider.Query[RepoSecret]{Properties: RepoSecret{Owner: "o", Repo: "r", SecretName: "api_key"}}
	var names []string
	require.NoError(t, repoSecrets{}.Find(t.Context(), &Client{secrets: fake}, query, func(found provider.Found) error {
		names = append(names, found.Name)
		require.Equal(t, "o/r/"+found.Name, found.Identity)
		return nil
	}))
	require.Equal(t, []string{"API_KEY__2222BBBB"}, names)
}

func (f *fakeSecrets) CreateOrUpdateRepoSecret(_ context.Context, _, _, _ string, body vendor.SecretRequest) (*vendor.Response, error) {
	if status := f.refuse[body.KeyID]; status != 0 {
		return nil, refused(status, nil)
	}
	f.there, f.writes = true, f.writes+1
	return nil, nil
}

func (f *fakeSecrets) DeleteRepoSecret(context.Context, string, string, string) (*vendor.Response, error) {
	f.there = false
	return nil, nil
}

func operation(value string) provider.Operation[RepoSecret] {
	return provider.Operation[RepoSecret]{
		Name:       "lambda_arn__1111aaaa",
		Properties: RepoSecret{Owner: "my-org", Repo: "my-app", SecretName: "LAMBDA_ARN", EncryptedValue: provider.FakeSealed(value)},
	}
}

func keyed(t *testing.T) provider.Runtime {
	keys, err := sealedbox.Generate(noon)
	require.NoError(t, err)
	return provider.Runtime{Keys: keys}
}

func TestASecretIsLeftAloneOnlyWhenItIsProvenToBeSet(t *testing.T) {
	runtime := keyed(t)
	_, op, _ := provider.NewOperation(t.Context(), runtime, operation("one"))
	fingerprint := op.Fingerprint(provider.NewSecret("one"))
	require.NotEmpty(t, fingerprint)
	record := func(updated time.Time, fingerprint string) json.RawMessage {
		raw, err := json.Marshal(record{UpdatedAt: updated.Format(time.RFC3339), Fingerprint: fingerprint})
		require.NoError(t, err)
		return raw
	}
	for name, test := range map[string]struct {
		value    string
		recorded json.RawMessage
		prior    contract.Outcome
		writes   int
	}{
		"set by the last operation":      {"one", record(noon, fingerprint), contract.OutcomeNone, 0},
		"an attempt that was applied":    {"one", record(noon, fingerprint), contract.OutcomeApplied, 0},
		"an attempt with a lost answer":  {"one", record(noon, fingerprint), contract.OutcomeUnknown, 1},
		"an attempt that went halfway":   {"one", record(noon, fingerprint), contract.OutcomePartial, 1},
		"another value":                  {"two", record(noon, fingerprint), contract.OutcomeNone, 1},
		"set by someone else since":      {"one", record(noon.Add(-time.Second), fingerprint), contract.OutcomeNone, 1},
		"no record":                      {"one", nil, contract.OutcomeNone, 1},
		"a record without a fingerprint": {"one", record(noon, ""), contract.OutcomeNone, 1},
		"a record that cannot be read":   {"one", json.RawMessage(`[1]`), contract.OutcomeNone, 1},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeSecrets{keys: []string{"1"}, there: true, updated: noon}
			filled := operation(test.value)
			filled.RecordedOutputs, filled.PriorOutcome = test.recorded, test.prior
			filled.Existing = &provider.Found{Name: "LAMBDA_ARN__1111AAAA", Outputs: provider.Outputs{"updated_at": noon.Format(time.RFC3339)}}
			ctx, op, _ := provider.NewOperation(t.Context(), runtime, filled)
			outputs, err := repoSecrets{}.Update(ctx, &Client{secrets: fake, now: time.Now}, op)
			require.NoError(t, err)
			require.Equal(t, test.writes, fake.writes)
			require.Equal(t, op.Fingerprint(provider.NewSecret(test.value)), outputs["fingerprint"])
			require.Equal(t, noon.Format(time.RFC3339), outputs["updated_at"])
			require.Equal(t, "LAMBDA_ARN__1111AAAA", outputs["secret_name"])
		})
	}
}

func TestWithoutKeysAFingerprintProvesNothing(t *testing.T) {
	fake := &fakeSecrets{keys: []string{"1"}, there: true, updated: noon}
	filled := operation("one")
	filled.RecordedOutputs = json.RawMessage(`{"updated_at":"2026-11-22T12:00:00Z","fingerprint":""}`)
	filled.Existing = &provider.Found{Outputs: provider.Outputs{"updated_at": "2026-11-22T12:00:00Z"}}
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	_, err := repoSecrets{}.Update(ctx, &Client{secrets: fake, now: time.Now}, op)
	require.NoError(t, err)
	require.Equal(t, 1, fake.writes)
}

func TestCreateAlwaysSets(t *testing.T) {
	fake := &fakeSecrets{keys: []string{"1"}, there: true, updated: noon}
	filled := operation("one")
	filled.Existing = &provider.Found{Name: "LAMBDA_ARN__1111AAAA"}
	ctx, op, trial := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	_, err := repoSecrets{}.Create(ctx, &Client{secrets: fake, now: time.Now}, op)
	require.NoError(t, err)
	require.Equal(t, 1, fake.writes, "a secret that exists is not a secret that was set")
	require.Equal(t, []string{"my-org/my-app/LAMBDA_ARN__1111AAAA"}, trial.Recorded().Made)
}

func TestAKeyThatWasChangedMeanwhileIsReadAgain(t *testing.T) {
	put := func(fake *fakeSecrets) error {
		ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, operation("one"))
		_, err := repoSecrets{}.Create(ctx, &Client{secrets: fake, now: time.Now}, op)
		return err
	}
	changed := &fakeSecrets{keys: []string{"old", "new"}, refuse: map[string]int{"old": 422}}
	require.NoError(t, put(changed))
	require.Equal(t, 1, changed.writes)

	same := &fakeSecrets{keys: []string{"old"}, refuse: map[string]int{"old": 422}}
	err := put(same)
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, provider.InvalidInput, known.Kind)
	require.Equal(t, "/secret_name", known.Pointer)

	down := &fakeSecrets{keys: []string{"old", "new"}, refuse: map[string]int{"old": 500}}
	require.Equal(t, provider.RemoteError, contract.KindOf(put(down)))
	require.Zero(t, down.writes, "an unclear answer is not asked for twice")
}

func TestAValueMustFit(t *testing.T) {
	for name, test := range map[string]struct {
		secret RepoSecret
		kind   provider.Kind
	}{
		"too large":  {RepoSecret{EncryptedValue: provider.FakeSealed(strings.Repeat("x", maxValue+1))}, provider.InvalidInput},
		"none":       {RepoSecret{}, provider.InvalidInput},
		"referenced": {RepoSecret{Value: new("arn")}, ""},
		"empty":      {RepoSecret{Value: new("")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, provider.Operation[RepoSecret]{Properties: test.secret})
			_, err := valueOf(op)
			require.Equal(t, test.kind, contract.KindOf(err))
		})
	}
}

func TestAbsenceIsProvenByTheRepositoryOnly(t *testing.T) {
	query := &provider.Query[RepoSecret]{Name: "A__1111AAAA", Properties: RepoSecret{Owner: "o", Repo: "r"}}
	none := func(provider.Found) error { t.Fatal("nothing is to be found"); return nil }
	absent := &Client{secrets: &fakeSecrets{keys: []string{"1"}}, now: time.Now}
	require.NoError(t, repoSecrets{}.Find(t.Context(), absent, query, none))

	unseen := &Client{secrets: &fakeSecrets{missing: true}, now: time.Now}
	err := repoSecrets{}.Find(t.Context(), unseen, query, none)
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, "/repo", known.Pointer)

	require.Error(t, repoSecrets{}.Find(t.Context(), absent, &provider.Query[RepoSecret]{}, none), "without a name nothing is known")
}

func TestRulesBeyondTheSchema(t *testing.T) {
	sealed, referenced := provider.FakeSealed("x"), provider.References{"value_from": nil}
	for name, test := range map[string]struct {
		secret   RepoSecret
		roles    provider.References
		pointers []string
	}{
		"sealed":     {RepoSecret{Repo: "r", SecretName: "A", EncryptedValue: sealed}, nil, nil},
		"referenced": {RepoSecret{Repo: "r", SecretName: "A"}, referenced, nil},
		"both":       {RepoSecret{Repo: "r", SecretName: "A", EncryptedValue: sealed}, referenced, []string{"/encrypted_value"}},
		"neither":    {RepoSecret{Repo: "r", SecretName: "A"}, nil, []string{"/encrypted_value"}},
		"reserved":   {RepoSecret{Repo: "r", SecretName: "github_token", EncryptedValue: sealed}, nil, []string{"/secret_name"}},
		"dots":       {RepoSecret{Repo: "..", SecretName: "A", EncryptedValue: sealed}, nil, []string{"/repo"}},
	} {
		t.Run(name, func(t *testing.T) {
			var pointers []string
			for _, diagnostic := range (repoSecrets{}).Validate(test.secret, test.roles) {
				pointers = append(pointers, diagnostic.Pointer)
			}
			require.Equal(t, test.pointers, pointers)
		})
	}
}
