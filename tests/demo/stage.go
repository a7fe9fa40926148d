package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/bench/hostprocess"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// stage is all that is running, and what is known of it.
type stage struct {
	out          io.Writer
	dir, program string

	moto   *standin.Moto
	aws    *counter
	github *githubfake.Fake
	fake   *http.Server
	// fakeURL is the fake's REST API.
	fakeURL string

	host   *hostprocess.Process
	client *rest.Client
	log    *os.File
	// apiKey, secretKey and token are made for this one show.
	apiKey, secretKey, token string
	pins                     []string
	// graph is the plan that was kept.
	graph string
}

func (s *stage) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *stage) say(format string, arguments ...any) {
	_, _ = fmt.Fprintf(s.out, format+"\n", arguments...)
}

// clear ends all that was started, in reverse order. It may be called twice.
func (s *stage) clear() error {
	var err error
	if s.host != nil {
		err = s.host.Stop()
	}
	if s.log != nil {
		_ = s.log.Close()
	}
	if s.fake != nil {
		_ = s.fake.Close()
	}
	if s.aws != nil {
		s.aws.stop()
	}
	if s.moto != nil {
		s.moto.Stop()
	}
	return err
}

// nothingBehind says whether what ran has taken its temporary files with it.
func (s *stage) nothingBehind() error {
	left, err := os.ReadDir(s.temporary())
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d temporary files were left behind, such as %s", len(left), left[0].Name())
	}
	return err
}

// temporary is where everything that is shown has its temporary files.
func (s *stage) temporary() string { return s.path("t") }

// lastWords shows the end of the host's log when something went wrong.
func (s *stage) lastWords(failed error) error {
	if failed == nil || s.log == nil {
		return nil
	}
	text, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	s.say("\nThe end of the host's log:\n%s", strings.Join(lines[max(0, len(lines)-20):], "\n"))
	return nil
}

// clouds starts what stands in for AWS and GitHub, empty but for one repository.
func (s *stage) clouds(ctx context.Context) error {
	var err error
	if s.moto, err = standin.StartMoto(ctx, nil); err != nil {
		return err
	}
	if s.aws, err = startCounter(ctx, s.moto.URL); err != nil {
		return err
	}
	s.secretKey, s.token = rand.Text(), "ghp_"+rand.Text()
	s.github = githubfake.New(githubfake.Options{})
	s.github.AddToken(githubfake.Token{Value: s.token, Login: "mona", Scopes: []string{"repo"}})
	if err := s.github.AddRepo(githubfake.Repo{Owner: owner, Name: repository, Private: true}); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.fakeURL = "http://" + listener.Addr().String() + "/api/v3/"
	s.fake = &http.Server{Handler: s.github, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.fake.Serve(listener) }() // ends by Close, with an error that says just that
	return nil
}

// startHost starts the host with the operator's settings and a client of it.
func (s *stage) startHost(ctx context.Context) error {
	var err error
	if s.log, err = os.Create(s.path("host.log")); err != nil {
		return err
	}
	s.host, err = hostprocess.Start(ctx, hostprocess.Options{
		Executable: s.program, DataDir: s.path("data"), PluginsDir: s.path("plugins"),
		Arguments: []string{"--config", s.path("config.json")}, Env: []string{"TMPDIR=" + s.temporary()}, Log: s.log,
	})
	if err != nil {
		return err
	}
	return s.connect()
}

func (s *stage) connect() (err error) {
	s.client, err = rest.NewClient(s.host.URL, rest.WithKey(s.apiKey))
	return err
}

// command is one invocation of the program, with what it printed.
type command struct {
	code   int
	stdout string
}

// deploy runs the program against the host, as a person would.
func (s *stage) deploy(ctx context.Context, arguments ...string) (command, error) {
	return s.invoke(ctx, s.out, []string{
		"MGRAPH_DEPLOY_SERVER=" + s.host.URL, "MGRAPH_DEPLOY_API_KEY=" + s.apiKey,
	}, arguments)
}

// deployAlone runs the program without a host beside it.
func (s *stage) deployAlone(ctx context.Context, arguments ...string) (command, error) {
	return s.invoke(ctx, s.out, []string{
		"MGRAPH_DEPLOY_DATA_DIR=" + s.path("local"), "MGRAPH_DEPLOY_PLUGINS_DIR=" + s.path("plugins"),
		"MGRAPH_DEPLOY_CONFIG=" + s.path("config.json"),
	}, arguments)
}

// invoke shows the command line and, at shown, what the program prints. An exit code is no error; that it was ended by a
// signal, or could not be started, is one.
func (s *stage) invoke(ctx context.Context, shown io.Writer, env, arguments []string) (command, error) {
	s.say("\n$ mgraph-deploy %s", strings.Join(arguments, " "))
	c := exec.CommandContext(ctx, s.program, arguments...)
	c.Dir = s.path("work")
	c.Env = append(s.environment(), env...)
	var stdout bytes.Buffer
	c.Stdout, c.Stderr = io.MultiWriter(shown, &stdout), s.out
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		err = nil
	}
	if err != nil {
		return command{}, err
	}
	return command{code: c.ProcessState.ExitCode(), stdout: stdout.String()}, nil
}

// environment has credentials where each cloud's own tools look for them, and nothing of the person's own.
func (s *stage) environment() []string {
	env := []string{
		"HOME=" + s.path("home"), "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=" + s.secretKey,
		"GITHUB_TOKEN=" + s.token, "TMPDIR=" + s.temporary(),
	}
	for _, name := range []string{"PATH", "TERM", "LANG", "LC_ALL", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// shared lets the program's two streams write to one place.
type shared struct {
	mu sync.Mutex
	to io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(p)
}
