package serve_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

// TestMain lets the test binary be the provider that the tests start.
func TestMain(m *testing.M) {
	if os.Getenv(serve.Handshake.MagicCookieKey) != "" || os.Getenv("SERVE_TEST_PROVIDER") != "" {
		serve.MainVersion("1.2.3", noop.New)
	}
	goleak.VerifyTestMain(m)
}

// start starts the provider as a host does, and gives the host's end of its lifeline.
func start(t testing.TB) (contract.Provider, *plugin.Client, *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = write.Close() })
	command := exec.Command(os.Args[0])
	command.ExtraFiles = []*os.File{read}
	command.Env = []string{
		serve.EnvLifeline + "=3", serve.EnvKeyFile + "=" + filepath.Join(t.TempDir(), "keys.json"), "TMPDIR=" + os.TempDir(),
	}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: serve.Handshake, Plugins: serve.ClientPlugins(), Cmd: command, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, GRPCDialOptions: remote.DialOptions(),
		Logger: hclog.NewNullLogger(), StartTimeout: 30 * time.Second,
	})
	t.Cleanup(client.Kill)
	p, err := serve.Dispense(client)
	require.NoError(t, err)
	require.NoError(t, read.Close())
	return p, client, write
}

func request(id string) *contract.ExecuteRequest {
	return &contract.ExecuteRequest{
		Verb: contract.VerbCreate,
		Context: contract.CallContext{
			CallID: "call", IdempotencyKey: "key-" + id, Attempt: 1, Tenant: "t", DeploymentID: "d", Owner: "o",
			Credentials: []byte(`{"token":"x"}`),
		},
		Target: contract.Target{
			Type: "noop:fast", Properties: []byte(`{}`),
			Labels: map[string]string{
				contract.LabelOwner: "o", contract.LabelDeployID: "d", contract.LabelResourceID: id, contract.LabelNodeID: id,
				contract.LabelGraphID: "graph", contract.LabelEdgeID: "edge",
			},
		},
	}
}

func TestAProviderIsServed(t *testing.T) {
	p, _, _ := start(t)
	about, err := p.Describe(context.Background())
	require.NoError(t, err)
	require.Equal(t, "noop", about.Name)
	require.Equal(t, "1.2.3", about.Version)
	var events []contract.Event
	result, err := p.Execute(context.Background(), request("one"), func(e contract.Event) { events = append(events, e) })
	require.NoError(t, err)
	require.Equal(t, contract.OutcomeApplied, result.Outcome, result.Diagnostics)
	require.Equal(t, contract.ChangeCreated, result.Change)
	require.Equal(t, []contract.Event{{Identity: &contract.Identity{ID: "one"}}}, events)
}
