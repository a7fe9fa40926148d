package conformance

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

var (
	validName    = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	validVersion = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// describesItself: Describe is complete, sane, and always the same.
func describesItself(t *testing.T, s *suite) {
	again, err := s.process(t).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.about, again, "Describe changes its answer")
	require.Regexp(t, validName, s.about.Name)
	require.Regexp(t, validVersion, s.about.Version)
	checkSchema(t, s.about.CredentialsSchema)
	checkSchema(t, s.about.SettingsSchema)
	require.NotEmpty(t, s.about.ResourceTypes)
	for i := range s.about.ResourceTypes {
		kind := &s.about.ResourceTypes[i]
		t.Run(kind.Name, func(t *testing.T) { checkType(t, s, kind) })
	}
}

func checkType(t *testing.T, s *suite, kind *contract.ResourceType) {
	require.True(t, strings.HasPrefix(kind.Name, s.about.Name+":"), "a type's name begins with its provider's")
	checkSchema(t, kind.Schema)
	require.Contains(t, contract.Placements(), kind.Placement)
	require.Contains(t, contract.Discoveries(), kind.Discovery)
	require.True(t, len(kind.Verbs) > 0 || kind.Composite, "only a composite may leave its verbs to its parts")
	for _, support := range kind.Verbs {
		require.Contains(t, contract.RepeatSafeties(), support.RepeatSafety, support.Verb)
	}
	if kind.SelfOutput != "" {
		require.True(t, slices.ContainsFunc(kind.Outputs, func(o contract.OutputField) bool { return o.Name == kind.SelfOutput }),
			"the self output is not among the outputs")
	}
	var schema map[string]any
	require.NoError(t, json.Unmarshal(kind.Schema, &schema))
	properties, _ := schema["properties"].(map[string]any)
	for _, role := range kind.References {
		first, _, _ := strings.Cut(strings.TrimPrefix(role.Property, "/"), "/")
		require.True(t, role.Property == "" || properties[first] != nil, "role %s fills a property that does not exist", role.Role)
	}
}

// checkSchema: it compiles, and is one of objects that take no unknown properties.
func checkSchema(t *testing.T, schema json.RawMessage) {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("mem:schema", parsed))
	compiled, err := compiler.Compile("mem:schema")
	require.NoError(t, err)
	require.Error(t, compiled.Validate(map[string]any{"a property that nobody has": 1}), "a schema takes unknown properties")
}

// hasKeys: exactly one key is primary, ids belong to keys, and a new process has the same.
func hasKeys(t *testing.T, s *suite) {
	primaries := 0
	for _, key := range s.keys {
		require.Equal(t, sealedbox.Algorithm, key.Algorithm)
		require.Len(t, key.Key, 32)
		require.Equal(t, sealedbox.KeyID(key.Key), key.ID)
		if key.Primary {
			primaries++
		}
	}
	require.Equal(t, 1, primaries)
	second := s.launch(t)
	defer second.end()
	keys, err := second.PublicKeys(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.keys, keys, "two processes with one key file have different keys")
}

// opensOnlyItsOwn: a box for another tenant, field or provider, or one that has expired, is refused with its pointer.
func opensOnlyItsOwn(t *testing.T, s *suite) {
	field := sealedField(s.about.CredentialsSchema)
	if field == "" || s.target.Credentials == nil {
		t.Skip("no credential is sealed")
	}
	good := sealedbox.Envelope{Audience: "tenant", Provider: s.about.Name, Purpose: sealedbox.PurposeCredential, Value: "canary-1b7e of a credential"}
	change := func(change func(*sealedbox.Envelope)) string {
		changed := good
		change(&changed)
		return s.box(t, changed)
	}
	plain, err := sealedbox.SealPlain(s.keys[0].Key, []byte("canary-2c8f of a plain box"))
	require.NoError(t, err)
	require.Empty(t, s.checked(t, field, s.box(t, good)), "a good box is refused")
	for name, box := range map[string]string{
		"another tenant":     change(func(e *sealedbox.Envelope) { e.Audience = "other" }),
		"another provider":   change(func(e *sealedbox.Envelope) { e.Provider = "other" }),
		"another field":      change(func(e *sealedbox.Envelope) { e.Purpose = "other:type#/x" }),
		"another deployment": change(func(e *sealedbox.Envelope) { e.Deployment = "other" }),
		"expired":            change(func(e *sealedbox.Envelope) { e.NotAfter = time.Now().Add(-time.Hour) }),
		"no envelope":        plain, "garbage": "bm90IGEgc2VhbGVkIGJveCwgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIG9uZSBvZiB0aGVt", "not base64": "%",
	} {
		t.Run(name, func(t *testing.T) {
			found := diagnosed(t, s.checked(t, field, box))
			require.Equal(t, contract.KindDecryptionFailed, found.Kind)
			require.Equal(t, "/"+escape(field), found.Pointer)
		})
	}
	s.fingerprints(t)
}

// checked is what CheckCredentials says of credentials with one field replaced.
func (s *suite) checked(t *testing.T, field, box string) []contract.Diagnostic {
	t.Helper()
	var credentials map[string]any
	require.NoError(t, json.Unmarshal(s.credentials(t, "tenant"), &credentials))
	credentials[field] = box
	result, err := s.process(t).CheckCredentials(t.Context(), &contract.CheckCredentialsRequest{
		Context: contract.CallContext{Tenant: "tenant", DeploymentID: "deploy", Credentials: document(t, credentials)},
	})
	require.NoError(t, err)
	s.hear(t, result)
	return result.Diagnostics
}

// sealedField names a sealed field at the top of a schema, "" when there is none.
func sealedField(schema json.RawMessage) string {
	var about struct{ Properties map[string]map[string]any }
	_ = json.Unmarshal(schema, &about)
	for _, name := range slices.Sorted(maps.Keys(about.Properties)) {
		if about.Properties[name]["x-sealed"] == true {
			return name
		}
	}
	return ""
}

// fingerprints: sealed properties of the same value have the same one, others another.
func (s *suite) fingerprints(t *testing.T) {
	t.Helper()
	purpose := sealedbox.PurposeProperty("any:type", "/secret")
	value := func(ref, value string) contract.SealedValue {
		box := s.box(t, sealedbox.Envelope{Audience: "tenant", Purpose: purpose, Value: value})
		return contract.SealedValue{Type: "any:type", Pointer: "/secret", Ref: ref, Box: box}
	}
	result, err := s.process(t).CheckCredentials(t.Context(), &contract.CheckCredentialsRequest{
		Context:      contract.CallContext{Tenant: "tenant", Credentials: s.credentials(t, "tenant")},
		SealedValues: []contract.SealedValue{value("a", "canary-3d90"), value("b", "canary-3d90"), value("c", "canary-4ea1")},
	})
	require.NoError(t, err)
	s.hear(t, result)
	require.Empty(t, result.Diagnostics)
	require.NotEmpty(t, result.Fingerprints["a"])
	require.Equal(t, result.Fingerprints["a"], result.Fingerprints["b"])
	require.NotEqual(t, result.Fingerprints["a"], result.Fingerprints["c"])
}

// endsWithItsHost: the process ends when its lifeline closes.
func endsWithItsHost(t *testing.T, s *suite) {
	p := s.launch(t)
	defer p.end()
	require.NoError(t, p.lifeline.Close())
	require.Eventually(t, p.client.Exited, endTime, 10*time.Millisecond, "the provider outlives its host")
}

// givesNothingAway: nothing of what was sealed is in what was said or printed, in no common encoding.
func givesNothingAway(t *testing.T, s *suite) {
	said := s.heard.String() + s.stderr.String()
	searched := 0
	for secret := range s.secrets {
		if len(secret) < 5 {
			continue
		}
		searched++
		for _, form := range []string{
			secret, url.QueryEscape(secret), strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
			strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
		} {
			if strings.Contains(said, form) {
				require.Fail(t, "a sealed value was given away in an answer or a log")
			}
		}
	}
	t.Logf("searched for %d sealed values in %d bytes", searched, len(said))
}
