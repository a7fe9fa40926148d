// Package hostprocess runs a host as a process of its own, as a person would start it: for programs that measure or show it
// from outside. It knows only what scripts may rely on: the command line of serve, /info/health, and SIGTERM.
package hostprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTime = 30 * time.Second
	// stopTime is longer than a host takes to drain.
	stopTime = 60 * time.Second
	pollTime = 10 * time.Millisecond
)

// Options of a host process.
type Options struct {
	// Executable understands serve.
	Executable          string
	DataDir, PluginsDir string
	// Arguments and Env come on top of what every start needs.
	Arguments, Env []string
	// Log takes what the process prints; its end is kept for errors in any case.
	Log io.Writer
}

// Process is a running host.
type Process struct {
	URL string

	command *exec.Cmd
	ended   chan struct{}
	result  error // how it ended, once ended is closed
	stop    sync.Once
	printed *tail
}

// Start starts a host on a free loopback port and waits until it takes requests. The context bounds the start alone; end the
// process with Stop.
func Start(ctx context.Context, options Options) (*Process, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	p := &Process{URL: "http://" + address, ended: make(chan struct{}), printed: &tail{}}
	arguments := []string{"serve", "--listen", address, "--data-dir", options.DataDir, "--plugins-dir", options.PluginsDir}
	p.command = exec.Command(options.Executable, append(arguments, options.Arguments...)...)
	p.command.Env = append(os.Environ(), options.Env...)
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for whoever started it, who then stops it in order
	p.command.Stdout, p.command.Stderr = p.printed, p.printed
	if options.Log != nil {
		p.command.Stdout = io.MultiWriter(p.printed, options.Log)
		p.command.Stderr = p.command.Stdout
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start host: %w", err)
	}
	go func() { p.result = p.command.Wait(); close(p.ended) }()
	if err := p.ready(ctx); err != nil {
		_ = p.Stop()
		return nil, fmt.Errorf("start host: %w; it printed:\n%s", err, p.printed)
	}
	return p, nil
}

// freeAddress is free now; that it still is a moment later is likely, and found out at once when not.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

var errEnded = errors.New("it ended by itself")

func (p *Process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for !p.healthy(ctx) {
		select {
		case <-p.ended:
			return errEnded
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollTime):
		}
	}
	return nil
}

func (p *Process) healthy(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/info/health", nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// PID is the process's.
func (p *Process) PID() int { return p.command.Process.Pid }

// Stop asks the host to end, as an operator does, and says how that went. It may be called twice.
func (p *Process) Stop() error {
	p.stop.Do(func() {
		_ = p.command.Process.Signal(syscall.SIGTERM)
		timer := time.NewTimer(stopTime)
		defer timer.Stop()
		select {
		case <-p.ended:
		case <-timer.C:
			_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL)
			<-p.ended
		}
	})
	if p.result != nil {
		return fmt.Errorf("host ended badly: %w; it printed:\n%s", p.result, p.printed)
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*tailSize {
		t.kept = bytes.Clone(t.kept[len(t.kept)-tailSize:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
