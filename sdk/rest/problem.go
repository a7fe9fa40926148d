package rest

import "fmt"

// Kind classes a problem; the list is closed. A problem's type URI is /problems/{kind}, and that page explains it.
type Kind string

// The kinds of problems, with the HTTP status each one has.
const (
	KindMalformed        Kind = "malformed"              // 400: not JSON, or a parameter that cannot be read
	KindUnauthorized     Kind = "unauthorized"           // 401: no key, or one that is not known
	KindForbidden        Kind = "forbidden"              // 403: the key's role does not allow it
	KindNotFound         Kind = "not-found"              // 404: no such route, graph, run, type, for this tenant
	KindMethodNotAllowed Kind = "method-not-allowed"     // 405
	KindNotAcceptable    Kind = "not-acceptable"         // 406
	KindConflict         Kind = "conflict"               // 409: a run is active, not the head, pinned provider missing
	KindTooLarge         Kind = "too-large"              // 413
	KindUnsupportedMedia Kind = "unsupported-media-type" // 415
	KindMisdirected      Kind = "misdirected"            // 421: the Host header names another host
	KindInvalid          Kind = "invalid"                // 422: decodes, but breaks rules; errors[] says where
	KindTooMany          Kind = "too-many-requests"      // 429, with Retry-After
	KindInternal         Kind = "internal"               // 500
	KindUnavailable      Kind = "unavailable"            // 503, with Retry-After
	KindUnexpected       Kind = "unexpected-answer"      // the client's own: an answer that is not of this API
)

// Kinds lists every kind that a host answers with.
func Kinds() []Kind {
	return []Kind{
		KindMalformed, KindUnauthorized, KindForbidden, KindNotFound, KindMethodNotAllowed, KindNotAcceptable,
		KindConflict, KindTooLarge, KindUnsupportedMedia, KindMisdirected, KindInvalid, KindTooMany, KindInternal,
		KindUnavailable,
	}
}

// Problem is the body of every error answer: application/problem+json, RFC 9457. It never holds a rejected value.
type Problem struct {
	// Type is the stable URI reference /problems/{kind}.
	Type  string `json:"type"`
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Kind   Kind   `json:"kind"`
	// Errors say what is wrong and where, all at once.
	Errors []FieldError `json:"errors,omitempty"`
	// TraceID finds the request in the host's log.
	TraceID string `json:"trace_id"`
	// RunID names the run that stands in the way of a 409.
	RunID string `json:"run_id,omitempty"`
	// Provider, whose credentials are missing or wrong; PublicKey is where its key is served.
	Provider  string `json:"provider,omitempty"`
	PublicKey string `json:"public_key,omitempty"`
}

// FieldError is one thing that is wrong in a request.
type FieldError struct {
	// Pointer is a JSON Pointer into the body, "" for the whole; for a parameter it is "#/" and where it stands and its
	// name: "#/query/limit".
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// ProblemError is a problem as a Go error. Match its kind with errors.Is(err, rest.KindConflict) or look inside with errors.As.
type ProblemError struct{ Problem }

// Error says what happened in one line.
func (e *ProblemError) Error() string {
	text := e.Title
	if e.Detail != "" {
		text = e.Detail
	}
	if len(e.Errors) > 0 {
		text = fmt.Sprintf("%s (%d problems, first at %q: %s)", text, len(e.Errors), e.Errors[0].Pointer, e.Errors[0].Detail)
	}
	return fmt.Sprintf("%s: %s", e.Kind, text)
}

// Is matches a Kind.
func (e *ProblemError) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Error makes a Kind a target for errors.Is.
func (k Kind) Error() string { return string(k) }
