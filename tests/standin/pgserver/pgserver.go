// Package pgserver starts a PostgreSQL server of one's own on loopback, for tests and programs: from the machine's binaries, or
// from Debian's package where the machine has none and we are root. It knows nothing of what is stored there.
package pgserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// External names a server that is there already, by its URL: it is used instead, and nothing is started.
const External = "MGRAPH_DEPLOY_TEST_POSTGRES"

const (
	startTime = time.Minute
	// look is how often the server's log is looked at while it starts.
	look = 10 * time.Millisecond
)

// Options of a server.
type Options struct {
	// Fsync has the server do what durability needs. Without it a test does not wait for a disk that it has no use for.
	Fsync bool
	// Settings are further ones of its configuration, as name=value.
	Settings []string
}

// Server is a running server, empty at its start. It ends with the process that started it, whatever becomes of that.
type Server struct {
	// URL has a password in it, and names a superuser.
	URL string

	log      string
	lifeline io.WriteCloser
	command  *exec.Cmd
	starts   int
	stop     sync.Once
}

// keeper runs the server for as long as its standard input is open, restarts it for each line it reads there, as after a crash, and
// leaves nothing behind.
const keeper = `dir=$1; shift
"$@" & child=$!
while read -r line; do kill -QUIT "$child"; wait "$child"; "$@" & child=$!; done
kill -INT "$child"; wait "$child"; rm -rf "$dir"`

// Start starts a server and waits until it takes connections. The context bounds the start, not the server's life: end it with Stop.
func Start(ctx context.Context, options Options) (*Server, error) {
	if given := os.Getenv(External); given != "" {
		return &Server{URL: given}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	binaries, err := Binaries(ctx)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s := &Server{}
	if err := s.start(ctx, binaries, options); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, binaries string, options Options) error {
	who, err := account()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mgraph-pg-")
	if err != nil {
		return err
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
	}
	password := rand.Text()
	if err := initialize(ctx, binaries, dir, password, who); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	port, err := freePort()
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.launch(binaries, dir, port, who, options); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword("mgraph", password), Host: fmt.Sprintf("127.0.0.1:%d", port), Path: "/postgres",
		RawQuery: "sslmode=disable",
	}
	s.URL = address.String()
	if err := s.ready(ctx); err != nil {
		s.Stop()
		return err
	}
	return nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

func (s *Server) launch(binaries, dir string, port int, who *syscall.Credential, options Options) error {
	arguments := []string{
		"-c", keeper, "keeper", dir, filepath.Join(binaries, "postgres"), "-D", filepath.Join(dir, "data"), "-p", fmt.Sprint(port),
	}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=" + dir, "max_connections=300", "shared_buffers=64MB",
		"lc_messages=C", "deadlock_timeout=200ms", fmt.Sprintf("fsync=%t", options.Fsync),
		fmt.Sprintf("full_page_writes=%t", options.Fsync),
	}, options.Settings...) {
		arguments = append(arguments, "-c", setting)
	}
	s.log = filepath.Join(dir, "log")
	log, err := os.Create(s.log)
	if err != nil {
		return err
	}
	defer log.Close()
	s.command = exec.Command("/bin/sh", arguments...)
	s.command.Dir, s.command.Stderr, s.command.Stdout = dir, log, log
	s.command.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true}
	if s.lifeline, err = s.command.StdinPipe(); err != nil {
		return err
	}
	return s.command.Start()
}

// ready waits until the server has said once more that it takes connections.
func (s *Server) ready(ctx context.Context) error {
	s.starts++
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		text, err := os.ReadFile(s.log)
		if err != nil {
			return err
		}
		if bytes.Count(text, []byte("ready to accept connections")) >= s.starts {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", ctx.Err(), text)
		case <-ticker.C:
		}
	}
}

// Crash ends the server as a crash would, with all that it has not made durable, and waits until it is there again.
func (s *Server) Crash(ctx context.Context) error {
	if !s.Ours() {
		return errors.New("this server is not ours to crash")
	}
	if _, err := io.WriteString(s.lifeline, "crash\n"); err != nil {
		return err
	}
	return s.ready(ctx)
}

// Stop ends the server and removes what it stored. It may be called twice.
func (s *Server) Stop() {
	s.stop.Do(func() {
		if s.lifeline == nil {
			return
		}
		_ = s.lifeline.Close()
		_ = s.command.Wait() // how it ended is no news
	})
}

// Schema makes an empty schema, and gives the URL of the server with the schema in it. It is dropped when the test ends.
func (s *Server) Schema(tb testing.TB) string {
	tb.Helper()
	address, drop, err := s.NewSchema(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := drop(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return address
}

// NewSchema is Schema for programs, which drop it themselves.
func (s *Server) NewSchema(ctx context.Context) (schema string, drop func(context.Context) error, err error) {
	address, err := url.Parse(s.URL)
	if err != nil {
		return "", nil, err
	}
	name := "t_" + rand.Text()
	if err := s.Exec(ctx, `CREATE SCHEMA "`+name+`"`); err != nil {
		return "", nil, err
	}
	query := address.Query()
	query.Set("search_path", `"`+name+`"`)
	address.RawQuery = query.Encode()
	return address.String(), func(ctx context.Context) error {
		return s.Exec(ctx, "SET client_min_messages = warning", `DROP SCHEMA "`+name+`" CASCADE`)
	}, nil
}

// Ours says whether the server was started here, so that it may be crashed.
func (s *Server) Ours() bool { return s.lifeline != nil }

// Exec runs statements, as the superuser.
func (s *Server) Exec(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared is one server without fsync for all tests of a test binary, started by the first that asks. It ends with the binary.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.once.Do(func() { shared.server, shared.err = Start(context.Background(), Options{}) })
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.server
}
