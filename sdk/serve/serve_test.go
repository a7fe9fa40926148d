package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

// asProvider makes the test binary the provider that the tests start.
const asProvider = "SERVE_TEST_PROVIDER"

func TestMain(m *testing.M) {
	switch os.Getenv(asProvider) {
	case "noop":
		serve.MainVersion("1.2.3", noop.New)
	case "loud":
		serve.Main(loud)
	case "broken":
		serve.Main(func(string) (*provider.Provider, error) { return noop.New("what") })
	}
	goleak.VerifyTestMain(m)
}

// loud prints where it must not, before and while it is served.
func loud(version string) (*provider.Provider, error) {
	fmt.Println("a stray line in standard output")
	_, _ = os.Stdout.WriteString("1|1|unix|/nowhere|grpc\n")
	return noop.New(version)
}

// child is a provider's process as a host starts it.
type child struct {
	provider contract.Provider
	client   *plugin.Client
	lifeline *os.File
	stderr   *record
}

// record keeps what is written to it.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// start starts a provider.
func start(t testing.TB, which string) *child {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = write.Close() })
	command := exec.Command(os.Args[0])
	command.ExtraFiles = []*os.File{read}
	command.Env = []string{
		asProvider + "=" + which, serve.EnvLifeline + "=3",
		serve.EnvKeyFile + "=" + filepath.Join(t.TempDir(), "keys.json"), "TMPDIR=" + os.TempDir(), "GORACE=atexit_sleep_ms=0",
	}
	stderr := &record{}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: serve.Handshake, Plugins: serve.ClientPlugins(), Cmd: command, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, GRPCDialOptions: remote.DialOptions(),
		Logger: hclog.NewNullLogger(), StartTimeout: time.Minute, Stderr: stderr,
	})
	t.Cleanup(client.Kill)
	p, err := serve.Dispense(client)
	require.NoError(t, err, stderr)
	require.NoError(t, read.Close())
	return &child{p, client, write, stderr}
}

func request(kind, id, properties string) *contract.ExecuteRequest {
	return &contract.ExecuteRequest{
		Verb: contract.VerbCreate,
		Context: contract.CallContext{
			CallID: "call", IdempotencyKey: "key-" + id, Attempt: 1, Tenant: "t", DeploymentID: "d", Owner: "o",
			Credentials: []byte(`{"token":"x"}`),
		},
		Target: contract.Target{
			Type: kind, Properties: json.RawMessage(properties),
			Labels: map[string]string{
				contract.LabelOwner: "o", contract.LabelDeployID: "d", contract.LabelResourceID: id, contract.LabelNodeID: id,
				contract.LabelGraphID: "graph", contract.LabelEdgeID: "edge",
			},
		},
	}
}

func TestAProviderIsServed(t *testing.T) {
	c := start(t, "noop")
	about, err := c.provider.Describe(context.Background())
	require.NoError(t, err)
	require.Equal(t, "noop", about.Name)
	require.Equal(t, "1.2.3", about.Version)
	keys, err := c.provider.PublicKeys(context.Background())
	require.NoError(t, err)
	require.Len(t, keys, 1)
	var events []contract.Event
	result, err := c.provider.Execute(context.Background(), request("noop:fast", "one", `{}`), func(e contract.Event) {
		events = append(events, e)
	})
	require.NoError(t, err)
	require.Equal(t, contract.OutcomeApplied, result.Outcome, result.Diagnostics)
	require.Equal(t, contract.ChangeCreated, result.Change)
	require.Equal(t, []contract.Event{{Identity: &contract.Identity{ID: "one"}}}, events)
}

func TestStrayOutputDoesNotBreakTheHandshake(t *testing.T) {
	c := start(t, "loud")
	_, err := c.provider.Describe(context.Background())
	require.NoError(t, err)
	require.Contains(t, c.stderr.String(), "a stray line")
}

func TestMuchStandardErrorNeitherBlocksNorKills(t *testing.T) {
	c := start(t, "noop")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := c.provider.Execute(ctx, request("noop:thing", "one", `{"stderr_bytes":2000000}`), func(contract.Event) {})
	require.NoError(t, err)
	require.Equal(t, contract.OutcomeApplied, result.Outcome)
	require.Eventually(t, func() bool { return strings.Count(c.stderr.String(), "noise") > 50_000 }, time.Minute, 10*time.Millisecond)
}

func TestAProviderEndsWithItsHost(t *testing.T) {
	c := start(t, "noop")
	require.NoError(t, c.lifeline.Close())
	require.Eventually(t, c.client.Exited, time.Minute, 10*time.Millisecond)
	_, err := c.provider.Describe(context.Background())
	require.Equal(t, contract.KindInterrupted, contract.KindOf(err))
}

func TestACrashInterruptsTheCall(t *testing.T) {
	c := start(t, "noop")
	_, err := c.provider.Execute(context.Background(), request("noop:thing", "one", `{"crash":"after_write"}`), func(contract.Event) {})
	require.Equal(t, contract.KindInterrupted, contract.KindOf(err))
	require.Eventually(t, c.client.Exited, time.Minute, 10*time.Millisecond)
}

// hand starts a provider as a person does.
func hand(t *testing.T, which string, env []string, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	command := exec.Command(os.Args[0], arguments...)
	command.Env = append([]string{asProvider + "=" + which}, env...)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	_ = command.Run()
	return command.ProcessState.ExitCode(), out.String(), errors.String()
}

func TestAPersonStartsAProvider(t *testing.T) {
	cookie := serve.Handshake.MagicCookieKey + "=" + serve.Handshake.MagicCookieValue
	exposed := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.WriteFile(exposed, []byte("{}"), 0o644))
	cases := map[string]struct {
		which     string
		env       []string
		arguments []string
		code      int
		stdout    string
		stderr    string
	}{
		"without anything": {"noop", nil, nil, 1, "", "noop/1.2.3/mgraph-provider-noop"},
		"--version":        {"noop", nil, []string{"--version"}, 0, "1.2.3\n", ""},
		"unversioned":      {"loud", nil, []string{"--version"}, 0, "0.0.0-dev\n", "stray line"},
		"--help":           {"noop", nil, []string{"--help"}, 0, "", "-describe"},
		"unknown flag":     {"noop", nil, []string{"--what"}, 2, "", "-what"},
		"broken":           {"broken", nil, nil, 1, "", "semantic version"},
		"no key file":      {"noop", []string{cookie}, nil, 1, "", serve.EnvKeyFile},
		"exposed keys":     {"noop", []string{cookie}, []string{"--key-file", exposed}, 1, "", "0600"},
		"bad lifeline":     {"noop", []string{serve.EnvLifeline + "=x"}, nil, 1, "", serve.EnvLifeline},
		"closed lifeline":  {"noop", []string{serve.EnvLifeline + "=77"}, nil, 1, "", serve.EnvLifeline},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := hand(t, c.which, c.env, c.arguments...)
			require.Equal(t, c.code, code, stderr)
			require.Equal(t, c.stdout, stdout)
			require.Contains(t, stderr, c.stderr)
		})
	}
	code, stdout, _ := hand(t, "noop", nil, "--describe")
	require.Zero(t, code)
	var about contract.Description
	require.NoError(t, json.Unmarshal([]byte(stdout), &about))
	require.Equal(t, "noop", about.Name)
	_, _, stderr := hand(t, "noop", nil)
	require.Equal(t, 2, strings.Count(stderr, "\n"))
}

// A host that is not of go-plugin's kind need not empty any stream but standard error.
func TestAHostWithoutGoPluginIsServedToo(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = []string{
		asProvider + "=noop", serve.Handshake.MagicCookieKey + "=" + serve.Handshake.MagicCookieValue,
		serve.EnvKeyFile + "=" + filepath.Join(t.TempDir(), "keys.json"), "PLUGIN_UNIX_SOCKET_DIR=" + t.TempDir(),
	}
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	command.Stderr = io.Discard
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	line := make([]byte, 4096)
	n, err := stdout.Read(line)
	require.NoError(t, err)
	parts := strings.Split(strings.TrimSpace(string(line[:n])), "|")
	require.Equal(t, []string{"1", "1", "unix", "grpc"}, []string{parts[0], parts[1], parts[2], parts[4]})
	p := remote.New(dial(t, "unix:"+parts[3]))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := p.Execute(ctx, request("noop:thing", "one", `{"stderr_bytes":2000000}`), func(contract.Event) {})
	require.NoError(t, err)
	require.Equal(t, contract.OutcomeApplied, result.Outcome)
}
