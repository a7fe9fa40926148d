package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

// echo stands wherever a value is refused: no answer and no log may repeat it.
const echo = "rejectedEchoCanary7f3a"

// bad is a request that must be refused.
type bad struct {
	method, path string
	body         string
	headers      []string
	status       int
	kind         rest.Kind
	// pointers must all be named; where there are none, none need be.
	pointers []string
}

// inConfig is a body for apply whose config has these further members.
func inConfig(members string) string {
	return `{"config": {"deployment_id": "app", "credentials": {"noop": {}}, ` + members + `}}`
}

// inThing is a body for apply with one thing of these further members.
func inThing(members string) string {
	return inConfig(`"resources": {"a": {"type": "noop:thing", ` + members + `}}`)
}

const (
	applyPath = "/deploy/apply"
	aThing    = "/config/resources/a"
)

func invalid(body string, pointers ...string) bad {
	return bad{http.MethodPost, applyPath, body, nil, http.StatusUnprocessableEntity, rest.KindInvalid, pointers}
}

func malformed(body string) bad {
	return bad{http.MethodPost, applyPath, body, nil, http.StatusBadRequest, rest.KindMalformed, nil}
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

var badInputs = map[string]bad{
	"nothing":           malformed(""),
	"a cut object":      malformed(`{"config": {"deployment_id": "` + echo),
	"no JSON":           malformed(echo),
	"two values":        malformed(inThing(`"tags": {}`) + ` "` + echo + `"`),
	"a trailing comma":  malformed(`{"config": {},}`),
	"a comment":         malformed(`{"config": {} /* ` + echo + ` */}`),
	"invalid UTF-8":     malformed("{\"config\": {\"deployment_id\": \"\xff\xfe" + echo + "\"}}"),
	"a lone surrogate":  malformed(`{"config": {"deployment_id": "\ud800"}}`),
	"an endless nest":   invalid(strings.Repeat("[", 1_000_000)),
	"null":              invalid(`null`),
	"a list":            invalid(`["` + echo + `"]`),
	"an empty object":   invalid(`{}`, "/config"),
	"an unknown member": invalid(`{"stranger": "`+echo+`"}`, "/stranger"),
	"members of wrong types": invalid(`{"config": {"deployment_id": 7, "targets": {}, "resources": [], "version": true}}`,
		"/config/deployment_id", "/config/targets", "/config/resources", "/config/version"),
	"unknown members at all depths": invalid(
		`{"surprise": 1, "config": {"deployment_id": "app", "more": "`+echo+`", "resources": {"a": {"type": "noop:thing", "extra": 1,
			"depends_on": [{"resource": "b", "odd": 2}]}}}}`,
		"/surprise", "/config/more", aThing+"/extra", aThing+"/depends_on/0/odd"),
	"an unknown property": invalid(inThing(`"properties": {"shade": "`+echo+`"}`), aThing+"/properties/shade"),
	"a property out of bounds": invalid(inThing(`"properties": {"sleep_ms": -1, "crash": "`+echo+`"}`),
		aThing+"/properties/sleep_ms", aThing+"/properties/crash"),
	"a property of the wrong type":             invalid(inThing(`"properties": {"value": ["`+echo+`"]}`), aThing+"/properties/value"),
	"what only the provider knows to be wrong": invalid(inThing(`"properties": {"fail": "`+echo+`"}`), aThing+"/properties/fail"),
	"an unknown type":                          invalid(inConfig(`"resources": {"a": {"type": "noop:`+echo+`"}}`), aThing+"/type"),
	"an unknown provider":                      invalid(inConfig(`"resources": {"a": {"type": "`+echo+`:thing"}}`), aThing+"/type"),
	"a type without a colon":                   invalid(inConfig(`"resources": {"a": {"type": "`+echo+`"}}`), aThing+"/type"),
	"no type":                                  invalid(inConfig(`"resources": {"a": {}}`), aThing+"/type"),
	"an unknown verb":                          invalid(inThing(`"operation": "`+echo+`"`), aThing+"/operation"),
	"an unknown reference":                     invalid(inThing(`"references": {"from": "`+echo+`"}`), aThing+"/references/from"),
	"an unknown output":                        invalid(inConfig(`"resources": {"b": {"type": "noop:thing"}, "a": {"type": "noop:thing", "references": {"from": "b.`+echo+`"}}}`), aThing+"/references/from"),
	"an unknown region":                        invalid(inConfig(`"resources": {"b": {"type": "noop:regional"}, "a": {"type": "noop:thing", "references": {"from": "b@`+echo+`.id"}}}`), aThing+"/references/from"),
	"an unknown role":                          invalid(inConfig(`"resources": {"b": {"type": "noop:thing"}, "a": {"type": "noop:thing", "references": {"into": "b"}}}`), aThing+"/references/into"),
	"an unknown dependency":                    invalid(inThing(`"depends_on": ["`+echo+`"]`), aThing+"/depends_on/0"),
	"an unknown kind of edge":                  invalid(inConfig(`"resources": {"b": {"type": "noop:thing"}, "a": {"type": "noop:thing", "depends_on": [{"resource": "b", "edge_type": "`+echo+`"}]}}`), aThing+"/depends_on/0/edge_type"),
	"itself":                                   invalid(inThing(`"depends_on": ["a"]`), aThing+"/depends_on/0"),
	"a cycle": invalid(inConfig(`"resources": {
		"a": {"type": "noop:thing", "depends_on": ["c"]}, "b": {"type": "noop:thing", "depends_on": ["a"]},
		"c": {"type": "noop:thing", "references": {"from": "b"}}}`)),
	"a key twice":        invalid(`{"config": {"deployment_id": "app", "deployment_id": "`+echo+`", "resources": {}}}`, "/config/deployment_id"),
	"a resource twice":   invalid(inConfig(`"resources": {"a": {"type": "noop:thing"}, "a": {"type": "noop:thing"}}`), aThing),
	"a property twice":   invalid(inThing(`"properties": {"value": "x", "value": "`+echo+`"}`), aThing+"/properties/value"),
	"a credential twice": invalid(`{"config": {"deployment_id": "app", "credentials": {"noop": {"token": "x", "token": "`+echo+`"}}, "resources": {"a": {"type": "noop:thing"}}}}`, "/config/credentials/noop/token"),
	"no resources":       invalid(`{"config": {"deployment_id": "app", "credentials": {"noop": {}}}}`, "/config/resources"),
	"names that cannot be": invalid(`{"config": {"deployment_id": "no good `+echo+`", "credentials": {"noop": {}}, "resources": {"no good": {"type": "noop:thing"}}}}`,
		"/config/deployment_id", "/config/resources/no good"),
	"tags of ours":                    invalid(inThing(`"tags": {"mgraph:owner": "`+echo+`", "aws:x": "y"}`), aThing+"/tags/mgraph:owner", aThing+"/tags/aws:x"),
	"a target of no provider":         invalid(inConfig(`"targets": [{"provider": "`+echo+`"}], "resources": {"a": {"type": "noop:thing"}}`), "/config/targets/0/provider"),
	"a region twice":                  invalid(inConfig(`"targets": [{"provider": "noop", "regions": ["eu", "eu"]}], "resources": {"a": {"type": "noop:regional"}}`), "/config/targets/0/regions/1"),
	"a timeout below zero":            invalid(inThing(`"timeout_seconds": -1`), aThing+"/timeout_seconds"),
	"no credentials":                  invalid(`{"config": {"deployment_id": "app", "resources": {"a": {"type": "noop:thing"}}}}`, "/config/credentials/noop"),
	"credentials of the wrong shape":  invalid(`{"config": {"deployment_id": "app", "credentials": {"noop": {"token": ["`+echo+`"]}}, "resources": {"a": {"type": "noop:thing"}}}}`, "/config/credentials/noop/token"),
	"unknown credentials":             invalid(`{"config": {"deployment_id": "app", "credentials": {"noop": {"more": "`+echo+`"}}, "resources": {"a": {"type": "noop:thing"}}}}`, "/config/credentials/noop/more"),
	"a version that is not installed": invalid(inConfig(`"providers": {"noop": {"version": "^9"}}, "resources": {"a": {"type": "noop:thing"}}`), "/config/providers/noop"),
	"an unknown mode":                 invalid(`{"mode": "`+echo+`", "config": {"deployment_id": "app", "credentials": {"noop": {}}, "resources": {"a": {"type": "noop:thing"}}}}`, "/mode"),
	"only what is not there":          invalid(`{"only": ["`+echo+`"], "config": {"deployment_id": "app", "credentials": {"noop": {}}, "resources": {"a": {"type": "noop:thing"}}}}`, "/only"),
	"a deep nest in a property":       invalid(inThing(`"properties": {"value": ` + nested(200) + `}`)),

	"an unknown graph":              {http.MethodPost, applyPath, `{"graph_id": "00000000", "credentials": {"noop": {}}}`, nil, http.StatusNotFound, rest.KindNotFound, nil},
	"a graph of no form":            {http.MethodGet, "/deploy/status/" + echo, "", nil, http.StatusNotFound, rest.KindNotFound, nil},
	"an unknown run":                {http.MethodGet, "/deploy/runs/00000000", "", nil, http.StatusNotFound, rest.KindNotFound, nil},
	"an unknown route":              {http.MethodGet, "/" + echo, "", nil, http.StatusNotFound, rest.KindNotFound, nil},
	"a route with a slash behind":   {http.MethodGet, "/deployments/", "", nil, http.StatusNotFound, rest.KindNotFound, nil},
	"a path that climbs":            {http.MethodGet, "/deploy/../../etc/passwd", "", nil, http.StatusNotFound, rest.KindNotFound, nil},
	"another method":                {http.MethodDelete, applyPath, "", nil, http.StatusMethodNotAllowed, rest.KindMethodNotAllowed, nil},
	"an unknown method":             {"BREW", applyPath, "", nil, http.StatusMethodNotAllowed, rest.KindMethodNotAllowed, nil},
	"a parameter of no form":        {http.MethodGet, "/deploy/runs?limit=" + echo, "", nil, http.StatusUnprocessableEntity, rest.KindInvalid, []string{"#/query/limit"}},
	"an answer that is not offered": {http.MethodGet, "/deployments", "", []string{"Accept", "text/html"}, http.StatusNotAcceptable, rest.KindNotAcceptable, nil},
	"a body of another type":        {http.MethodPost, applyPath, "a=" + echo, []string{"Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType, rest.KindUnsupportedMedia, nil},
	"a packed body":                 {http.MethodPost, applyPath, echo, []string{"Content-Encoding", "gzip"}, http.StatusUnsupportedMediaType, rest.KindUnsupportedMedia, nil},
	"a page of another site":        {http.MethodPost, applyPath, "{}", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden, rest.KindForbidden, nil},
	"eleven megabytes":              {http.MethodPost, applyPath, inThing(`"properties": {"value": "` + strings.Repeat("x", 11<<20) + `"}`), nil, http.StatusRequestEntityTooLarge, rest.KindTooLarge, nil},
	"eleven megabytes of spaces":    {http.MethodPost, applyPath, strings.Repeat(" ", 11<<20) + "{}", nil, http.StatusRequestEntityTooLarge, rest.KindTooLarge, nil},
}

func TestWhatIsWrongIsRefusedAndLeavesNoTrace(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	before := s.rows()
	for name, request := range badInputs {
		t.Run(name, func(t *testing.T) {
			one := *s
			one.T = t
			one.refuses(request)
			require.Zero(t, one.outside())
			require.Equal(t, before, one.rows())
		})
	}
	log, err := os.ReadFile(s.LogPath())
	require.NoError(t, err)
	require.NotContains(t, string(log), echo)
	require.Empty(t, s.refusedNothing(), "it still works")
}

// refuses sends the request, and looks at how it is refused.
func (s *site) refuses(request bad) {
	s.Helper()
	var body []byte
	if request.method == http.MethodPost {
		body = []byte(request.body)
	}
	began := time.Now()
	refused := s.ask(request.method, request.path, body, request.headers...)
	require.Less(s, time.Since(began), 5*time.Second)
	require.NotContains(s, string(refused.body), echo, "it repeats what it refuses")
	require.NotContains(s, fmt.Sprint(refused.header), echo)
	require.Less(s, len(refused.body), 64<<10)
	problem := refused.problem(s.T)
	require.Equal(s, request.status, problem.Status, "%s", refused.body)
	require.Equal(s, request.kind, problem.Kind)
	found := map[string]bool{}
	for _, e := range problem.Errors {
		found[e.Pointer] = true
		require.NotEmpty(s, e.Detail)
	}
	for _, pointer := range request.pointers {
		require.True(s, found[pointer], "%s is not named: %s", pointer, refused.body)
	}
	if request.kind == rest.KindInvalid {
		require.NotEmpty(s, problem.Errors, "%s", refused.body)
	}
	if request.kind == rest.KindMethodNotAllowed {
		require.NotEmpty(s, refused.header.Get("Allow"))
	}
}

// refusedNothing deploys something that is right.
func (s *site) refusedNothing() string {
	result := s.apply(config(s.T, "app", chain))
	if result.Success {
		return ""
	}
	return result.Status
}

// TestPlanTellsOfEverythingAtOnce: plan is the validator, and answers what decodes.
func TestPlanTellsOfEverythingAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	body := inConfig(`"targets": [{"provider": "mars"}], "resources": {
		"a": {"type": "noop:thing", "operation": "explode", "properties": {"sleep_ms": -1, "shade": 1}, "depends_on": ["nobody"]},
		"b": {"type": "noop:nothing", "tags": {"mgraph:x": "y"}},
		"c": {"type": "noop:thing", "depends_on": ["d"]}, "d": {"type": "noop:thing", "depends_on": ["c"]}}`)
	answer := s.ask(http.MethodPost, "/deploy/plan", []byte(body))
	require.Equal(t, http.StatusOK, answer.status)
	var plan rest.PlanResponse
	require.NoError(t, json.Unmarshal(answer.body, &plan))
	require.False(t, plan.Success)
	require.Len(t, plan.ValidationErrors, len(plan.Errors))
	found := map[string]bool{}
	for _, e := range plan.Errors {
		found[e.Pointer] = true
	}
	for _, pointer := range []string{
		"/config/targets/0/provider", aThing + "/operation", aThing + "/properties/sleep_ms", aThing + "/properties/shade",
		aThing + "/depends_on/0", "/config/resources/b/type",
	} {
		require.True(t, found[pointer], "%s is not named: %s", pointer, answer.body)
	}
	require.Zero(t, s.rows()["graphs"])
	for _, broken := range []string{"", "{", `{"config": {"deployment_id": 1, "deployment_id": 2}}`} {
		require.GreaterOrEqual(t, s.ask(http.MethodPost, "/deploy/plan", []byte(broken)).problem(t).Status, 400)
	}
}

// TestBoxesThatAreNotForThisAreRefused: a sealed value is good for one field of one tenant at one provider, and nothing else.
func TestBoxesThatAreNotForThisAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *rig.HostOptions) { o.Config = map[string]any{"plain_boxes": false} })
	sealer, err := rig.NewSealer(s.ctx, s.Client, "noop")
	require.NoError(t, err)
	other, err := rig.NewSealer(s.ctx, s.Client, "github") // another provider's key
	require.NoError(t, err)
	before := s.rows()
	purpose := sealedbox.PurposeProperty("noop:thing", "/secret")
	seal := func(of *rig.Sealer, envelope sealedbox.Envelope) string {
		envelope.Value = echo
		box, err := of.Seal(envelope)
		require.NoError(t, err)
		return box
	}
	boxes := map[string]string{
		"another tenant's":        seal(sealer, sealedbox.Envelope{Purpose: purpose, Audience: "stranger"}),
		"another field's":         seal(sealer, sealedbox.Envelope{Purpose: sealedbox.PurposeProperty("noop:thing", "/value")}),
		"another type's":          seal(sealer, sealedbox.Envelope{Purpose: sealedbox.PurposeProperty("noop:regional", "/secret")}),
		"a credential":            seal(sealer, sealedbox.Envelope{Purpose: sealedbox.PurposeCredential}),
		"another deployment's":    seal(sealer, sealedbox.Envelope{Purpose: purpose, Deployment: "other"}),
		"one that has expired":    seal(sealer, sealedbox.Envelope{Purpose: purpose, NotAfter: time.Now().Add(-time.Hour)}),
		"another provider's name": seal(sealer, sealedbox.Envelope{Purpose: purpose, Provider: "github"}),
		"another provider's key":  seal(other, sealedbox.Envelope{Purpose: purpose, Provider: "noop"}),
		"no base64":               echo + "!",
		"base64 of nothing":       "AAAA",
		"garbage":                 strings.Repeat("QUJD", 64),
		"the value itself":        echo,
	}
	for name, box := range boxes {
		t.Run(name, func(t *testing.T) {
			one := *s
			one.T = t
			one.refuses(invalid(inThing(`"properties": {"secret": `+string(encode(t, box))+`}`), aThing+"/properties/secret"))
			require.Equal(t, before, one.rows())
			require.Zero(t, one.outside())
		})
	}
	right := seal(sealer, sealedbox.Envelope{Purpose: purpose, Deployment: "app", NotAfter: time.Now().Add(time.Hour)})
	applied := s.ask(http.MethodPost, applyPath, []byte(inThing(`"properties": {"secret": "`+right+`"}`)))
	require.Equal(t, http.StatusOK, applied.status, "%s", applied.body)
	require.Equal(t, 1, s.outside())
	log, err := os.ReadFile(s.LogPath())
	require.NoError(t, err)
	require.False(t, bytes.Contains(log, []byte(echo)))
}
