package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/bench/hostprocess"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// subject is what is measured: a host executable and the provider installed for it.
type subject struct {
	host      string           // executable
	arguments []string         // on top of what every start needs
	dir       string           // everything that is made lands here, on the disk that the project is on
	database  *pgserver.Server // nil where the machine has none
	starts    int
}

const providerVersion = "0.0.0-bench"

func (s *subject) plugins() string { return filepath.Join(s.dir, "plugins") }

func (s *subject) provider() string {
	return filepath.Join(s.plugins(), "noop", providerVersion, "mgraph-provider-noop")
}

// buildProvider builds the provider into the plugins directory.
func (s *subject) buildProvider(ctx context.Context) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-X main.version="+providerVersion,
		"-o", s.provider(), "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop/cmd/mgraph-provider-noop")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build provider: %w: %s", err, out)
	}
	return nil
}

// running is a host that has nothing in its store but a small warm-up, by which its provider was started.
type running struct {
	*hostprocess.Process
	data string
	runs int
}

const warmUp = 50

// hosts starts hosts for one measurement: one with a store of its own, or so many on one database that is empty.
func (s *subject) hosts(ctx context.Context, shared int) (hosts []*running, end func() error, err error) {
	end = func() (err error) {
		for _, host := range hosts {
			err = errors.Join(err, host.end())
		}
		return err
	}
	var store []string
	if shared > 0 {
		if store, err = s.newDatabase(ctx); err != nil {
			return nil, nil, err
		}
	}
	for range max(shared, 1) {
		data := s.nextData()
		if len(hosts) > 0 {
			if err := shareKeys(hosts[0].data, data); err != nil {
				return nil, nil, errors.Join(err, end())
			}
		}
		host, err := s.start(ctx, data, store)
		if err != nil {
			return nil, nil, errors.Join(err, end())
		}
		hosts = append(hosts, host)
	}
	return hosts, end, nil
}

// newDatabase makes an empty database, and gives what tells a host of it: a file, since its URL has a password.
func (s *subject) newDatabase(ctx context.Context) ([]string, error) {
	name := fmt.Sprintf("bench_%d", s.starts)
	if err := s.database.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	address, err := url.Parse(s.database.URL)
	if err != nil {
		return nil, err
	}
	address.Path = "/" + name
	file := filepath.Join(s.dir, name)
	return []string{"--store-file", file}, os.WriteFile(file, []byte(address.String()), 0o600)
}

func (s *subject) nextData() string {
	s.starts++
	return filepath.Join(s.dir, fmt.Sprintf("data-%d", s.starts))
}

// shareKeys gives a host the provider's keys of another, as an operator does where hosts share a store.
func shareKeys(from, to string) error {
	key := filepath.Join("keys", "noop.key")
	content, err := os.ReadFile(filepath.Join(from, key))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(to, "keys"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, key), content, 0o600)
}

// settings lift the limits of what one request may hold to what the largest measurement sends.
const settings = `{"limits": {"body_bytes": 67108864, "resources": 100000}}`

func (s *subject) start(ctx context.Context, data string, store []string) (*running, error) {
	r := &running{data: data}
	config := filepath.Join(s.dir, "host.json")
	if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
		return nil, err
	}
	var err error
	r.Process, err = hostprocess.Start(ctx, hostprocess.Options{
		Executable: s.host, DataDir: r.data, PluginsDir: s.plugins(),
		Arguments: slices.Concat([]string{"--config", config}, s.arguments, store),
	})
	if err != nil {
		return nil, err
	}
	if _, err := r.applyAs(ctx, fmt.Sprintf("warm-up-%d", s.starts), wide, warmUp); err != nil {
		return nil, errors.Join(err, r.end())
	}
	return r, nil
}

func (r *running) end() error { return errors.Join(r.Stop(), os.RemoveAll(r.data)) }

func (r *running) name() string {
	r.runs++
	return fmt.Sprintf("deployment-%d", r.runs)
}

// apply gives the time from posting a deployment to having its result, all operations durable.
func (r *running) apply(ctx context.Context, s shape, count int) (time.Duration, error) {
	return r.applyAs(ctx, r.name(), s, count)
}

func (r *running) applyAs(ctx context.Context, name string, s shape, count int) (time.Duration, error) {
	var result rest.RunResult
	took, err := r.post(ctx, "/deploy/apply", rest.ApplyRequest{Config: deployment(name, s, count)}, &result)
	switch {
	case err != nil:
		return 0, fmt.Errorf("apply: %w", err)
	case !result.Success || result.Completed != count || result.Changed != count || len(result.Outputs) != count:
		return 0, fmt.Errorf("apply: %s, %d of %d operations completed", result.Status, result.Completed, count)
	}
	return took, nil
}

// plan gives the time from posting a deployment to having its plan. It has no credentials: what providers say is not the host's
// work.
func (r *running) plan(ctx context.Context, s shape, count int) (time.Duration, error) {
	var plan rest.PlanResponse
	config := deployment(r.name(), s, count)
	config.Credentials = nil
	took, err := r.post(ctx, "/deploy/plan", rest.PlanRequest{Config: config}, &plan)
	switch {
	case err != nil:
		return 0, fmt.Errorf("plan: %w", err)
	case !plan.Success || len(plan.Operations) != count:
		return 0, fmt.Errorf("plan: %d of %d operations", len(plan.Operations), count)
	}
	return took, nil
}

// post times one request, from its first byte to the last byte of the answer. Making and reading JSON here is not the host's work.
func (r *running) post(ctx context.Context, path string, body, answer any) (time.Duration, error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+path, bytes.NewReader(sent))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	start := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	received, err := io.ReadAll(response.Body)
	took := time.Since(start)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("HTTP status %d: %.300s", response.StatusCode, received)
	}
	return took, json.Unmarshal(received, answer)
}
