package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const problemType = "application/problem+json"

// kindPage is what is said of a kind of problem, in every problem and on its page.
type kindPage struct {
	Kind    rest.Kind
	Status  int
	Title   string
	Meaning string
	Remedy  string
}

// kindPages has one entry for each of rest.Kinds, in that order.
func kindPages() []kindPage {
	return []kindPage{
		{rest.KindMalformed, 400, "The request cannot be read",
			"The body is not one JSON document in UTF-8, or it is empty.",
			"Check that the body is complete JSON. The detail says at which byte reading stopped, and why; what stands there is never repeated."},
		{rest.KindUnauthorized, 401, "An API key is needed",
			"The request carries no API key, or one that this host does not know (any more).",
			"Send the key as `Authorization: Bearer KEY` or in the `X-API-Key` header. `mgraph-deploy keys create` makes one."},
		{rest.KindForbidden, 403, "The key does not allow this",
			"The key is known, and its role does not reach this far; or a browser sent the request from another site's page.",
			"Use a key with the role `operator`, made by `mgraph-deploy keys create --role operator`."},
		{rest.KindNotFound, 404, "Not found",
			"There is no such path, graph, run, deployment, provider or resource type, or it belongs to another tenant.",
			"`GET /deployments`, `GET /deploy/runs`, `GET /providers` and `GET /resource-types` list what there is; `/docs` lists the paths."},
		{rest.KindMethodNotAllowed, 405, "The path has other methods",
			"The path exists, with other methods than this one.",
			"The `Allow` header of the answer lists them."},
		{rest.KindNotAcceptable, 406, "The answer has other formats",
			"The `Accept` header leaves out every media type that this path answers with.",
			"Accept `application/json`; for `/deploy/events/{graph_id}` also `text/event-stream`."},
		{rest.KindConflict, 409, "It does not fit the present state",
			"A run is active on the deployment (`run_id` names it), the graph is not the deployment's head, the deployment is destroyed, a pinned provider version is missing, or a name is taken.",
			"Wait for the run, or follow it at `/deploy/events/{graph_id}`; or plan again on the present head. `force` overrides the head, never an active run."},
		{rest.KindTooLarge, 413, "The request is too large",
			"The body is longer than this host takes, or nests too deeply, or names too many resources.",
			"Split the deployment, or ask the operator for higher limits."},
		{rest.KindUnsupportedMedia, 415, "The body must be JSON",
			"The `Content-Type` is not `application/json`, or the body is encoded.",
			"Send `Content-Type: application/json`, and no `Content-Encoding`."},
		{rest.KindMisdirected, 421, "Wrong host name",
			"Without API keys this host only answers to loopback names, so that no web page can reach it under a name of its own.",
			"Call it as `127.0.0.1` or `localhost`, or make an API key."},
		{rest.KindInvalid, 422, "The request breaks rules",
			"The body is JSON, and something in it is not as it must be. `errors` names every place at once; `provider` and `public_key` are set when credentials are missing or cannot be opened.",
			"Go through `errors`: each has a JSON Pointer into the body. `POST /deploy/plan` finds the same without changing anything."},
		{rest.KindTooMany, 429, "Too many requests",
			"The tenant has as many runs in progress as this host allows.",
			"Wait for the time in `Retry-After`."},
		{rest.KindInternal, 500, "A fault of this host",
			"The host did something that it should not have. Nothing of the request is repeated here.",
			"Give the operator the `trace_id`: the log has the cause under it. A run that was started goes on; `GET /deploy/runs` lists it."},
		{rest.KindUnavailable, 503, "Not available now",
			"The host is starting or stopping, or a provider or the store does not answer.",
			"Try again after the time in `Retry-After`; `GET /info/status` says which part it is."},
	}
}

func pageOf(kind rest.Kind) kindPage {
	pages := kindPages()
	at := slices.IndexFunc(pages, func(p kindPage) bool { return p.Kind == kind })
	if at < 0 {
		return pageOf(rest.KindInternal)
	}
	return pages[at]
}

// kindOfStatus finds the kind for a status that huma decided on.
func kindOfStatus(status int) rest.Kind {
	pages := kindPages()
	at := slices.IndexFunc(pages, func(p kindPage) bool { return p.Status == status })
	if at < 0 && status >= 400 && status < 500 {
		return rest.KindMalformed
	}
	if at < 0 {
		return rest.KindInternal
	}
	return pages[at].Kind
}

// problem is an error answer on its way out.
type problem struct {
	rest.Problem
	header http.Header
}

// Guards: huma takes it as an error, with its own content type and headers.
var (
	_ huma.StatusError       = (*problem)(nil)
	_ huma.HeadersError      = (*problem)(nil)
	_ huma.ContentTypeFilter = (*problem)(nil)
)

func newProblem(kind rest.Kind, detail string) *problem {
	page := pageOf(kind)
	p := &problem{
		Problem: rest.Problem{
			Type: "/problems/" + string(page.Kind), Title: page.Title, Status: page.Status, Kind: page.Kind, Detail: detail,
		},
		header: http.Header{},
	}
	switch kind {
	case rest.KindUnauthorized:
		p.header.Set("WWW-Authenticate", "Bearer")
	case rest.KindTooMany, rest.KindUnavailable:
		p.header.Set("Retry-After", "5")
	}
	return p
}

// Error is for logs.
func (p *problem) Error() string { return string(p.Kind) + ": " + p.Detail }

// GetStatus gives the HTTP status.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders gives what goes beside the body.
func (p *problem) GetHeaders() http.Header { return p.header }

// ContentType is the same whatever was asked for.
func (p *problem) ContentType(string) string { return problemType }

// write answers with it outside of huma.
func (p *problem) write(w http.ResponseWriter, r *http.Request) {
	p.TraceID = exchangeOf(r.Context()).trace
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// newHumaError stands in for huma's own, which repeats what it refuses: of its findings only the place is kept, and only
// where the place is a parameter that the operation declares.
func newHumaError(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
	p := newProblem(kindOfStatus(status), "")
	if ctx == nil {
		return p
	}
	p.TraceID = exchangeOf(ctx.Context()).trace
	if status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		return p
	}
	p.Detail = "a parameter is not as it must be"
	for _, err := range errs {
		if detailer, ok := err.(huma.ErrorDetailer); ok {
			p.Errors = append(p.Errors, parameterError(ctx.Operation(), detailer.ErrorDetail().Location))
		}
	}
	return p
}

func parameterError(operation *huma.Operation, location string) rest.FieldError {
	for _, param := range operation.Parameters {
		if location == param.In+"."+param.Name {
			return rest.FieldError{Pointer: "#/" + param.In + "/" + param.Name, Detail: "must be " + describe(param.Schema)}
		}
	}
	return rest.FieldError{Pointer: "#/query", Detail: "there is a parameter that this path does not have"}
}

// describe says in words what a parameter's schema demands.
func describe(schema *huma.Schema) string {
	switch {
	case schema == nil:
		return "as /docs says"
	case len(schema.Enum) > 0:
		var values []string
		for _, value := range schema.Enum {
			values = append(values, toText(value))
		}
		return "one of " + strings.Join(values, ", ")
	case schema.Format == "date-time":
		return "an RFC 3339 time"
	case schema.Type == huma.TypeInteger && schema.Minimum != nil && schema.Maximum != nil:
		return "a whole number from " + toText(*schema.Minimum) + " to " + toText(*schema.Maximum)
	default:
		return "as /docs says"
	}
}

func toText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return strings.Trim(string(text), `"`)
}
