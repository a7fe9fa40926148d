package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// counter stands before the AWS stand-in and counts what is asked of it, so that "nothing was written" is seen from outside.
type counter struct {
	URL    string
	server *http.Server

	mu     sync.Mutex
	counts traffic
}

// traffic is a number of requests.
type traffic struct{ reads, writes int }

func (t traffic) since(before traffic) traffic {
	return traffic{t.reads - before.reads, t.writes - before.writes}
}

func startCounter(ctx context.Context, target string) (*counter, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{URL: "http://" + listener.Addr().String()}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // part of what the caller signed
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	c.server = &http.Server{Handler: c.counting(forward), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = c.server.Serve(listener) }() // ends by stop, with an error that says just that
	return c, nil
}

func (c *counter) stop() { _ = c.server.Close() }

func (c *counter) traffic() traffic {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

func (c *counter) counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c.count(writes(r, body))
		next.ServeHTTP(w, r)
	})
}

func (c *counter) count(write bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if write {
		c.counts.writes++
	} else {
		c.counts.reads++
	}
}

// writes says whether a request may change something: by its action where all are posts, as to IAM and STS, else by its method.
func writes(r *http.Request, body []byte) bool {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		action := form.Get("Action")
		return err != nil || !strings.HasPrefix(action, "Get") && !strings.HasPrefix(action, "List")
	}
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}
