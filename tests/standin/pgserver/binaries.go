package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
)

// ErrNone says that the machine has no PostgreSQL, and that we may not install it.
var ErrNone = errors.New("no PostgreSQL 13 or newer here: install it (Debian: apt-get install postgresql), or name a server in " + External)

const oldest = 13

// places are where the usual packages have the server, whose tools are mostly not on PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// Binaries is the directory of the machine's server. A machine without one gets Debian's package, if we are root there.
func Binaries(ctx context.Context) (string, error) {
	if dir, ok := newest(ctx); ok {
		return dir, nil
	}
	if os.Getuid() != 0 {
		return "", ErrNone
	}
	if err := install(ctx); err != nil {
		return "", fmt.Errorf("install PostgreSQL: %w", err)
	}
	if dir, ok := newest(ctx); ok {
		return dir, nil
	}
	return "", ErrNone
}

// newest is the directory of the newest server that is new enough.
func newest(ctx context.Context) (dir string, ok bool) {
	var found []string
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, filepath.Dir(path))
	}
	for _, place := range places {
		matches, _ := filepath.Glob(place) // the patterns are good
		found = append(found, matches...)
	}
	versions := map[string]int{}
	for _, dir := range found {
		versions[dir] = version(ctx, dir)
	}
	slices.SortStableFunc(found, func(a, b string) int { return versions[b] - versions[a] })
	if len(found) == 0 || versions[found[0]] < oldest {
		return "", false
	}
	return found[0], true
}

var major = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// version is the major version of the server in a directory, 0 when there is none.
func version(ctx context.Context, dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if match := major.FindSubmatch(out); err == nil && match != nil {
		number, _ := strconv.Atoi(string(match[1]))
		return number
	}
	return 0
}

// install has Debian's package installed, and no server of the machine's own started with it.
func install(ctx context.Context) error {
	const settings = "/etc/postgresql-common/createcluster.conf"
	if _, err := os.Stat(settings); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(settings), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(settings, []byte("create_main_cluster = false\n"), 0o644); err != nil {
			return err
		}
	}
	for _, arguments := range [][]string{
		{"update", "-q"}, {"install", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "postgresql"},
	} {
		command := exec.CommandContext(ctx, "apt-get", arguments...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", arguments[0], err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// account is whom the server runs as when we are root, which it refuses to be; nil for ourselves.
func account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		who, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(who.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(who.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("there is neither a user postgres nor nobody to run it as")
}

// initialize makes the server's files, with one superuser who has a password.
func initialize(ctx context.Context, binaries, dir, password string, who *syscall.Credential) error {
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if who != nil {
		if err := os.Chown(secret, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	command := exec.CommandContext(ctx, filepath.Join(binaries, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "mgraph",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile="+secret, "--encoding=UTF8", "--locale=C", "--no-sync")
	command.Dir, command.SysProcAttr = dir, &syscall.SysProcAttr{Credential: who}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Remove(secret)
}
