package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// allowedEnv is all that a provider inherits of the host's environment: what an HTTP client and a runtime need to work at all.
var allowedEnv = []string{
	"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "GOMAXPROCS", "GOCOVERDIR",
}

// The file descriptors that a provider inherits, as it numbers them.
const lifelineFD = 3

// command runs one provider process: own process group, no stdin, the environment cleared, a pipe whose end tells it that the
// host is gone, and the data directory's lock held open for as long as it lives.
type command struct {
	cmd      *exec.Cmd
	lifeline *os.File // the host's end
	theirs   *os.File
	stdout   io.ReadCloser
	stderr   io.ReadCloser
	ended    chan struct{}
}

var _ runner.Runner = (*command)(nil)

// newCommand is what go-plugin asks for a runner: spec carries the variables of its handshake.
func newCommand(path string, spec *exec.Cmd, keyFile string, inherit *os.File) (*command, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("lifeline: %w", err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(hostEnv(), spec.Env...)
	cmd.Env = append(cmd.Env, serve.EnvLifeline+"="+strconv.Itoa(lifelineFD), serve.EnvKeyFile+"="+keyFile)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.ExtraFiles = []*os.File{theirs}
	if inherit != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, inherit)
	}
	c := &command{cmd: cmd, lifeline: ours, theirs: theirs, ended: make(chan struct{})}
	if c.stdout, err = cmd.StdoutPipe(); err == nil {
		c.stderr, err = cmd.StderrPipe()
	}
	if err != nil {
		c.closeLifeline()
		return nil, fmt.Errorf("pipes: %w", err)
	}
	return c, nil
}

func hostEnv() []string {
	var env []string
	for _, name := range allowedEnv {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func (c *command) closeLifeline() {
	_ = c.lifeline.Close()
	_ = c.theirs.Close()
}

// Start starts the process.
func (c *command) Start(context.Context) error {
	err := c.cmd.Start()
	_ = c.theirs.Close()
	if err != nil {
		_ = c.lifeline.Close()
	}
	return err
}

// Wait returns once the process is gone. It is called once.
func (c *command) Wait(context.Context) error {
	defer c.lifeline.Close()
	defer close(c.ended)
	return c.cmd.Wait()
}

func (c *command) gone() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// Kill ends the whole process group. That of a process which is gone may be another's by now.
func (c *command) Kill(context.Context) error {
	if c.cmd.Process == nil || c.gone() {
		return nil
	}
	err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Stdout is where the handshake is read from.
func (c *command) Stdout() io.ReadCloser { return c.stdout }

// Stderr is where the provider logs.
func (c *command) Stderr() io.ReadCloser { return c.stderr }

// Name is the executable's path.
func (c *command) Name() string { return c.cmd.Path }

// ID is the process id, "" before the start.
func (c *command) ID() string {
	if c.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(c.cmd.Process.Pid)
}

// Diagnose adds to what is said about a failed handshake.
func (c *command) Diagnose(context.Context) string {
	return "the executable did not speak the provider protocol"
}

// PluginToHost leaves addresses as they are: both sides see the same files.
func (c *command) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin leaves addresses as they are.
func (c *command) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
