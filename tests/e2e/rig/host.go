package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const (
	// startTime bounds a start: the host may have to wait for the providers of the one before it.
	startTime = 30 * time.Second
	// pollEvery is how often what cannot be waited for otherwise is looked at.
	pollEvery = 5 * time.Millisecond
)

// ErrEnded says that the process ended instead of doing what was waited for.
var ErrEnded = errors.New("the host's process has ended")

// HostOptions say what a host runs on. Kit and Dir are required.
type HostOptions struct {
	Kit *Kit
	// Dir holds the data directory, the log and the configuration.
	Dir string
	// DataDir is Dir/data when empty, PluginsDir the kit's.
	DataDir    string
	PluginsDir string
	// Settings are the operator's, by provider.
	Settings map[string]any
	// Auth is auto when empty.
	Auth string
	// Transport carries the calls of Client; one of its own when nil.
	Transport http.RoundTripper
	// Config are further members of the operator's configuration.
	Config map[string]any
}

// Host is a host on a loopback port, which it keeps when it is started again.
type Host struct {
	URL     string
	DataDir string
	Client  *rest.Client

	options HostOptions
	address string
	command *exec.Cmd
	log     *os.File
	ended   chan struct{}
	err     error
}

// NewHost prepares a host that is not started.
func NewHost(options HostOptions) (*Host, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	h := &Host{URL: "http://" + address, DataDir: options.DataDir, options: options, address: address}
	if h.DataDir == "" {
		h.DataDir = filepath.Join(options.Dir, "data")
	}
	if options.PluginsDir == "" {
		h.options.PluginsDir = options.Kit.Plugins
	}
	if options.Transport == nil {
		h.options.Transport = &http.Transport{MaxIdleConnsPerHost: 8}
	}
	h.Client, err = h.ClientWith("")
	return h, errors.Join(err, h.writeConfig())
}

// ClientWith is a client that sends an API key, "" for none.
func (h *Host) ClientWith(key string) (*rest.Client, error) {
	return rest.NewClient(h.URL, rest.WithKey(key), rest.WithHTTPClient(&http.Client{Transport: h.options.Transport}))
}

// StartHost makes a host and starts it.
func StartHost(ctx context.Context, options HostOptions) (*Host, error) {
	h, err := NewHost(options)
	if err != nil {
		return nil, err
	}
	return h, h.Start(ctx)
}

func (h *Host) configPath() string { return filepath.Join(h.options.Dir, "config.json") }

func (h *Host) writeConfig() error {
	config := map[string]any{"providers": h.options.Settings}
	maps.Copy(config, h.options.Config)
	content, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(h.configPath(), content, 0o600)
}

// LogPath is where all that the host and its providers say is kept, one start after the other.
func (h *Host) LogPath() string { return filepath.Join(h.options.Dir, "host.log") }

// Start starts the process, and returns when it takes requests.
func (h *Host) Start(ctx context.Context) error {
	if err := h.Launch(); err != nil {
		return err
	}
	return h.AwaitReady(ctx)
}

// Launch starts the process and waits for nothing.
func (h *Host) Launch() error {
	log, err := os.OpenFile(h.LogPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	command := exec.Command(h.options.Kit.Host, h.arguments()...)
	command.Stdout, command.Stderr = log, log
	command.Env = environment()
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	h.command, h.log, h.ended = command, log, make(chan struct{})
	go h.reap()
	return nil
}

func (h *Host) arguments() []string {
	arguments := []string{
		"serve", "--listen", h.address, "--data-dir", h.DataDir, "--plugins-dir", h.options.PluginsDir, "--config", h.configPath(),
	}
	if h.options.Auth != "" {
		arguments = append(arguments, "--auth", h.options.Auth)
	}
	return arguments
}

// environment is what a service manager would give: little.
func environment() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOMAXPROCS", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return append(kept, "GORACE=halt_on_error=0")
}

func (h *Host) reap() {
	h.err = h.command.Wait()
	_ = h.log.Close()
	close(h.ended)
}

// AwaitReady returns when the host says that it is healthy.
func (h *Host) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		if h.Client.Health(ctx) == nil {
			return nil
		}
		select {
		case <-h.ended:
			return fmt.Errorf("%w: %w", ErrEnded, h.err)
		case <-ctx.Done():
			return fmt.Errorf("the host is not ready: %w", ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

// PID is the host's process.
func (h *Host) PID() int { return h.command.Process.Pid }

// Running says whether the process lives.
func (h *Host) Running() bool {
	if h.command == nil {
		return false
	}
	select {
	case <-h.ended:
		return false
	default:
		return true
	}
}

// Ended is closed when the process has ended.
func (h *Host) Ended() <-chan struct{} { return h.ended }

// Kill ends the process as a power cut would, and returns when it is gone. Its providers end by themselves, a moment later.
func (h *Host) Kill() {
	if h.Running() {
		_ = h.command.Process.Kill()
		<-h.ended
	}
}

// Stop asks the host to drain, and gives how it ended: nil for exit status 0.
func (h *Host) Stop(ctx context.Context) error {
	if !h.Running() {
		return h.err
	}
	if err := h.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-h.ended:
		return h.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AwaitReleased returns when nobody owns the data directory any more: neither the host nor a provider that it has left.
func (h *Host) AwaitReleased(ctx context.Context) error {
	file, err := os.OpenFile(filepath.Join(h.DataDir, "lock"), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the data directory is still owned: %w", ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}
