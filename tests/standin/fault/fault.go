// Package fault makes an HTTP server misbehave on request: it answers instead of the server, lets the server act and loses the
// answer, or makes the caller wait. Rules are bounded in count, so that what they strike always recovers.
//
// It knows nothing of any vendor's API: what a rule answers is given by whoever writes it.
package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kind is what a rule does to a request.
type Kind string

// The closed list of kinds.
const (
	Fail  Kind = "fail"  // answer with Status, Header and Body; the server never sees the request
	Drop  Kind = "drop"  // let the server act, then cut the connection without an answer
	Delay Kind = "delay" // wait, then let the server act and answer
)

// ErrInvalidRule is wrapped by every refusal of a rule.
var ErrInvalidRule = errors.New("invalid fault rule")

// maxBody is how much of a request is read for Match. A longer body is passed on whole and matched on its beginning.
const maxBody = 16 << 20

// Rule says which requests are struck and how. The zero value of a condition matches everything.
type Rule struct {
	Kind   Kind
	Method string
	Path   string // prefix of the URL's path
	// Match sees the request and its body; nil matches. It must not read from the request.
	Match func(r *http.Request, body []byte) bool
	Skip  int // matching requests to let through first
	Count int // matching requests to strike after those, at least 1

	// For Fail.
	Status     int // 500 when zero
	RetryAfter time.Duration
	Header     http.Header
	Body       string
	// For Delay.
	Wait time.Duration
}

func (r Rule) check() error {
	switch {
	case r.Count < 1:
		return fmt.Errorf("%w: count must be at least 1", ErrInvalidRule)
	case r.Skip < 0:
		return fmt.Errorf("%w: skip must not be negative", ErrInvalidRule)
	case r.Kind != Fail && r.Kind != Drop && r.Kind != Delay:
		return fmt.Errorf("%w: kind must be fail, drop or delay", ErrInvalidRule)
	case r.Status != 0 && (r.Status < 400 || r.Status > 599):
		return fmt.Errorf("%w: status must be an error status", ErrInvalidRule)
	}
	return nil
}

// FormAction matches AWS query-protocol requests (IAM, STS) whose form says this action.
func FormAction(action string) func(*http.Request, []byte) bool {
	return func(_ *http.Request, body []byte) bool {
		for pair := range strings.SplitSeq(string(body), "&") {
			if pair == "Action="+action {
				return true
			}
		}
		return false
	}
}

// Injector holds the rules and strikes with them. Its methods may be called at any time, from any goroutine.
type Injector struct {
	mu     sync.Mutex
	rules  []*Rule
	struck int
}

// Inject adds a rule behind those that are there; a request is struck by the first rule that matches it.
func (i *Injector) Inject(rule Rule) error {
	if err := rule.check(); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = append(i.rules, &rule)
	return nil
}

// Clear removes all rules; the count of struck requests stays.
func (i *Injector) Clear() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = nil
}

// Struck is how many requests have been struck so far: a test asks it to be sure that its fault happened.
func (i *Injector) Struck() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.struck
}

// Pending is how many strikes the rules still hold.
func (i *Injector) Pending() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	total := 0
	for _, rule := range i.rules {
		total += rule.Count
	}
	return total
}

// Wrap puts the rules before a server.
func (i *Injector) Wrap(server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule, struck := i.take(r)
		if !struck {
			server.ServeHTTP(w, r)
			return
		}
		rule.strike(server, w, r)
	})
}

// take finds the rule for a request and uses up one of its strikes. The body is read only if some rule wants to see it, and
// outside the lock, since a slow caller must not hold up the others.
func (i *Injector) take(r *http.Request) (Rule, bool) {
	var body []byte
	if i.readsBodies() {
		body = peek(r)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for n, rule := range i.rules {
		if !rule.matches(r, body) {
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			return Rule{}, false
		}
		taken := *rule
		if rule.Count--; rule.Count == 0 {
			i.rules = append(i.rules[:n:n], i.rules[n+1:]...)
		}
		i.struck++
		return taken, true
	}
	return Rule{}, false
}

func (i *Injector) readsBodies() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, rule := range i.rules {
		if rule.Match != nil {
			return true
		}
	}
	return false
}

// peek reads the body's beginning and puts it back before the rest.
func peek(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	// A read error shows itself again to whoever reads the rest.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody))
	rest := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	return body
}

func (r *Rule) matches(req *http.Request, body []byte) bool {
	return (r.Method == "" || strings.EqualFold(r.Method, req.Method)) &&
		strings.HasPrefix(req.URL.Path, r.Path) &&
		(r.Match == nil || r.Match(req, body))
}

func (r *Rule) strike(server http.Handler, w http.ResponseWriter, req *http.Request) {
	switch r.Kind {
	case Fail:
		r.answer(w)
	case Drop:
		// The server acts even if the caller gives up meanwhile: that is the case worth testing.
		server.ServeHTTP(&lost{header: http.Header{}}, req.WithContext(context.WithoutCancel(req.Context())))
		panic(http.ErrAbortHandler) // makes net/http cut the connection without a word
	case Delay:
		timer := time.NewTimer(r.Wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			server.ServeHTTP(w, req)
		case <-req.Context().Done():
		}
	}
}

func (r *Rule) answer(w http.ResponseWriter) {
	for name, values := range r.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if r.RetryAfter > 0 {
		seconds := math.Ceil(r.RetryAfter.Seconds())
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	status := r.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, r.Body) // the caller is gone if this fails, which is its own fault to handle
}

// lost takes an answer that nobody will read.
type lost struct{ header http.Header }

func (l *lost) Header() http.Header         { return l.header }
func (l *lost) Write(p []byte) (int, error) { return len(p), nil }
func (l *lost) WriteHeader(int)             {}
