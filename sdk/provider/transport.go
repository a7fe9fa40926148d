package provider

import (
	"context"
	"net/http"
)

// Transport watches the author's requests to the vendor: with it under the client, outcomes need no word of the author. Which
// call a request belongs to is told by its context. It refuses to start a request that changes something once write_by has
// passed, and never retries.
func Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return watcher{base}
}

// readingKey marks a context whose requests change nothing.
type readingKey struct{}

// Reading marks the requests of this context as reads whatever their method is, for vendors that post their reads.
func Reading(ctx context.Context) context.Context { return context.WithValue(ctx, readingKey{}, true) }

type watcher struct{ base http.RoundTripper }

// RoundTrip sends one request.
func (w watcher) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	c := callIn(ctx)
	if c == nil || reads(ctx, request.Method) {
		return w.base.RoundTrip(request)
	}
	if err := refuse(ctx, c); err != nil {
		closeBody(request)
		return nil, err
	}
	c.count(func(w *writes) { w.started++ })
	response, err := w.base.RoundTrip(request)
	c.count(func(w *writes) { w.settle(response, err) })
	return response, err
}

// refuse holds back a write that may not be started: too late, or nobody waits for it.
func refuse(ctx context.Context, c *call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.mayWrite(); err != nil {
		return err
	}
	return nil
}

// closeBody does what RoundTrip owes its caller even when nothing is sent.
func closeBody(request *http.Request) {
	if request.Body != nil {
		_ = request.Body.Close()
	}
}

// reads says whether a request changes nothing.
func reads(ctx context.Context, method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	marked, _ := ctx.Value(readingKey{}).(bool)
	return marked
}

// settle counts how a write ended. A timeout told by the vendor proves nothing.
func (w *writes) settle(response *http.Response, err error) {
	switch {
	case err != nil || response.StatusCode >= 500 || response.StatusCode == http.StatusRequestTimeout:
		w.unclear++
	case response.StatusCode >= 400:
		w.refused++
	default:
		w.succeeded++
	}
}
