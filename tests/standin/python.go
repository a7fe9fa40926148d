package standin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrNoPython says that no Python is there which could run the stand-in or make an environment for it.
var ErrNoPython = errors.New("no Python 3.11 or newer on PATH")

// Python gives an interpreter that has moto, of the pinned minor version, and boto3. The machine's own is taken where it has
// them; else a private environment in build/venv, which the first call makes (about a minute, from the package registry).
func Python(ctx context.Context) (string, error) {
	requirements, err := script("requirements.txt")
	if err != nil {
		return "", err
	}
	pinned, err := pinnedMoto(requirements)
	if err != nil {
		return "", err
	}
	for _, candidate := range candidates() {
		if python, ok := probe(ctx, candidate, pinned); ok {
			return python, nil
		}
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	return venv{dir: filepath.Join(root, "build", "venv"), requirements: requirements, install: install}.ensure(ctx)
}

// pinnedMoto is the minor version ("5.2.") that the requirements name.
func pinnedMoto(requirements string) (string, error) {
	content, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "moto=="); ok {
			return version[:strings.LastIndex(version, ".")+1], nil
		}
	}
	return "", errors.New("the requirements do not pin moto")
}

// candidates are interpreters that might have moto: the one that runs moto_server, then the usual names.
func candidates() []string {
	var found []string
	if server, err := exec.LookPath("moto_server"); err == nil {
		found = append(found, interpreter(server)...)
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, path)
		}
	}
	return found
}

// interpreter is the Python that a script names in its first line; none if that is another program, as in a version
// manager's shim, whose Python stands on PATH beside it.
func interpreter(script string) []string {
	file, err := os.Open(script)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	line, _ := bufio.NewReader(file).ReadString('\n')
	path := strings.TrimSpace(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(filepath.Base(path), "python") {
		return nil
	}
	return []string{path}
}

// probe asks an interpreter whether it can run the stand-in, and for the path of its own executable behind any shim.
func probe(ctx context.Context, python, version string) (string, bool) {
	const question = "import sys, boto3, moto, moto.server; print(moto.__version__); print(sys.executable)"
	command := exec.CommandContext(ctx, python, "-c", question)
	command.Env = environment()
	out, err := command.Output()
	if err != nil {
		return "", false
	}
	found, path, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return path, strings.HasPrefix(found, version)
}

// venv is a private Python environment with what a requirements file names.
type venv struct {
	dir, requirements string
	install           func(ctx context.Context, dir, requirements string) error
}

// ensure makes the environment unless it is there as required, and gives its interpreter. Any number of processes may call it
// at once: one makes it, the others wait.
func (v venv) ensure(ctx context.Context) (string, error) {
	content, err := os.ReadFile(v.requirements)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	wanted := []byte(hex.EncodeToString(sum[:]))
	if err := os.MkdirAll(filepath.Dir(v.dir), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, v.dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if v.holds(wanted) {
		return v.python(), nil
	}
	if err := os.RemoveAll(v.dir); err != nil {
		return "", err
	}
	if err := v.install(ctx, v.dir, v.requirements); err != nil {
		return "", fmt.Errorf("make a Python environment: %w", err)
	}
	return v.python(), os.WriteFile(v.marker(), wanted, 0o644)
}

// holds says whether the environment is whole. The marker is written last, so that one whose making was cut short is not; nor
// is one whose base Python has gone from the machine, which leaves a link to nothing.
func (v venv) holds(wanted []byte) bool {
	if _, err := os.Stat(v.python()); err != nil {
		return false
	}
	marker, err := os.ReadFile(v.marker())
	return err == nil && bytes.Equal(marker, wanted)
}

func (v venv) marker() string { return filepath.Join(v.dir, "requirements.sha256") }
func (v venv) python() string { return filepath.Join(v.dir, "bin", "python") }

// install makes an environment in a directory that is not there, and installs what a requirements file names.
func install(ctx context.Context, dir, requirements string) error {
	base, err := basePython(ctx)
	if err != nil {
		return err
	}
	if err := run(ctx, base, "-m", "venv", dir); err != nil {
		return err
	}
	return run(ctx, venv{dir: dir}.python(), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
		"-r", requirements)
}

// basePython is an interpreter that is new enough for the pinned packages.
func basePython(ctx context.Context) (string, error) {
	for _, name := range []string{"python3", "python3.14", "python3.13", "python3.12", "python3.11"} {
		if run(ctx, name, "-c", "import sys; sys.exit(sys.version_info < (3, 11))") == nil {
			return name, nil
		}
	}
	return "", ErrNoPython
}

// run runs a command to its end; what it said is in the error if it failed.
func run(ctx context.Context, name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Env = environment()
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// lock takes a file lock between processes, which the system gives back if the holder dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-ticker.C:
		}
	}
}
