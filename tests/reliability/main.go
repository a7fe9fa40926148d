// Command reliability writes the figures of the last simulation, of the last search for planted faults and of the last crash test
// into RELIABILITY.md, between its marks. What stands outside of them is kept by people.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := standin.Root()
	if err != nil {
		return err
	}
	f := &figures{}
	for name, into := range map[string]any{"simulate": &f.Simulated, "planted": &f.Planted, "crash": &f.Crashed} {
		if err := read(filepath.Join(root, "build", name+".json"), into); err != nil {
			return err
		}
	}
	path := filepath.Join(root, "RELIABILITY.md")
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	written, err := between(document, f.table())
	if err != nil {
		return err
	}
	return os.WriteFile(path, written, 0o644)
}

// read leaves what was not measured as it is.
func read(path string, into any) error {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// The marks between which a run writes.
const (
	beginMark = "<!-- begin figures: written by make reliability -->\n"
	endMark   = "<!-- end figures -->"
)

var errMarks = errors.New("RELIABILITY.md has lost its marks")

// between puts a text between the marks of a document.
func between(document []byte, text string) ([]byte, error) {
	before, rest, ok := bytes.Cut(document, []byte(beginMark))
	_, after, okToo := bytes.Cut(rest, []byte(endMark))
	if !ok || !okToo {
		return nil, errMarks
	}
	return fmt.Appendf(nil, "%s%s\n%s\n%s%s", before, beginMark, text, endMark, after), nil
}
