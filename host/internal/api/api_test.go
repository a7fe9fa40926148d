package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/api"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestACommandIsNamedByItsKey: the key, the path and the body go to the engine, which knows a repeat for one.
func TestACommandIsNamedByItsKey(t *testing.T) {
	h := serve(t)
	h.do(t, "POST", "/deploy/apply", applyBody, "Idempotency-Key", "build-7")
	h.do(t, "POST", "/deploy/verify", `{"graph_id":"5bec1234"}`)
	h.do(t, "POST", "/deploy/plan", applyBody, "Idempotency-Key", "build-8")
	require.Len(t, h.engine.commands, 3)
	require.Equal(t, []string{"build-7", "/deploy/apply"}, []string{h.engine.commands[0].Key, h.engine.commands[0].Route})
	require.NotNil(t, h.engine.commands[0].Body.(*rest.ApplyRequest).Config)
	require.Empty(t, h.engine.commands[1].Key)
	require.Equal(t, "build-8", h.engine.commands[2].Key)
	for _, bad := range []string{"two words", strings.Repeat("x", 256)} {
		reply := h.do(t, "POST", "/deploy/apply", applyBody, "Idempotency-Key", bad)
		require.Equal(t, "#/header/Idempotency-Key", reply.problem(t, rest.KindInvalid).Errors[0].Pointer)
	}
	require.Len(t, h.engine.commands, 3)
}

func TestRoutesAskTheEngine(t *testing.T) {
	tests := []struct{ method, path, body, asked, answer string }{
		{"POST", "/deploy/plan", applyBody, "plan", `"deployment_id":"a"`},
		{"POST", "/deploy/apply", applyBody, "apply", `"status":"completed"`},
		{"POST", "/deploy/apply", `{"graph_id":"5bec1234","mode":"DRY_RUN"}`, "dry run", `"status":"pending"`},
		{"POST", "/deploy/continue", `{"graph_id":"5bec1234","skip":["a"]}`, "continue 5bec1234", `"status":"completed"`},
		{"POST", "/deploy/cancel", `{"run_id":"7ac40001","grace_seconds":0}`, "cancel 7ac40001", `"status":"completed"`},
		{"POST", "/deploy/destroy", `{"deployment_id":"a"}`, "destroy a", `"success":true`},
		{"POST", "/deploy/rollback", `{"deployment_id":"a","run_id":"7ac40001"}`, "rollback a 7ac40001", `"success":true`},
		{"POST", "/deploy/verify", `{"graph_id":"5bec1234"}`, "verify 5bec1234", `"success":true`},
		{"POST", "/deploy/discover", `{"graph_id":"5bec1234"}`, "discover 5bec1234", `"resources":[]`},
		{"GET", "/deploy/status/5bec1234", "", "status 5bec1234 ", `"graph_id":"5bec1234"`},
		{"GET", "/deploy/status/5bec1234?run=7ac40001", "", "status 5bec1234 7ac40001", `"run_id":"7ac40001"`},
		{"GET", "/deploy/plan/5bec1234", "", "stored plan 5bec1234", `"spec_graph_id":"5bec1234"`},
		{"GET", "/deploy/runs/7ac40001", "", "result 7ac40001", `"run_id":"7ac40001"`},
		{"GET", "/deploy/runs?deployment_id=a&status=failed&kind=verify&since=2026-01-02T03:04:05Z&limit=7&cursor=c", "",
			`runs {"DeploymentID":"a","GraphID":"","Status":"failed","Kind":"verify","Since":"2026-01-02T03:04:05.000Z","Limit":7,"Cursor":"c"}`, `"runs":[]`},
		{"GET", "/deploy/history/a?limit=3", "", `history a {"Limit":3,"Cursor":""}`, `"versions":[]`},
		{"GET", "/deploy/compare?from=5bec1234&to=5bec5678", "", "compare 5bec1234 5bec5678", `"resources":[]`},
		{"GET", "/deployments", "", `deployments {"Limit":50,"Cursor":""}`, `"deployments":[]`},
		{"GET", "/deploy/graph/5bec1234", "", "graph 5bec1234  spec", `"graph_id":"5bec1234"`},
		{"GET", "/deploy/graph/5bec1234?view=execution&run=7ac40001", "", "graph 5bec1234 7ac40001 execution", `"graph_id":"5bec1234"`},
		{"GET", "/deploy/graph/5bec1234?format=dot", "", "graph 5bec1234  spec", "digraph \"app\" {"},
		{"GET", "/deploy/graph/5bec1234?format=mgraph", "", "graph 5bec1234  spec", `"_type_registry":{`},
		{"GET", "/deploy/graph/5bec1234?format=mermaid", "", "graph 5bec1234  spec", "flowchart LR"},
		{"GET", "/deploy/logs/5bec1234/x", "", "logs 5bec1234  x", `"lines":[]`},
		{"GET", "/deploy/outputs/5bec1234/x?run=7ac40001", "", "outputs 5bec1234 7ac40001 x", `"outputs":{}`},
		{"GET", "/public-keys/aws", "", "keys aws", `"audience":"default"`},
		{"GET", "/providers", "", "providers", `"name":"aws"`},
		{"GET", "/providers/aws", "", "provider aws", `"name":"aws"`},
		{"POST", "/providers/reload", "{}", "reload", `"providers":[]`},
		{"GET", "/resource-types", "", "types", `"resource_types":[]`},
		{"GET", "/resource-types/aws:s3:bucket", "", "type aws:s3:bucket", `"schema"`},
		{"GET", "/info/status", "", "system", `"auth":"open"`},
		{"GET", "/info/version", "", "", `"version":"0.1.0"`},
		{"GET", "/info/whoami", "", "", `"role":"operator"`},
		{"GET", "/info/health", "", "", `{"status":"ok"}`},
	}
	for _, test := range tests {
		t.Run(test.method+test.path, func(t *testing.T) {
			h := serve(t)
			reply := h.do(t, test.method, test.path, test.body)
			require.Equal(t, http.StatusOK, reply.StatusCode, reply.body)
			require.Contains(t, reply.body, test.answer)
			require.NotEmpty(t, reply.Header.Get("X-Trace-Id"))
			if test.asked != "" {
				require.Contains(t, h.engine.asked, test.asked)
			}
		})
	}
}

func TestEngineErrorsBecomeProblems(t *testing.T) {
	tests := map[engine.ErrorKind]rest.Kind{
		engine.Malformed: rest.KindMalformed, engine.Unauthorized: rest.KindUnauthorized, engine.Forbidden: rest.KindForbidden,
		engine.NotFound: rest.KindNotFound, engine.Conflict: rest.KindConflict, engine.Invalid: rest.KindInvalid,
		engine.TooLarge: rest.KindTooLarge, engine.TooMany: rest.KindTooMany, engine.Unavailable: rest.KindUnavailable,
		engine.Internal: rest.KindInternal, "something new": rest.KindInternal,
	}
	for kind, want := range tests {
		t.Run(string(kind), func(t *testing.T) {
			h := serve(t)
			h.engine.err = &engine.Error{Kind: kind, Message: "because", RunID: runID, Provider: "aws",
				Problems: []graph.Problem{{Pointer: "/config/resources/x", Message: "is wrong"}}}
			for _, call := range [][3]string{{"POST", "/deploy/apply", applyBody}, {"GET", "/deploy/status/5bec1234", ""}} {
				problem := h.do(t, call[0], call[1], call[2]).problem(t, want)
				require.Equal(t, []rest.FieldError{{Pointer: "/config/resources/x", Detail: "is wrong"}}, problem.Errors)
				require.Equal(t, "aws", problem.Provider)
				require.Equal(t, want == rest.KindInvalid, problem.PublicKey == "/public-keys/aws")
				require.Equal(t, runID, problem.RunID)
				require.Equal(t, want != rest.KindInternal, problem.Detail == "because")
			}
		})
	}
}

func TestUnknownErrorsSayNothing(t *testing.T) {
	h := serve(t)
	h.engine.err = errors.New("disk is canary-7731")
	reply := h.do(t, "GET", "/deploy/runs/7ac40001", "")
	problem := reply.problem(t, rest.KindInternal)
	require.NotContains(t, reply.body, "canary")
	require.Contains(t, h.log.String(), problem.TraceID, "the log has the cause under the trace id")
}

func TestPanicsBecomeProblems(t *testing.T) {
	h := serve(t)
	h.engine.panics = "canary-7731"
	reply := h.do(t, "GET", "/deploy/runs/7ac40001", "")
	reply.problem(t, rest.KindInternal)
	require.NotContains(t, reply.body+h.log.String(), "canary")
	require.Contains(t, h.log.String(), "panic")
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		headers                  []string
		want                     rest.Kind
	}{
		{"no such path", "GET", "/nothing", "", nil, rest.KindNotFound},
		{"trailing slash", "GET", "/deployments/", "", nil, rest.KindNotFound},
		{"other method", "DELETE", "/deployments", "", nil, rest.KindMethodNotAllowed},
		{"no such page", "GET", "/problems/nothing", "", nil, rest.KindNotFound},
		{"other format", "GET", "/deployments", "", []string{"Accept", "text/html"}, rest.KindNotAcceptable},
		{"excluded format", "GET", "/deployments", "", []string{"Accept", "*/*, application/json;q=0"}, rest.KindNotAcceptable},
		{"odd accept", "GET", "/deployments", "", []string{"Accept", ";;a;"}, rest.KindNotAcceptable},
		{"form", "POST", "/deploy/plan", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, rest.KindUnsupportedMedia},
		{"text", "POST", "/deploy/plan", "{}", []string{"Content-Type", "text/plain"}, rest.KindUnsupportedMedia},
		{"encoded", "POST", "/deploy/plan", "{}", []string{"Content-Encoding", "gzip"}, rest.KindUnsupportedMedia},
		{"empty", "POST", "/deploy/plan", "", nil, rest.KindMalformed},
		{"not JSON", "POST", "/deploy/plan", "{", nil, rest.KindMalformed},
		{"large", "POST", "/deploy/plan", strings.Repeat(" ", 2000), nil, rest.KindTooLarge},
		{"large and chunked", "POST", "/deploy/plan", strings.Repeat(" ", 2000), []string{"Transfer-Encoding", "chunked"}, rest.KindTooLarge},
		{"unknown field", "POST", "/deploy/apply", `{"colour":"red"}`, nil, rest.KindInvalid},
		{"odd limit", "GET", "/deployments?limit=many", "", nil, rest.KindInvalid},
		{"large limit", "GET", "/deployments?limit=501", "", nil, rest.KindInvalid},
		{"odd status", "GET", "/deploy/runs?status=fine", "", nil, rest.KindInvalid},
		{"odd time", "GET", "/deploy/runs?since=yesterday", "", nil, rest.KindInvalid},
		{"unknown parameter", "GET", "/deployments?colour=red", "", nil, rest.KindInvalid},
		{"no such format", "GET", "/deploy/graph/5bec1234?view=execution&format=png", "", nil, rest.KindInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := serve(t, func(o *api.Options) { o.Limits.MaxBytes = 1000 })
			reply := h.do(t, test.method, test.path, test.body, test.headers...)
			problem := reply.problem(t, test.want)
			if test.want == rest.KindInvalid {
				require.NotEmpty(t, problem.Errors)
				require.NotEmpty(t, problem.Errors[0].Detail)
			}
			if test.want == rest.KindMethodNotAllowed {
				require.Equal(t, "GET, OPTIONS", reply.Header.Get("Allow"))
			}
		})
	}
}

func TestParameterProblemsSayWhereAndWhat(t *testing.T) {
	problem := serve(t).do(t, "GET", "/deploy/runs?limit=0&status=fine", "").problem(t, rest.KindInvalid)
	require.ElementsMatch(t, []rest.FieldError{
		{Pointer: "#/query/limit", Detail: "must be a whole number from 1 to 500"},
		{Pointer: "#/query/status", Detail: "must be one of queued, running, completed, failed, paused, cancelling, cancelled, interrupted"},
	}, problem.Errors)
}

func TestAQueryThatCannotBeReadWholeIsRefused(t *testing.T) {
	problem := serve(t).do(t, "GET", "/deploy/runs?deployment_id=%zz", "").problem(t, rest.KindInvalid)
	require.Len(t, problem.Errors, 1)
	require.Equal(t, "#/query", problem.Errors[0].Pointer)
}

func TestHealthSaysWhenNotReady(t *testing.T) {
	h := serve(t)
	h.engine.err = errors.New("starting")
	reply := h.do(t, "GET", "/info/health", "")
	reply.problem(t, rest.KindUnavailable)
	require.Equal(t, "5", reply.Header.Get("Retry-After"))
}

// TestNothingSentIsWrittenBack sends a secret in every place where a request can carry one, wrongly, and looks for it in
// answers and in the log.
func TestNothingSentIsWrittenBack(t *testing.T) {
	const canary = "canary7731"
	calls := []struct {
		method, path, body string
		headers            []string
	}{
		{"POST", "/deploy/apply", `{"config":"` + canary + `"}`, nil},
		{"POST", "/deploy/apply", `{"mode":"` + canary, nil},
		{"POST", "/deploy/apply", canary, nil},
		{"POST", "/deploy/apply", `{"config":{"deployment_id":7,"credentials":"` + canary + `"}}`, nil},
		{"POST", "/deploy/plan", `{"config":{"deployment_id":"a","version":["` + canary + `"],"resources":{}}}`, nil},
		{"POST", "/deploy/apply", strings.Repeat(canary, 200), nil},
		{"POST", "/deploy/plan", canary, []string{"Content-Type", canary + "/" + canary}},
		{"POST", "/deploy/plan", canary, []string{"Content-Encoding", canary}},
		{"POST", "/keys", `{"name":"` + canary + `!","tenant":" ` + canary + `","role":"` + canary + `"}`, nil},
		{"GET", "/" + canary, "", nil},
		{"GET", "/deploy/status/" + canary + "/" + canary, "", nil},
		{"GET", "/deploy/status/" + canary, "", []string{"Accept", "a/" + canary}},
		{"GET", "/deployments?limit=" + canary, "", nil},
		{"GET", "/deployments?" + canary + "=1", "", nil},
		{"GET", "/deploy/runs?status=" + canary + "&since=" + canary, "", nil},
		{"GET", "/deploy/graph/5bec1234?view=" + canary + "&format=" + canary, "", nil},
		{"GET", "/deploy/events/5bec1234", "", []string{"Prefer", canary, "Last-Event-ID", canary, "Accept", "application/json"}},
		{"GET", "/info/whoami", "", []string{"Traceparent", "00-" + canary}},
		{"GET", "/info/whoami", "", []string{"Host", canary}},
		{"GET", "/info/whoami", "", []string{"Authorization", "Bearer " + canary, "Cookie", canary, "X-API-Key", canary}},
		{canary, "/deployments", "", nil},
	}
	for _, keys := range []bool{false, true} {
		h := serve(t, func(o *api.Options) {
			o.Limits.MaxBytes = 1000
			if keys {
				o.Auth = api.AuthKeys
			}
		})
		h.engine.err = &engine.Error{Kind: engine.NotFound, Message: "there is no such thing"}
		for _, call := range calls {
			reply := h.do(t, call.method, call.path, call.body, call.headers...)
			require.NotContains(t, reply.body, canary, call.path)
			for name, values := range reply.Header {
				require.NotContains(t, strings.Join(values, " "), canary, name)
			}
		}
		require.NotContains(t, h.log.String(), canary)
	}
}

func TestAcceptedCredentialsAreNotLogged(t *testing.T) {
	h := serve(t)
	body := `{"graph_id":"5bec1234","credentials":{"aws":{"encrypted_secret_access_key":"canary7731"}},"sealed_properties":{"/a":"canary7731"}}`
	reply := h.do(t, "POST", "/deploy/apply", body)
	require.Equal(t, http.StatusOK, reply.StatusCode, reply.body)
	require.JSONEq(t, `{"encrypted_secret_access_key":"canary7731"}`, string(h.engine.applied.Credentials["aws"]))
	require.NotContains(t, h.log.String()+reply.body, "canary7731")
	require.Contains(t, h.log.String(), "/deploy/apply")
}

func TestTraceGoesOn(t *testing.T) {
	h := serve(t)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	reply := h.do(t, "GET", "/nothing", "", "Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	require.Equal(t, trace, reply.problem(t, rest.KindNotFound).TraceID)
	require.Contains(t, h.log.String(), trace)
}

func TestAnswersAreJSONWithoutHTMLEscapes(t *testing.T) {
	h := serve(t)
	reply := h.do(t, "POST", "/deploy/plan", strings.Replace(applyBody, `"a"`, `"a<b>&"`, 1))
	require.Contains(t, reply.body, `"a<b>&"`)
	require.True(t, json.Valid([]byte(reply.body)))
	require.Equal(t, "no-store", reply.Header.Get("Cache-Control"))
}
