package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humahttprouter"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

var hexID = regexp.MustCompile(`^[0-9a-f]{8}$`)

// none is the input of a route without parameters.
type none struct{}

// output is a plain answer.
type output[T any] struct{ Body T }

// route is an operation and how it is documented.
type route struct {
	huma.Operation
	// example is a complete answer; request, for those that take a body, a complete body.
	example any
	request any
	// errors are the kinds that this route can answer with beside those that every route can.
	errors []rest.Kind
	// long: it may also answer 202, before the run stands.
	long bool
}

// What a route's metadata and security say to the middlewares.
const (
	metaOperator = "operator"
	metaProduces = "produces"
)

func public(operation huma.Operation) huma.Operation {
	operation.Security = []map[string][]string{}
	return operation
}

func isPublic(operation *huma.Operation) bool {
	return operation.Security != nil && len(operation.Security) == 0
}

func operatorOnly(operation huma.Operation) huma.Operation {
	operation.Metadata = map[string]any{metaOperator: true}
	return operation
}

func needsOperator(operation *huma.Operation) bool {
	needed, _ := operation.Metadata[metaOperator].(bool)
	return needed
}

// handle registers a route without a body. The handler's errors become problems here, and nowhere else.
func handle[I, O any](s *server, r route, handler func(context.Context, engine.Caller, *I) (*O, error)) {
	s.complete(&r)
	huma.Register(s.api, r.Operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, exchangeOf(ctx).caller, in)
		if err != nil {
			return nil, s.problemOf(ctx, err)
		}
		return out, nil
	})
	s.document(r)
}

// query registers a route whose answer is one value.
func query[I, T any](s *server, r route, handler func(context.Context, engine.Caller, *I) (T, error)) {
	handle(s, r, func(ctx context.Context, caller engine.Caller, in *I) (*output[T], error) {
		value, err := handler(ctx, caller, in)
		return &output[T]{Body: value}, err
	})
}

// Preferring is embedded in the input of routes that can take long.
type Preferring struct {
	Prefer []string `header:"Prefer" doc:"respond-async answers 202 at once; wait=N answers after N seconds at most, then 202"`
}

// Keyed is embedded in the input of routes that store or start something.
type Keyed struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]*$" doc:"A name of the caller's for this one request: a repeat with the same key starts nothing, and answers with what the first one came to. Kept until 24 hours after the run has ended"`
}

// command names the request. Its path is part of what a repeat must have in common with it.
func (in *Keyed) command(ctx context.Context, body any) engine.Command {
	return engine.Command{Key: in.IdempotencyKey, Route: ctx.Value(requestKey{}).(requestPair).r.URL.Path, Body: body}
}

// startInput is the input of routes that start a run.
type startInput struct {
	Preferring
	Keyed
}

// command registers a route with a body of type B. The body is read and decoded here: strictly, every problem at once.
func command[I, B, O any](s *server, r route, handler func(context.Context, engine.Caller, *B, *I) (*O, error)) {
	r.Middlewares = append(r.Middlewares, s.keepRequest)
	handle(s, r, func(ctx context.Context, caller engine.Caller, in *I) (*O, error) {
		pair := ctx.Value(requestKey{}).(requestPair)
		raw, err := s.read(pair.w, pair.r)
		if err != nil {
			return nil, err
		}
		body, err := config.Decode[B](raw, s.Limits)
		if err != nil {
			return nil, err
		}
		return handler(ctx, caller, &body, in)
	})
}

type requestKey struct{}

type requestPair struct {
	w http.ResponseWriter
	r *http.Request
}

// keepRequest leaves the request where the handler, to whom huma gives only a context, finds its body.
func (s *server) keepRequest(ctx huma.Context, next func(huma.Context)) {
	r, w, _ := humahttprouter.Unwrap(ctx)
	next(huma.WithValue(ctx, requestKey{}, requestPair{w, r}))
}

// read reads the body within its limits of size and time.
func (s *server) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Now().Add(s.BodyTimeout))
	defer func() { _ = controller.SetReadDeadline(time.Time{}) }()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.Limits.MaxBytes)))
	var oversized *http.MaxBytesError
	switch {
	case errors.As(err, &oversized):
		return nil, err
	case err != nil:
		return nil, newProblem(rest.KindMalformed, "the body ended early, or took too long")
	}
	return body, nil
}

// negotiate refuses, before anything is read, what could not be answered or read.
func (s *server) negotiate(ctx huma.Context, next func(huma.Context)) {
	r, w, _ := humahttprouter.Unwrap(ctx)
	offered, _ := ctx.Operation().Metadata[metaProduces].([]string)
	if offered == nil {
		offered = []string{"application/json"}
	}
	accepted, ok := negotiate(r.Header.Values("Accept"), offered)
	switch {
	case !ok:
		newProblem(rest.KindNotAcceptable, "this path answers with "+strings.Join(offered, " or ")).write(w, r)
	case r.Method == http.MethodPost && !isJSON(r):
		newProblem(rest.KindUnsupportedMedia, "send application/json, and no content encoding").write(w, r)
	default:
		// Beneath, only this one is looked at.
		r.Header.Set("Accept", accepted)
		next(ctx)
	}
}

// negotiate picks the offer that the Accept headers like best, the earlier one where they do not care; "" when they say
// nothing at all.
func negotiate(accept, offers []string) (string, bool) {
	if strings.TrimSpace(strings.Join(accept, "")) == "" {
		return "", true
	}
	best, bestQuality := "", 0.0
	for _, offer := range offers {
		if quality := qualityOf(offer, accept); quality > bestQuality {
			best, bestQuality = offer, quality
		}
	}
	return best, bestQuality > 0
}

// qualityOf is what the most specific matching range says of an offer.
func qualityOf(offer string, accept []string) float64 {
	quality, specific := 0.0, -1
	main, _, _ := strings.Cut(offer, "/")
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		mediaType, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		rank := map[string]int{offer: 2, main + "/*": 1, "*/*": 0}
		at, matches := rank[mediaType]
		if !matches || at <= specific {
			continue
		}
		quality, specific = 1, at
		if text, given := parameters["q"]; given {
			quality, _ = strconv.ParseFloat(text, 64)
		}
	}
	return quality
}

func isJSON(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	encoding := r.Header.Get("Content-Encoding")
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")) &&
		(encoding == "" || encoding == "identity")
}

// preference is what the Prefer header asks for (RFC 7240); what it does not know it ignores, as the RFC says.
type preference struct {
	async bool
	// wait is negative when not given.
	wait time.Duration
}

// maxWait is the longest wait that is taken literally.
const maxWait = 24 * time.Hour

func preferenceOf(headers []string) preference {
	wanted := preference{wait: -1}
	for _, part := range strings.Split(strings.Join(headers, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(name) {
		case "respond-async":
			wanted.async = true
		case "wait":
			if seconds, err := strconv.Atoi(strings.Trim(value, `"`)); err == nil && seconds >= 0 {
				wanted.wait = time.Duration(min(seconds, int(maxWait/time.Second))) * time.Second
			}
		}
	}
	return wanted
}

// applied is the Preference-Applied header.
func (p preference) applied() string {
	switch {
	case p.wait >= 0:
		return "wait=" + strconv.Itoa(int(p.wait/time.Second))
	case p.async:
		return "respond-async"
	default:
		return ""
	}
}

// encode writes JSON without escaping for HTML, which no answer is.
func encode(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
