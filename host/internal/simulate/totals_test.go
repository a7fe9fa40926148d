package simulate

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var figures = flag.String("figures", "", "file that the figures of this run are written to, as JSON")

// totals are the sums of a test run, as RELIABILITY.md shows them.
type totals struct {
	Seeds      int            `json:"seeds"`
	Seconds    float64        `json:"seconds"`
	Counts     map[string]int `json:"counts,omitempty"`
	Violations map[string]int `json:"violations,omitempty"`
	Planted    []catch        `json:"planted,omitempty"`
}

// catch says which invariant caught a planted fault, and after how many seeds.
type catch struct {
	Bug    string `json:"bug"`
	By     string `json:"by"`
	Within int    `json:"within"`
}

var (
	totalsMu sync.Mutex
	sum      = totals{Counts: map[string]int{}, Violations: map[string]int{}}
)

func note(change func(*totals)) {
	totalsMu.Lock()
	defer totalsMu.Unlock()
	change(&sum)
}

// add counts one simulation in.
func add(report *Report) {
	note(func(total *totals) {
		total.Seeds++
		for what, n := range report.Counts {
			total.Counts[what] += n
		}
		for _, v := range report.Violations {
			total.Violations[string(v.Invariant)]++
		}
	})
}

func TestMain(m *testing.M) {
	began := time.Now()
	code := m.Run()
	sum.Seconds = time.Since(began).Seconds()
	if err := errorsOf(code); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// errorsOf writes the figures, and looks for goroutines that are left.
func errorsOf(code int) error {
	if code == 0 {
		if err := goleak.Find(); err != nil {
			return err
		}
	}
	if *figures == "" {
		return nil
	}
	content, err := json.MarshalIndent(&sum, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(*figures), 0o755), os.WriteFile(*figures, append(content, '\n'), 0o600))
}
