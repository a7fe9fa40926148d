package provider_test

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Row is the properties of acme:row: a row of buckets, each after the one before.
type Row struct {
	Count  int             `json:"count"`
	Secret provider.Sealed `json:"secret,omitempty"`
}

type row struct{ spoil func(*provider.Subgraph) }

func (row) Describe() provider.Description {
	return provider.Description{
		Type: "acme:row", Summary: "Buckets in a row.", SelfOutput: "last",
		Outputs:    []contract.OutputField{{Name: "last"}},
		References: []contract.ReferenceRole{{Role: "size-from"}},
	}
}

func (r row) Expand(properties Row, roles provider.References) (provider.Subgraph, error) {
	var made provider.Subgraph
	if properties.Count > 9 {
		return made, provider.Errorf(provider.InvalidInput, "a row has nine buckets at most")
	}
	for i := range properties.Count {
		part := provider.Part{
			Name: "b" + strconv.Itoa(i), Type: "acme:bucket", Properties: Bucket{Name: "b", Size: i + 1},
			Sealed: map[string]string{"/secret": "/secret"},
		}
		if i > 0 {
			part.After = []string{"b" + strconv.Itoa(i-1)}
		}
		if roles.Has("size-from") {
			part.References = map[string]string{"size-from": contract.OwnRole + "size-from"}
		}
		made.Parts = append(made.Parts, part)
		made.Outputs = map[string]string{"last": part.Name + ".arn"}
	}
	if r.spoil != nil {
		r.spoil(&made)
	}
	return made, nil
}

func buildRow(t *testing.T, spoil func(*provider.Subgraph)) *house {
	return build(t, provider.TypeOf(buckets{discovery: contract.DiscoverByLabel}), provider.CompositeOf[*vendor](row{spoil}))
}

func (h *house) expand(t *testing.T, properties string, roles ...string) (*contract.ExpandResult, error) {
	t.Helper()
	return h.provider.Expand(t.Context(), &contract.ExpandRequest{Type: "acme:row", Properties: json.RawMessage(properties), Roles: roles})
}

func TestExpand(t *testing.T) {
	h := buildRow(t, nil)
	about, err := h.provider.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, []contract.Capability{contract.CapabilityPlan, contract.CapabilityExpand}, about.Capabilities)
	kind, _ := about.Type("acme:row")
	require.True(t, kind.Composite)
	require.False(t, kind.Plans)
	require.Empty(t, kind.Verbs)
	require.Equal(t, []string{"/secret"}, kind.Sensitive)

	result, err := h.expand(t, `{"count":2}`, "size-from")
	require.NoError(t, err)
	sealed, references := map[string]string{"/secret": "/secret"}, map[string]string{"size-from": "$size-from"}
	require.Equal(t, &contract.ExpandResult{
		Nodes: []contract.ExpandedNode{
			{LocalName: "b0", Type: "acme:bucket", Properties: json.RawMessage(`{"name":"b","size":1}`), SealedProperties: sealed, References: references},
			{LocalName: "b1", Type: "acme:bucket", Properties: json.RawMessage(`{"name":"b","size":2}`), SealedProperties: sealed, References: references},
		},
		Edges: []contract.ExpandedEdge{{From: "b0", To: "b1"}}, Outputs: map[string]string{"last": "b1.arn"},
	}, result)
	empty, err := h.expand(t, `{"count":0}`)
	require.NoError(t, err)
	require.Empty(t, empty.Nodes)
	require.Zero(t, h.connects, "expanding asks nobody")

	refused, err := h.expand(t, `{"count":10}`)
	require.NoError(t, err)
	require.Equal(t, provider.InvalidInput, refused.Diagnostics[0].Kind)
	unfit, err := h.expand(t, `{"count":"x"}`)
	require.NoError(t, err)
	require.Equal(t, "/count", unfit.Diagnostics[0].Pointer)
	_, err = h.provider.Expand(t.Context(), &contract.ExpandRequest{Type: "acme:bucket"})
	require.Equal(t, provider.Unsupported, contract.KindOf(err))
	judged, err := h.provider.Validate(t.Context(), []contract.ValidateItem{{Type: "acme:row", Properties: json.RawMessage(`{"what":1}`)}})
	require.NoError(t, err)
	require.Equal(t, "/what", judged[0][0].Pointer)
	request := execute(contract.VerbCreate)
	request.Target.Type = "acme:row"
	made, _ := h.run(t, request)
	require.Equal(t, contract.OutcomeNotApplied, made.Outcome)
}

func TestAWrongExpansionIsTheAuthorsFault(t *testing.T) {
	for name, spoil := range map[string]func(*provider.Subgraph){
		"no name":           func(s *provider.Subgraph) { s.Parts[0].Name = "" },
		"a dot in a name":   func(s *provider.Subgraph) { s.Parts[0].Name = "a.b" },
		"a name twice":      func(s *provider.Subgraph) { s.Parts[1].Name = "b0" },
		"a foreign type":    func(s *provider.Subgraph) { s.Parts[0].Type = "other:thing" },
		"no object":         func(s *provider.Subgraph) { s.Parts[0].Properties = 7 },
		"no such role":      func(s *provider.Subgraph) { s.Parts[0].References = map[string]string{"what": "b1"} },
		"no such part":      func(s *provider.Subgraph) { s.Parts[0].References = map[string]string{"size-from": "b7"} },
		"no such output":    func(s *provider.Subgraph) { s.Parts[0].References = map[string]string{"size-from": "b1.what"} },
		"a role not given":  func(s *provider.Subgraph) { s.Parts[0].References = map[string]string{"size-from": "$size-from"} },
		"after nothing":     func(s *provider.Subgraph) { s.Parts[0].After = []string{"b7"} },
		"after itself":      func(s *provider.Subgraph) { s.Parts[0].After = []string{"b0"} },
		"sealed from plain": func(s *provider.Subgraph) { s.Parts[0].Sealed = map[string]string{"/secret": "/count"} },
		"sealed to plain":   func(s *provider.Subgraph) { s.Parts[0].Sealed = map[string]string{"/name": "/secret"} },
		"undeclared output": func(s *provider.Subgraph) { s.Outputs = map[string]string{"first": "b0.arn"} },
		"output of nothing": func(s *provider.Subgraph) { s.Outputs = map[string]string{"last": "b0"} },
		"a panic":           func(*provider.Subgraph) { panic("oh") },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := buildRow(t, spoil).expand(t, `{"count":2}`)
			require.Equal(t, provider.ProviderFault, contract.KindOf(err))
		})
	}
}

func TestAPartOpensWhatWasSealedForItsComposite(t *testing.T) {
	h := buildRow(t, nil)
	opens := func(sealedFor, said string) contract.Kind {
		var err error
		h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
			_, err = op.Open(op.Properties.Secret)
			return nil, err
		}
		request := execute(contract.VerbCreate)
		request.Target.Properties = json.RawMessage(`{"name":"data","secret":"` + h.seal(t, sealedFor, canary) + `"}`)
		request.Target.SealedPurposes = map[string]string{"/secret": said}
		h.run(t, request)
		return contract.KindOf(err)
	}
	require.Empty(t, opens("acme:row#/secret", "acme:row#/secret"))
	require.Empty(t, opens("acme:bucket#/secret", ""))
	for _, said := range []string{"", "acme:row#/count", "acme:row", "credential", "other:row#/secret", "acme:bucket#/env/A"} {
		require.Equal(t, provider.DecryptionFailed, opens("acme:row#/secret", said), said)
	}
	require.Equal(t, provider.DecryptionFailed, opens("acme:bucket#/env/A", "acme:bucket#/env/A"), "a resource hands nothing on")
}
