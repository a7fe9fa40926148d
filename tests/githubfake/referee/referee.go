// Package referee holds a GitHub client and a stand-in for GitHub against GitHub's own description of its API: an HTTP
// transport that judges each request before it is sent and each answer before it is given back.
//
// It judges form only, and only the calls in testdata; that an answer is true is for other tests.
package referee

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// ErrForeign is wrapped by every verdict against a request or an answer.
var ErrForeign = errors.New("not as GitHub describes it")

// enterprisePrefix is where GitHub Enterprise Server, and some clients, expect the same API.
const enterprisePrefix = "/api/v3"

//go:embed testdata/api.github.com.json
var description []byte

// Transport is the judging transport.
type Transport struct {
	base   http.RoundTripper
	report func(error)
}

var _ http.RoundTripper = (*Transport)(nil)

// New gives a transport that fails the test at each verdict, and the call with it. A nil base is http.DefaultTransport.
func New(tb testing.TB, base http.RoundTripper) *Transport {
	return Reporting(base, func(err error) { tb.Errorf("referee: %v", err) })
}

// Reporting is New for callers that have no test: report gets each verdict.
func Reporting(base http.RoundTripper, report func(error)) *Transport {
	if base == nil {
		base = http.DefaultTransport
	}
	return &Transport{base: base, report: report}
}

// RoundTrip sends a request that is in order, and gives back an answer that is.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	input, err := judgeRequest(req)
	if err != nil {
		return nil, t.foul(req, err)
	}
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := judgeResponse(req.Context(), input, resp); err != nil {
		return nil, t.foul(req, err)
	}
	return resp, nil
}

func (t *Transport) foul(req *http.Request, err error) error {
	err = fmt.Errorf("%w: %s %s: %w", ErrForeign, req.Method, req.URL.Path, err)
	t.report(err)
	return err
}

type rules struct {
	document *openapi3.T
	router   routers.Router
}

// book is read once: it takes some milliseconds.
var book = sync.OnceValues(func() (*rules, error) {
	document, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		return nil, err
	}
	return &rules{document, router}, nil
})

var options = func() *openapi3filter.Options {
	options := &openapi3filter.Options{
		IncludeResponseStatus:             true,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true,
		AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc,
	}
	// The library's own wording shows the value, which may be one that must not be shown.
	options.WithCustomSchemaErrorFunc(func(err *openapi3.SchemaError) string {
		return fmt.Sprintf("/%s: %s", strings.Join(err.JSONPointer(), "/"), err.Reason)
	})
	return options
}()

func judgeRequest(req *http.Request) (*openapi3filter.RequestValidationInput, error) {
	book, err := book()
	if err != nil {
		return nil, err
	}
	judged := req.Clone(req.Context())
	judged.URL.Path = strings.TrimPrefix(judged.URL.Path, enterprisePrefix)
	judged.URL.RawPath = strings.TrimPrefix(judged.URL.RawPath, enterprisePrefix)
	if req.Body, judged.Body, err = double(req.Body); err != nil {
		return nil, err
	}
	route, parameters, err := book.router.FindRoute(judged)
	if err != nil {
		return nil, err
	}
	input := &openapi3filter.RequestValidationInput{
		Request: judged, PathParams: parameters, Route: route, Options: options,
	}
	return input, openapi3filter.ValidateRequest(req.Context(), input)
}

// judgeResponse reads the answer's body and puts it back.
func judgeResponse(ctx context.Context, input *openapi3filter.RequestValidationInput, resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if resp.StatusCode == http.StatusNoContent && len(body) > 0 {
		return errors.New("a 204 with a body")
	}
	if resp.StatusCode >= 400 && input.Route.Operation.Responses.Status(resp.StatusCode) == nil {
		return judgeError(resp, body)
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header, Options: options,
	}
	return openapi3filter.ValidateResponse(ctx, answer.SetBodyBytes(body))
}

// judgeError judges an error that GitHub gives but does not describe for the call: it has one of two shapes.
func judgeError(resp *http.Response, body []byte) error {
	book, err := book()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return fmt.Errorf("status %d without JSON", resp.StatusCode)
	}
	var value map[string]any
	if err := json.Unmarshal(body, &value); err != nil {
		return fmt.Errorf("status %d: %w", resp.StatusCode, err)
	}
	if message, ok := value["message"].(string); !ok || message == "" {
		return fmt.Errorf("status %d without a message", resp.StatusCode)
	}
	shape := "basic-error"
	if _, detailed := value["errors"]; detailed {
		shape = "validation-error"
	}
	return book.document.Components.Schemas[shape].Value.VisitJSON(value)
}

func double(body io.ReadCloser) (one, other io.ReadCloser, err error) {
	if body == nil || body == http.NoBody {
		return body, body, nil
	}
	defer func() { _ = body.Close() }()
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, nil, err
	}
	return io.NopCloser(bytes.NewReader(content)), io.NopCloser(bytes.NewReader(content)), nil
}
