package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// inside is a transport that calls a handler of this process, streams included: no socket is opened.
type inside struct{ handler http.Handler }

var _ http.RoundTripper = inside{}

var errNoAnswer = errors.New("the host ended without an answer")

// RoundTrip gives the answer as soon as its header is written; the body follows while the handler writes it.
func (t inside) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(request.Context())
	arriving := request.Clone(ctx)
	arriving.RequestURI, arriving.RemoteAddr = request.URL.RequestURI(), "127.0.0.1:0"
	if arriving.Host == "" {
		arriving.Host = request.URL.Host
	}
	if arriving.Body == nil {
		arriving.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	// A handler that writes to nobody must not hang.
	stop := context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
	answer := &insideAnswer{header: http.Header{}, body: writer, ready: make(chan struct{})}
	go func() {
		defer cancel()
		defer stop()
		t.serve(answer, arriving)
	}()
	select {
	case <-answer.ready:
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	if answer.failed {
		return nil, errNoAnswer
	}
	return &http.Response{
		Status: http.StatusText(answer.status), StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.sent, Body: &insideBody{reader, cancel}, ContentLength: -1, Request: request,
	}, nil
}

func (t inside) serve(answer *insideAnswer, request *http.Request) {
	defer func() {
		fault := recover()
		answer.finish(fault != nil)
	}()
	t.handler.ServeHTTP(answer, request)
}

// insideAnswer is what the handler writes to.
type insideAnswer struct {
	header, sent http.Header
	status       int
	body         *io.PipeWriter
	once         sync.Once
	ready        chan struct{}
	failed       bool
}

// Header is what the handler fills.
func (w *insideAnswer) Header() http.Header { return w.header }

// WriteHeader lets the caller have the answer.
func (w *insideAnswer) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

// Write waits until it is read.
func (w *insideAnswer) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(data)
}

// Flush has nothing to do: nothing is held back.
func (w *insideAnswer) Flush() { w.WriteHeader(http.StatusOK) }

// finish ends the body; a handler that broke off leaves it broken.
func (w *insideAnswer) finish(broken bool) {
	if !broken {
		w.WriteHeader(http.StatusOK)
		_ = w.body.Close()
		return
	}
	w.once.Do(func() {
		w.failed = true
		close(w.ready)
	})
	_ = w.body.CloseWithError(io.ErrUnexpectedEOF)
}

// insideBody ends the handler when it is closed.
type insideBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

// Close tells the handler that nobody listens.
func (b *insideBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
