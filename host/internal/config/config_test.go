package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const canary = "CANARY-7f3a"

func TestDecodeWholeRequest(t *testing.T) {
	body := `{
	  "config": {
	    "deployment_id": "my-app-prod", "version": "v1.2.3",
	    "credentials": {"cloud": {"id": "x", "encrypted": "box"}, "hub": null},
	    "targets": [{"provider": "cloud", "regions": ["us-east-1", "eu-west-1"]}, {"provider": "hub"}],
	    "providers": {"cloud": {"version": "~1.4"}},
	    "resources": {
	      "z-role": {"type": "cloud:role", "properties": { "role_name" : "r" }},
	      "a-fn": {"type": "cloud:function", "operation": "ensure", "properties": null, "references": {"role": "z-role"},
	               "depends_on": ["z-role", {"resource": "z-role", "edge_type": "pause"}], "tags": {}, "naming": "exact",
	               "adopt": true, "timeout_seconds": 1.5e1}
	    },
	    "timeout_seconds": 60
	  },
	  "graph_id": null, "mode": "FULL", "only": ["a-fn"], "sealed_properties": {"/resources/x/properties/y": "box"}
	}`
	request, err := config.Decode[rest.ApplyRequest]([]byte(body), config.Limits{})
	require.NoError(t, err)
	var want rest.ApplyRequest
	require.NoError(t, json.Unmarshal([]byte(body), &want))
	require.Equal(t, want, request)
	require.Equal(t, "z-role", request.Config.Resources[0].ID, "the order of the document")
	require.JSONEq(t, `{"role_name": "r"}`, string(request.Config.Resources[0].Definition.Properties))
	require.Nil(t, request.Config.Credentials.For("hub"))
	require.Nil(t, request.Config.Credentials.For("none"))
	require.NotNil(t, request.Config.Credentials.For("cloud"))
	require.Equal(t, []rest.Dependency{{Resource: "z-role"}, {Resource: "z-role", EdgeType: "pause"}}, request.Config.Resources[1].Definition.DependsOn)
	require.Equal(t, 15.0, request.Config.Resources[1].Definition.TimeoutSeconds)
}

func TestDecodeKeepsNothingOfTheBody(t *testing.T) {
	body := []byte(`{"deployment_id": "abc", "credentials": {"p": {"k": 1}}, "resources": {"r": {"type": "p:t", "properties": {"a": 1}}}}`)
	decoded, err := config.Decode[rest.Config](body, config.Limits{})
	require.NoError(t, err)
	before, err := json.Marshal(decoded)
	require.NoError(t, err)
	for i := range body {
		body[i] = 'X'
	}
	after, err := json.Marshal(decoded)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

// TestProblems plants the canary in every string that a request may hold, and wants it in none of the answers.
func TestProblems(t *testing.T) {
	valid := `"deployment_id": "d", "resources": {"r": {"type": "p:t"}}`
	for name, c := range map[string]struct {
		body     string
		problems []string
	}{
		"not an object":    {`"` + canary + `"`, []string{": must be an object"}},
		"null":             {`null`, []string{": must be an object"}},
		"nothing in it":    {`{}`, []string{"/deployment_id: is required", "/resources: is required"}},
		"unknown field":    {`{` + valid + `, "extra": "` + canary + `"}`, []string{"/extra: is not a field that is known here"}},
		"wrong case":       {`{` + valid + `, "Version": "` + canary + `"}`, []string{"/Version: is not a field that is known here"}},
		"wrong type":       {`{"deployment_id": 1, "resources": "` + canary + `"}`, []string{"/deployment_id: must be a string", "/resources: must be an object"}},
		"null required":    {`{"deployment_id": null, "resources": {"r": {"type": null}}}`, []string{"/deployment_id: is required and may not be null", "/resources/r/type: is required and may not be null"}},
		"no type":          {`{"deployment_id": "d", "resources": {"a/b~c": {}}}`, []string{"/resources/a~1b~0c/type: is required"}},
		"resource twice":   {`{"deployment_id": "d", "resources": {"r": {"type": "p:t"}, "r": {"type": "` + canary + `"}}}`, []string{"/resources/r: stands there twice"}},
		"twice in raw":     {`{` + valid + `, "credentials": {"p": {"k": "` + canary + `", "k": "` + canary + `"}}}`, []string{"/credentials/p/k: stands there twice"}},
		"string in map":    {`{"deployment_id": "d", "resources": {"r": {"type": "p:t", "references": {"role": 7, "x": "` + canary + `"}, "tags": [1]}}}`, []string{"/resources/r/references/role: must be a string", "/resources/r/tags: must be an object"}},
		"dependency":       {`{"deployment_id": "d", "resources": {"r": {"type": "p:t", "depends_on": [1, {"edge_type": "` + canary + `"}, {"resource": "x", "why": 1}, null]}}}`, []string{"/resources/r/depends_on/0: must be a resource id, or an object with resource and edge_type", "/resources/r/depends_on/1/resource: is required", "/resources/r/depends_on/2/why: is not a field that is known here", "/resources/r/depends_on/3: must be a resource id, or an object with resource and edge_type"}},
		"targets":          {`{` + valid + `, "targets": {"provider": "` + canary + `"}}`, []string{"/targets: must be an array"}},
		"a target":         {`{` + valid + `, "targets": ["` + canary + `", {"regions": [true, "` + canary + `"]}]}`, []string{"/targets/0: must be an object", "/targets/1/provider: is required", "/targets/1/regions/0: must be a string"}},
		"boolean":          {`{"deployment_id": "d", "resources": {"r": {"type": "p:t", "adopt": "` + canary + `"}}}`, []string{"/resources/r/adopt: must be true or false"}},
		"number":           {`{` + valid + `, "timeout_seconds": "` + canary + `"}`, []string{"/timeout_seconds: must be a number"}},
		"too large number": {`{` + valid + `, "timeout_seconds": 1e400}`, []string{"/timeout_seconds: the number is too large"}},
		"deep":             {`{"resources": {"r": {"properties": ` + strings.Repeat("[", 70) + `"` + canary + `"`, []string{"/resources/r/properties" + strings.Repeat("/0", 61) + ": is nested deeper than 64 levels"}},
		"an unending key":  {`{` + valid + `, "` + strings.Repeat(canary, 20) + `": 1}`, []string{": is not a field that is known here"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Decode[rest.Config]([]byte(c.body), config.Limits{})
			var invalid *config.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, c.problems, texts(invalid.Problems))
			require.NotContains(t, fmt.Sprintf("%v %+v", err, invalid.Problems), canary)
		})
	}
}

func texts(problems []config.Problem) []string {
	shown := make([]string, len(problems))
	for i, problem := range problems {
		shown[i] = problem.Pointer + ": " + problem.Message
	}
	return shown
}

func TestAllProblemsAtOnceInTheOrderOfTheText(t *testing.T) {
	body := `{"config": {"nope": 1, "deployment_id": 2, "resources": {"a": {"type": "t", "type": "t"}, "b": {"type": 3}}}, "mode": 4, "only": [5]}`
	_, err := config.Decode[rest.ApplyRequest]([]byte(body), config.Limits{})
	var invalid *config.InvalidError
	require.ErrorAs(t, err, &invalid)
	var pointers []string
	for _, problem := range invalid.Problems {
		pointers = append(pointers, problem.Pointer)
	}
	require.Equal(t, []string{
		"/config/nope", "/config/deployment_id", "/config/resources/a/type", "/config/resources/b/type", "/mode", "/only/0",
	}, pointers)
}

func TestSyntaxErrorsDoNotEcho(t *testing.T) {
	for _, body := range []string{
		``, `{"a": "` + canary, canary, `{"` + canary + `" "x"}`, `{"a": ` + canary + `}`, "{\"" + canary + "\xff\": 1}", `{} ` + canary,
		`["` + canary + `\q"]`,
	} {
		_, err := config.Decode[rest.Config]([]byte(body), config.Limits{})
		var syntax *config.SyntaxError
		require.ErrorAs(t, err, &syntax, body)
		require.NotContains(t, err.Error(), canary)
		require.NotContains(t, syntax.Reason, canary)
		require.LessOrEqual(t, syntax.Offset, int64(len(body)))
	}
}

func TestLimits(t *testing.T) {
	_, err := config.Decode[rest.Config]([]byte(`{"deployment_id": "d"}`), config.Limits{MaxBytes: 10})
	var size *config.SizeError
	require.ErrorAs(t, err, &size)
	require.Equal(t, 10, size.Limit)

	three := []byte(`{"deployment_id": "d", "resources": {"a": {"type": "t"}, "b": {"type": "t"}, "c": {"type": "t"}}}`)
	_, err = config.Decode[rest.Config](three, config.Limits{MaxResources: 3})
	require.NoError(t, err)
	_, err = config.Decode[rest.Config](three, config.Limits{MaxResources: 2})
	requireProblem(t, err, "/resources", "has more than 2 resources")
	_, err = config.Decode[rest.Config](three, config.Limits{MaxValues: 4})
	requireProblem(t, err, "", "has more than 4 values")
	_, err = config.Decode[rest.Config](three, config.Limits{MaxDepth: 2})
	requireProblem(t, err, "/resources/a", "is nested deeper than 2 levels")
}

func requireProblem(t *testing.T, err error, pointer, message string) {
	t.Helper()
	var invalid *config.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, []string{pointer + ": " + message}, texts(invalid.Problems))
}

// TestManyProblems: a hostile text cannot make the answer as large as it likes.
func TestManyProblems(t *testing.T) {
	var body bytes.Buffer
	body.WriteString(`{"x": 0`)
	for i := range 200_000 {
		fmt.Fprintf(&body, `, "k%d": 0`, i%100_000)
	}
	body.WriteString(`}`)
	_, err := config.Decode[rest.Config](body.Bytes(), config.Limits{})
	var invalid *config.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Problems, 1000)
}

// everything has a field of each kind that request types may have.
type everything struct {
	Text     string               `json:"text"`
	Named    named                `json:"named,omitempty"`
	Whole    int8                 `json:"whole,omitempty"`
	Real     float32              `json:"real,omitempty"`
	Yes      bool                 `json:"yes,omitempty"`
	Raw      json.RawMessage      `json:"raw,omitempty"`
	Any      any                  `json:"any,omitempty"`
	Bytes    []byte               `json:"bytes,omitempty"`
	Pointer  *everything          `json:"pointer,omitempty"`
	Pointers []*int               `json:"pointers,omitempty"`
	Lists    [][]string           `json:"lists,omitempty"`
	Maps     map[string][]int     `json:"maps,omitempty"`
	ByName   map[named]everything `json:"by_name,omitempty"`
	ByNumber map[int]string       `json:"by_number,omitempty"`
	When     rest.Time            `json:"when,omitzero"`
	Needed   *bool                `json:"needed,omitempty" required:"true"`
	Spare    string               `json:"spare" required:"false"`
	Unsigned uint16               `json:"unsigned,omitempty"`
	NoTag    string
	Hidden   string `json:"-"`
	inner    string
	embedded
}

type (
	named    string
	embedded struct {
		Deep string `json:"deep,omitempty"`
	}
)

func TestEveryKindOfField(t *testing.T) {
	body := `{"text": "t\u00e9", "named": "n", "whole": -128, "real": 1.5, "yes": true, "raw": [1, {"a" : 2}], "any": {"x": [1, null]},
	  "bytes": "aGk=", "pointer": {"text": "", "needed": false, "NoTag": ""}, "pointers": [1, null], "lists": [["a"], []],
	  "maps": {"a": [1], "b": []}, "by_name": {"k": {"text": "x", "needed": true, "NoTag": "y"}}, "by_number": {"7": "seven"},
	  "when": "2026-11-22T01:02:03.5Z", "needed": true, "unsigned": 65535, "NoTag": "n", "deep": "d"}`
	got, err := config.Decode[everything]([]byte(body), config.Limits{})
	require.NoError(t, err)
	var want everything
	require.NoError(t, json.Unmarshal([]byte(body), &want))
	require.Equal(t, want, got)
	require.Empty(t, got.inner)

	wrong := `{"text": true, "whole": 128, "real": 1e39, "bytes": "` + canary + `", "pointer": {}, "pointers": [1.5], "lists": [["a", 1]],
	  "maps": {"a": ["x"]}, "by_number": {"` + canary + `": "x"}, "when": "` + canary + `", "unsigned": -1, "Hidden": "h", "NoTag": null}`
	_, err = config.Decode[everything]([]byte(wrong), config.Limits{})
	var invalid *config.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, []string{
		"/needed: is required",
		"/text: must be a string",
		"/whole: must be a whole number of at most 8 bits",
		"/real: the number is too large",
		"/bytes: is not of the form that is wanted here",
		"/pointer/text: is required",
		"/pointer/needed: is required",
		"/pointer/NoTag: is required",
		"/pointers/0: must be a whole number of at most 64 bits",
		"/lists/0/1: must be a string",
		"/maps/a/0: must be a number",
		"/by_number: is not of the form that is wanted here",
		"/when: is not of the form that is wanted here",
		"/unsigned: is not of the form that is wanted here",
		"/Hidden: is not a field that is known here",
		"/NoTag: is required and may not be null",
	}, texts(invalid.Problems))
}

// configGen draws a configuration, of any strings whatever.
func configGen() *rapid.Generator[rest.Config] {
	text := rapid.String()
	texts := rapid.MapOfN(text, text, 1, 3)
	raw := rapid.Custom(func(t *rapid.T) json.RawMessage {
		encoded, _ := json.Marshal(rapid.MapOfN(text, rapid.SliceOfN(text, 0, 2), 0, 3).Draw(t, "object"))
		return encoded
	})
	resource := rapid.Custom(func(t *rapid.T) rest.Resource {
		return rest.Resource{
			Type: text.Draw(t, "type"), Operation: text.Draw(t, "operation"), Properties: raw.Draw(t, "properties"),
			References: texts.Draw(t, "references"), Tags: texts.Draw(t, "tags"), Naming: text.Draw(t, "naming"),
			Adopt: rapid.Bool().Draw(t, "adopt"), TimeoutSeconds: rapid.Float64Range(-1e6, 1e6).Draw(t, "timeout"),
			DependsOn: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rest.Dependency {
				edge := rapid.SampledFrom([]string{"", "pause", "end", "else"}).Draw(t, "edge")
				return rest.Dependency{Resource: text.Draw(t, "resource"), EdgeType: edge}
			}), 1, 3).Draw(t, "depends_on"),
		}
	})
	return rapid.Custom(func(t *rapid.T) rest.Config {
		resources := rest.Resources{}
		for _, id := range rapid.SliceOfNDistinct(text, 0, 5, rapid.ID[string]).Draw(t, "ids") {
			resources = append(resources, rest.NamedResource{ID: id, Definition: resource.Draw(t, "resource")})
		}
		return rest.Config{
			DeploymentID: text.Draw(t, "deployment_id"), Version: text.Draw(t, "version"),
			Credentials: rest.Credentials(rapid.MapOfN(text, raw, 1, 2).Draw(t, "credentials")),
			Targets:     []rest.Target{{Provider: text.Draw(t, "provider"), Regions: rapid.SliceOfN(text, 1, 3).Draw(t, "regions")}},
			Providers:   map[string]rest.ProviderPick{text.Draw(t, "pick"): {Version: text.Draw(t, "range")}},
			Resources:   resources,
		}
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := configGen().Draw(t, "config")
		body, err := json.Marshal(want)
		require.NoError(t, err)
		got, err := config.Decode[rest.Config](body, config.Limits{})
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// FuzzDecode: no text makes it panic, and what it accepts encoding/json accepts too, with the same result.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"config": {"deployment_id": "d", "resources": {"r": {"type": "p:t", "depends_on": ["x", {"resource": "y"}]}}}}`))
	f.Add([]byte(`{"config": null, "credentials": {"p": null}, "only": [], "validate_only": null}`))
	f.Add([]byte(`{"config": {"deployment_id": "\ud83d\ude00", "resources": {}, "timeout_seconds": 1e5}, "graph_id": "x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		agree[rest.ApplyRequest](t, body)
		agree[rest.PlanRequest](t, body)
		agree[everything](t, body)
	})
}

func agree[T any](t *testing.T, body []byte) {
	got, err := config.Decode[T](body, config.Limits{})
	if err != nil {
		var (
			syntax  *config.SyntaxError
			invalid *config.InvalidError
		)
		require.True(t, errors.As(err, &syntax) || errors.As(err, &invalid), "%T", err)
		return
	}
	var want T
	require.NoError(t, json.Unmarshal(body, &want))
	require.Equal(t, want, got)
}
