package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// side is where a request is when it is told of.
type side string

// The sides. A late one reaches the stand-in although whoever sent it is dead: it was on its way.
const (
	sideBefore side = "before"
	sideAfter  side = "after"
	sideLate   side = "late"
)

// lateness is how long after the death of its sender a request may still arrive.
const lateness = 50 * time.Millisecond

// tap stands before stand-ins and can tell of one request that changes something, before it is passed on or before its answer is:
// what is killed by whoever is told never learns how the request went.
type tap struct {
	servers []*http.Server

	mu        sync.Mutex
	countdown int
	side      side
	tell      func(provider string)
	seen      int
	// weather spoils some requests while there is any left of it.
	weather *rand.Rand
	left    int
}

// open serves a tap before the handler that speaks for a provider's cloud, and gives its URL.
func (t *tap) open(provider string, handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler: t.watch(provider, handler), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
	}
	t.servers = append(t.servers, server)
	go func() { _ = server.Serve(listener) }() // ends by close
	return "http://" + listener.Addr().String(), nil
}

func (t *tap) close() {
	for _, server := range t.servers {
		_ = server.Close()
	}
}

// arm has the n-th request from now on told of.
func (t *tap) arm(n int, where side, tell func(provider string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.countdown, t.side, t.tell = n, where, tell
}

// disarm forgets whom to tell.
func (t *tap) disarm() { t.arm(0, "", nil) }

// spoilMost bounds what bad weather does to one deployment.
const spoilMost = 8

// spoil has bad weather from now on: some requests that change something are refused for a moment, of others the answer is lost.
func (t *tap) spoil(weather *rand.Rand) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.weather, t.left = weather, spoilMost
}

// spoilt says what the weather does to a request.
func (t *tap) spoilt() (refused, lost bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.weather == nil || t.left == 0 {
		return false, false
	}
	n := t.weather.IntN(12)
	if n > 1 {
		return false, false
	}
	t.left--
	return n == 0, n == 1
}

// writes says how many requests that change something were seen, and begins to count anew.
func (t *tap) writes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := t.seen
	t.seen = 0
	return seen
}

// count counts a request, and gives whom to tell of it.
func (t *tap) count() (tell func(string), where side) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen++
	if t.tell == nil {
		return nil, ""
	}
	if t.countdown--; t.countdown > 0 {
		return nil, ""
	}
	tell, t.tell = t.tell, nil
	return tell, t.side
}

func (t *tap) watch(provider string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !changes(r) {
			next.ServeHTTP(w, r)
			return
		}
		tell, where := t.count()
		held := &heldAnswer{header: http.Header{}}
		// The stand-in does all of it, whoever is still there to hear of it.
		whole := func() { next.ServeHTTP(held, withBody(r)) }
		switch {
		case tell == nil:
			t.pass(w, r, next)
			return
		case where == sideAfter:
			whole()
			tell(provider)
		case where == sideLate:
			r = withBody(r)
			tell(provider)
			time.Sleep(rand.N(lateness))
			whole()
		default:
			tell(provider)
			next.ServeHTTP(w, r)
			return
		}
		held.release(w)
	})
}

// pass passes a request on, through the weather.
func (t *tap) pass(w http.ResponseWriter, r *http.Request, next http.Handler) {
	refused, lost := t.spoilt()
	switch {
	case refused:
		w.WriteHeader(http.StatusServiceUnavailable)
	case lost:
		next.ServeHTTP(&heldAnswer{header: http.Header{}}, withBody(r))
		panic(http.ErrAbortHandler) // which cuts the connection
	default:
		next.ServeHTTP(w, r)
	}
}

// withBody is a request that no longer depends on its sender.
func withBody(r *http.Request) *http.Request {
	body, _ := io.ReadAll(r.Body) // one that was cut off is no request, and is refused as such
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

// heldAnswer keeps an answer until it is released.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header            { return a.header }
func (a *heldAnswer) WriteHeader(status int)         { a.status = status }
func (a *heldAnswer) Write(data []byte) (int, error) { return a.body.Write(data) }

func (a *heldAnswer) release(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = w.Write(a.body.Bytes()) // whoever asked may be dead, which is the point
}

// maxQuery bounds what is read of a request to see what it asks for.
const maxQuery = 1 << 20

// changes says whether a request may change something. IAM and STS take all by POST, and name what they do in a form.
func changes(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return true
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxQuery))
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	form, parseErr := url.ParseQuery(string(body))
	if errors.Join(err, parseErr) != nil {
		return true
	}
	action := form.Get("Action")
	return !strings.HasPrefix(action, "Get") && !strings.HasPrefix(action, "List")
}

// forward passes requests on to a server on loopback.
func forward(to string) (http.Handler, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // part of what the caller signed
		},
		Transport: &http.Transport{DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}, nil
}
