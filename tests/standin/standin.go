// Package standin starts what stands in for the clouds on loopback: moto for AWS, with the Python it needs, and a proxy that
// makes any of them misbehave. It also reads AWS back through a client that is not ours. It serves tests and programs alike.
//
// It starts nothing that listens beyond loopback, knows no resource of the project, and judges nothing. The GitHub fake is a
// package of its own (tests/githubfake), which needs no process.
package standin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoRoot says that the working directory is not inside the project.
var ErrNoRoot = errors.New("not inside the project's tree")

// Root is the project's directory, found upwards from the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "tests", "python", "requirements.txt")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNoRoot
		}
		dir = parent
	}
}

func script(name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	return filepath.Join(root, "tests", "python", name), nil
}

// environment is this process's environment without anything that the AWS clients or moto would take settings from. An access
// key without its secret, for one, makes moto fail every Lambda call.
func environment(extra ...string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "MOTO_") {
			kept = append(kept, variable)
		}
	}
	return append(kept, extra...)
}
