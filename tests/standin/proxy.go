package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

// Proxy stands before a stand-in on a loopback port of its own, and misbehaves by the rules injected into it.
type Proxy struct {
	fault.Injector
	URL string

	server    *http.Server
	transport *http.Transport
}

// StartProxy starts a proxy before the server at a loopback URL. End it with Stop.
func StartProxy(ctx context.Context, target string) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("start a proxy: %w", err)
	}
	if ip := net.ParseIP(to.Hostname()); ip == nil || !ip.IsLoopback() {
		return nil, errors.New("start a proxy: the target is not on loopback")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a proxy: %w", err)
	}
	p := &Proxy{URL: "http://" + listener.Addr().String(), transport: &http.Transport{DisableCompression: true}}
	p.server = &http.Server{
		Handler: p.Wrap(p.forward(to)), ReadHeaderTimeout: 10 * time.Second, ErrorLog: silent(),
	}
	go func() { _ = p.server.Serve(listener) }() // ends by Stop, with an error that says just that
	return p, nil
}

// RunProxy is StartProxy for a test, which it ends with.
func RunProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	p, err := StartProxy(context.Background(), target)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Stop)
	return p
}

// Stop cuts all connections. It may be called twice.
func (p *Proxy) Stop() {
	_ = p.server.Close()
	p.transport.CloseIdleConnections()
}

func (p *Proxy) forward(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // part of what the caller signed
		},
		Transport: p.transport,
		ErrorLog:  silent(),
	}
}

// silent drops what a proxy has to say of callers that went away: going away is what they are here for.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
