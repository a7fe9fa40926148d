package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// build builds what make build does, elsewhere.
func build(t *testing.T) (program, plugins string) {
	t.Helper()
	root, err := standin.Root()
	require.NoError(t, err)
	dir := t.TempDir()
	program, plugins = filepath.Join(dir, "mgraph-deploy"), filepath.Join(dir, "plugins")
	for source, into := range map[string]string{
		"mgraph-deploy":          program,
		"mgraph-provider-aws":    filepath.Join(plugins, "aws", "1.0.0", "mgraph-provider-aws"),
		"mgraph-provider-github": filepath.Join(plugins, "github", "1.0.0", "mgraph-provider-github"),
	} {
		command := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.version=1.0.0", "-o", into, "./cmd/"+source)
		command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return program, plugins
}

// emptyTemporary makes sure that what is left behind is seen.
func emptyTemporary(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "t")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	require.Equal(t, dir, shortTemporary())
}

func TestTheShowHolds(t *testing.T) {
	program, plugins := build(t)
	emptyTemporary(t)
	var out bytes.Buffer
	err := show(t.Context(), &shared{to: &out}, program, plugins)
	require.NoError(t, err, "%s", out.String())

	text := out.String()
	for i, scene := range scenes() {
		require.Contains(t, text, scene.title, "scene %d", i+1)
	}
	for _, shown := range []string{
		"GROUP  ACTION", "api-lambda@us-east-1: completed, created in", "AWS was asked", "it changed 0", "All of it held",
	} {
		require.Contains(t, text, shown)
	}
	require.NotContains(t, text, "OFF")
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestWhatIsOffEndsTheShow(t *testing.T) {
	plugins := t.TempDir()
	emptyTemporary(t)
	var out bytes.Buffer
	err := show(t.Context(), &shared{to: &out}, "/absent/mgraph-deploy", plugins)
	require.ErrorContains(t, err, "start host")
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left, "what was started is ended, and what was made is gone")
}

func TestAProofThatDoesNotHoldIsAnError(t *testing.T) {
	var out bytes.Buffer
	p := &proof{stage: &stage{out: &out}}
	p.that(true, "one")
	require.NoError(t, p.result())
	p.that(false, "other")
	p.that(true, "third")
	require.ErrorIs(t, p.result(), errOff)
	require.Equal(t, "  ok  one\n  OFF other\n  ok  third\n", out.String())
	p.asAsked(outside{aws: &standin.AWS{}}, []byte("zip"))
	require.Equal(t, 4, strings.Count(out.String(), "OFF ")-1, "no role, no functions, no buckets, no secret")
}

func TestRequestsThatMayWriteAreCounted(t *testing.T) {
	form := func(action string) string { return url.Values{"Action": {action}}.Encode() }
	const posted = "application/x-www-form-urlencoded; charset=utf-8"
	for _, test := range []struct {
		method, kind, body string
		write              bool
	}{
		{"POST", posted, form("CreateRole"), true},
		{"POST", posted, form("TagRole"), true},
		{"POST", posted, form("GetRole"), false},
		{"POST", posted, form("ListRoleTags"), false},
		{"POST", posted, form("GetCallerIdentity"), false},
		{"POST", posted, "%", true},
		{"GET", "", "", false},
		{"HEAD", "", "", false},
		{"PUT", "", "content", true},
		{"DELETE", "", "", true},
		{"POST", "application/json", "{}", true},
	} {
		request := httptest.NewRequest(test.method, "/", strings.NewReader(test.body))
		request.Header.Set("Content-Type", test.kind)
		require.Equal(t, test.write, writes(request, []byte(test.body)), "%s %s", test.method, test.body)
	}
}

func TestTheCounterPassesOnUnchanged(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		_, _ = w.Write([]byte(r.Method + " " + r.RequestURI + " " + r.Host + " " + body.String()))
	}))
	defer server.Close()
	c, err := startCounter(t.Context(), server.URL)
	require.NoError(t, err)
	defer c.stop()
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		request, err := http.NewRequestWithContext(t.Context(), method, c.URL+"/a%2Fb?c=d", strings.NewReader("body"))
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		var got bytes.Buffer
		_, err = got.ReadFrom(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, method+" /a%2Fb?c=d "+strings.TrimPrefix(c.URL, "http://")+" body", got.String())
	}
	require.Equal(t, traffic{reads: 1, writes: 1}, c.traffic())
}
