package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sprint(value any) string { return fmt.Sprintf("%v", value) }

func insideOf(handler http.HandlerFunc) *http.Client {
	return &http.Client{Transport: inside{handler}}
}

func TestInsideStreams(t *testing.T) {
	next := make(chan string)
	client := insideOf(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Before", "yes")
		for text := range next {
			_, _ = io.WriteString(w, text+"\n")
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("X-Late", "yes")
	})
	go func() { next <- "one" }()
	response, err := client.Get("http://localhost/")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, "yes", response.Header.Get("X-Before"))
	require.Empty(t, response.Header.Get("X-Late"))
	lines := bufio.NewScanner(response.Body)
	require.True(t, lines.Scan())
	require.Equal(t, "one", lines.Text())
	next <- "two"
	require.True(t, lines.Scan())
	require.Equal(t, "two", lines.Text())
	close(next)
	require.False(t, lines.Scan())
	require.NoError(t, lines.Err())
}

func TestInsidePassesTheRequest(t *testing.T) {
	client := insideOf(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Host, r.RequestURI, body)
	})
	response, err := client.Post("http://localhost/a?b=c", "text/plain", strings.NewReader("body"))
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "POST localhost /a?b=c body", string(text))
	require.Equal(t, http.StatusTeapot, response.StatusCode)
}

func TestInsideCallerThatGoesEndsTheHandler(t *testing.T) {
	gone := make(chan error, 1)
	client := insideOf(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		_, err := io.WriteString(w, "nobody reads this")
		gone <- err
	})
	response, err := client.Get("http://localhost/")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Error(t, <-gone)

	ctx, cancel := context.WithCancel(t.Context())
	silent := insideOf(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		gone <- r.Context().Err()
	})
	request, err := http.NewRequestWithContext(ctx, "GET", "http://localhost/", nil)
	require.NoError(t, err)
	_, err = silent.Do(request)
	require.ErrorIs(t, err, context.Canceled)
	require.Error(t, <-gone)
}

func TestInsideBrokenHandler(t *testing.T) {
	_, err := insideOf(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }).Get("http://localhost/")
	require.ErrorIs(t, err, errNoAnswer)

	response, err := insideOf(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	}).Get("http://localhost/")
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.Equal(t, "half", string(text))
	require.True(t, errors.Is(err, io.ErrUnexpectedEOF))
	require.NoError(t, response.Body.Close())
}
