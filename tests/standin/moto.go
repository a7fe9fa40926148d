package standin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Moto is a running moto server: AWS's APIs of all regions at one URL, empty at its start.
type Moto struct {
	URL    string
	Python string // an interpreter that has boto3

	command  *exec.Cmd
	lifeline io.Closer // the server ends when this is closed, so also when this process dies
	ended    chan struct{}
	stop     sync.Once
}

// startTime is how long the server may take to answer; it takes about a second.
const startTime = 60 * time.Second

// stopTime is how long it may take to end by itself.
const stopTime = 5 * time.Second

// StartMoto starts a server and waits until it answers. The context bounds the start (and the making of a Python environment
// where there is none), not the server's life: end it with Stop. What the server complains of goes to log, if not nil.
func StartMoto(ctx context.Context, log io.Writer) (*Moto, error) {
	python, err := Python(ctx)
	if err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	server, err := script("moto_stand_in.py")
	if err != nil {
		return nil, err
	}
	command := exec.Command(python, server)
	// Without this, AWS's own managed policies do not exist.
	command.Env = environment("MOTO_IAM_LOAD_MANAGED_POLICIES=true", "PYTHONUNBUFFERED=1")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	m := &Moto{Python: python, command: command, ended: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := m.start(ctx, log); err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	return m, nil
}

// RunMoto is StartMoto for a test, which it ends with. What the server complains of is in the test's log.
func RunMoto(tb testing.TB) *Moto {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	m, err := StartMoto(ctx, tb.Output())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(m.Stop)
	return m
}

func (m *Moto) start(ctx context.Context, log io.Writer) error {
	stdin, err := m.command.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := m.command.StdoutPipe()
	if err != nil {
		return err
	}
	complaints := &tail{}
	m.command.Stderr = complaints
	if log != nil {
		m.command.Stderr = io.MultiWriter(complaints, log)
	}
	if err := m.command.Start(); err != nil {
		return err
	}
	m.lifeline = stdin
	url := make(chan string, 1)
	go m.watch(stdout, url)
	if err := m.ready(ctx, url); err != nil {
		m.Stop()
		return fmt.Errorf("%w: %s", err, complaints)
	}
	return nil
}

// tail keeps the end of what is written to it. It is read only when the writing has ended.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	t.kept = t.kept[max(0, len(t.kept)-4096):]
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.kept)) }

// watch hands on the server's first line, its URL, and reaps the process when it ends.
func (m *Moto) watch(stdout io.Reader, url chan<- string) {
	reader := bufio.NewReader(stdout)
	if line, err := reader.ReadString('\n'); err == nil {
		url <- strings.TrimSpace(line)
	}
	_, _ = io.Copy(io.Discard, reader)
	_ = m.command.Wait() // how it ended is no news: it is always killed or let go
	close(m.ended)
}

func (m *Moto) ready(ctx context.Context, url <-chan string) error {
	select {
	case m.URL = <-url:
	case <-m.ended:
		return errors.New("it ended at once")
	case <-ctx.Done():
		return ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL+"/moto-api/data.json", nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers with status %d", resp.StatusCode)
	}
	return nil
}

// PID is the server's process.
func (m *Moto) PID() int { return m.command.Process.Pid }

// Stop ends the server and all that it started. It may be called twice.
func (m *Moto) Stop() {
	m.stop.Do(func() {
		_ = m.lifeline.Close()
		timer := time.NewTimer(stopTime)
		defer timer.Stop()
		select {
		case <-m.ended:
			return
		case <-timer.C:
		}
		_ = syscall.Kill(-m.command.Process.Pid, syscall.SIGKILL)
		<-m.ended
	})
}
