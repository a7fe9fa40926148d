package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// exchange is what is known of one request and its answer while it is handled, for the log and for problems.
type exchange struct {
	trace  string
	route  string
	caller engine.Caller
	// graphID is logged only because it has the form of one.
	graphID string
}

type exchangeKey struct{}

// exchangeOf never gives nil.
func exchangeOf(ctx context.Context) *exchange {
	if known, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return known
	}
	return &exchange{}
}

// watch gives each request a trace id, turns panics into problems, and writes the access log: no queries, no headers, no
// bodies, and of paths the route alone.
func (s *server) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := s.Now()
		current := &exchange{trace: traceOf(r), route: "-"}
		answer := &answer{ResponseWriter: w}
		setCommonHeaders(answer.Header(), current.trace)
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, current))
		defer func() {
			fault := recover()
			if fault != nil {
				s.answerFault(answer, r, fault)
			}
			s.logAccess(r, current, answer, s.Now().Sub(started))
			if fault != nil && answer.broken {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(answer, r)
	})
}

func setCommonHeaders(header http.Header, trace string) {
	header.Set("X-Trace-Id", trace)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
}

// answerFault answers a panic: with a problem while nothing was sent, else by cutting the connection.
func (s *server) answerFault(w *answer, r *http.Request, fault any) {
	if fault == http.ErrAbortHandler || r.Context().Err() != nil {
		w.broken = true
		return
	}
	// The value of a panic may hold anything; only its type is safe to log.
	s.Log.Error("panic", "trace_id", exchangeOf(r.Context()).trace, "type", fmt.Sprintf("%T", fault), "stack", string(debug.Stack()))
	if w.status != 0 {
		w.broken = true
		return
	}
	newProblem(rest.KindInternal, "").write(w, r)
}

func (s *server) logAccess(r *http.Request, current *exchange, w *answer, took time.Duration) {
	write := s.Log.Info
	if current.route == healthPath {
		write = s.Log.Debug
	}
	arguments := []any{
		"method", knownMethod(r.Method), "route", current.route, "status", w.status, "bytes", w.bytes,
		"took", took.Round(time.Microsecond), "trace_id", current.trace,
	}
	if current.caller.Tenant != "" {
		arguments = append(arguments, "tenant", current.caller.Tenant, "key", current.caller.Name)
	}
	if current.graphID != "" {
		arguments = append(arguments, "graph_id", current.graphID)
	}
	write("request", arguments...)
}

// knownMethod keeps made-up methods, which are free text, out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// traceparent is version 00 of the W3C header.
var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

// traceOf goes on with the caller's trace, or begins one.
func traceOf(r *http.Request) string {
	if match := traceparent.FindStringSubmatch(r.Header.Get("Traceparent")); match != nil {
		return match[1]
	}
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// answer watches what is written.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
	// broken: the answer cannot be completed, and the connection must not look as if it had been.
	broken bool
}

// Unwrap lets http.ResponseController reach what is beneath.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader passes the first status on.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write passes on and counts.
func (a *answer) Write(data []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	written, err := a.ResponseWriter.Write(data)
	a.bytes += int64(written)
	return written, err
}
