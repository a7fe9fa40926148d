package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// pluginsDir holds a real provider, built once for all tests.
var pluginsDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mgraph-deploy-cli-")
	if err != nil {
		panic(err)
	}
	pluginsDir = dir
	build(filepath.Join(dir, "noop", "0.1.0", "mgraph-provider-noop"), "../../../../tests/noop/cmd/mgraph-provider-noop")
	code := m.Run()
	_ = os.RemoveAll(dir)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// build makes a provider's executable.
func build(program, source string) {
	command := exec.Command("go", "build", "-ldflags", "-X main.version=0.1.0", "-o", program, source)
	if output, err := command.CombinedOutput(); err != nil {
		panic(string(output))
	}
}

// world is what one test's commands share.
type world struct {
	dir  string
	vars map[string]string
	in   string
}

func newWorld(t *testing.T) *world {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "things"), 0o700))
	w := &world{dir: dir, vars: map[string]string{
		"HOME": dir, "MGRAPH_DEPLOY_DATA_DIR": filepath.Join(dir, "data"), "MGRAPH_DEPLOY_PLUGINS_DIR": pluginsDir,
		"MGRAPH_DEPLOY_CONFIG": filepath.Join(dir, "config.json"),
	}}
	w.file(t, "config.json", `{"providers":{"noop":{"dir":`+quoted(filepath.Join(dir, "things"))+`}}}`)
	return w
}

func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

func (w *world) file(t *testing.T, name, text string) string {
	path := filepath.Join(w.dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// done is how one command ended.
type done struct {
	code     int
	out, err string
}

func (w *world) env(out, err io.Writer, arguments []string) Env {
	return Env{
		Args: arguments, In: strings.NewReader(w.in), Out: out, Err: err, Version: "0.1.0",
		Lookup: func(name string) (string, bool) { value, ok := w.vars[name]; return value, ok },
	}
}

func (w *world) run(t *testing.T, arguments ...string) done {
	t.Helper()
	var out, err bytes.Buffer
	code := Run(t.Context(), w.env(&out, &err, arguments))
	return done{code, out.String(), err.String()}
}

// must runs a command that has to end with a code.
func (w *world) must(t *testing.T, code int, arguments ...string) done {
	t.Helper()
	d := w.run(t, arguments...)
	require.Equal(t, code, d.code, "%v\n%s\n%s", arguments, d.out, d.err)
	return d
}

// buffer can be written and read by several goroutines.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(data)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// served is a host that `serve` runs.
type served struct {
	url  string
	log  *buffer
	stop func() int
}

// serve starts a host, and points later commands of this world to it.
func (w *world) serve(t *testing.T, arguments ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{url: "http://" + freeAddress(t), log: &buffer{}}
	code := make(chan int, 1)
	arguments = append([]string{"serve", "--listen", strings.TrimPrefix(s.url, "http://")}, arguments...)
	env := w.env(io.Discard, s.log, arguments)
	go func() { code <- Run(ctx, env) }()
	stop := sync.OnceValue(func() int { cancel(); return <-code })
	s.stop = stop
	t.Cleanup(func() { stop() })
	client, err := rest.NewClient(s.url)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return client.Health(t.Context()) == nil }, 20*time.Second, 5*time.Millisecond, s.log)
	w.vars["MGRAPH_DEPLOY_SERVER"] = s.url
	return s
}

func freeAddress(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

const twoThings = `{
  "deployment_id": "demo",
  "targets": [{"provider": "noop", "regions": ["us-east-1", "eu-west-1"]}],
  "resources": {
    "first": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "x"}},
    "second": {"type": "noop:regional", "operation": "ensure", "references": {"from": "first.value"}}
  }
}`
