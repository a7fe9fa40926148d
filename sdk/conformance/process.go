package conformance

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// Times that a provider gets.
const (
	startTime = time.Minute
	endTime   = 10 * time.Second
	callTime  = 5 * time.Minute
)

// process is a running provider.
type process struct {
	contract.Provider
	// raw speaks the protocol itself, for what the contract's values cannot say.
	raw      pb.ProviderClient
	client   *plugin.Client
	command  *exec.Cmd
	lifeline *os.File
}

// both dispenses the provider with its connection.
type both struct{ plugin.NetRPCUnsupportedPlugin }

func (both) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (both) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &process{Provider: remote.New(conn), raw: pb.NewProviderClient(conn)}, nil
}

// launch starts the executable as a host does.
func (s *suite) launch(t *testing.T) *process {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	command := exec.Command(s.target.Binary)
	command.ExtraFiles = []*os.File{read}
	command.Env = append([]string{
		serve.EnvLifeline + "=3", serve.EnvKeyFile + "=" + s.keyFile, "TMPDIR=" + s.folder,
		"PLUGIN_UNIX_SOCKET_DIR=" + s.folder, serve.EnvLogLevel + "=trace",
	}, s.target.Env...)
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: serve.Handshake, Plugins: plugin.PluginSet{serve.PluginName: both{}}, Cmd: command, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, GRPCDialOptions: remote.DialOptions(),
		Logger: hclog.NewNullLogger(), StartTimeout: startTime, Stderr: s.stderr,
	})
	protocol, err := client.Client()
	require.NoError(t, err, "the provider does not start")
	dispensed, err := protocol.Dispense(serve.PluginName)
	require.NoError(t, err)
	require.NoError(t, read.Close())
	p := dispensed.(*process)
	p.client, p.command, p.lifeline = client, command, write
	return p
}

// end ends a process however it is.
func (p *process) end() {
	_ = p.lifeline.Close()
	p.client.Kill()
}

// kill is SIGKILL.
func (p *process) kill() { _ = p.command.Process.Kill() }

// record keeps what a provider prints.
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

// suite is one run: the provider with its keys, the process in use, and all that was heard from it.
type suite struct {
	target  Target
	folder  string
	keyFile string
	stderr  *record
	heard   *record
	about   *contract.Description
	keys    []contract.PublicKey
	running *process
	secrets map[string]bool
	drawn   int
}

// begin starts the provider for the first time.
func begin(t *testing.T, target Target) *suite {
	t.Helper()
	folder, err := os.MkdirTemp("", "conformance")
	require.NoError(t, err)
	s := &suite{
		target: target, folder: folder, keyFile: filepath.Join(folder, "keys.json"), stderr: &record{}, heard: &record{},
		secrets: map[string]bool{},
	}
	t.Cleanup(func() {
		if s.running != nil {
			s.running.end()
		}
		_ = os.RemoveAll(folder)
	})
	s.about, err = s.process(t).Describe(t.Context())
	require.NoError(t, err)
	s.keys, err = s.process(t).PublicKeys(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, s.keys)
	return s
}

// process is the one in use; a dead one is replaced.
func (s *suite) process(t *testing.T) *process {
	t.Helper()
	if s.running != nil && s.running.client.Exited() {
		s.running.end()
		s.running = nil
	}
	if s.running == nil {
		s.running = s.launch(t)
	}
	return s.running
}

// hear keeps what the provider said, for the last rule.
func (s *suite) hear(t *testing.T, said any) {
	t.Helper()
	_, _ = s.heard.Write(append(document(t, said), '\n'))
}

// count says how many things exist.
func (s *suite) count(t *testing.T) int {
	t.Helper()
	counted, err := s.target.Count()
	require.NoError(t, err)
	return counted
}
