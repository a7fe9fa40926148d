package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// total is the sum of all cycles.
type total struct {
	options options
	dir     string

	mu     sync.Mutex
	out    io.Writer
	cycles int
	kills  map[string]int
	spoilt int // in bad weather
	judged int
	things int
	rounds int
	found  map[string]int
}

func newTotal(o options, out io.Writer, dir string) *total {
	return &total{options: o, out: out, dir: dir, kills: map[string]int{}, found: map[string]int{}}
}

var errFound = errors.New("a rule was violated")

// add runs a cycle, tells of it in a line, and counts it in.
func (t *total) add(ctx context.Context, c *cycle) error {
	err := c.run(ctx)
	if errors.Is(err, errStuck) {
		err = nil // stands in the report
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &c.report
	_, _ = fmt.Fprintln(t.out, r.line(c.number, c.lane.number))
	t.cycles++
	t.judged, t.things, t.rounds = t.judged+r.judged, t.things+r.things, t.rounds+r.rounds
	if r.weather {
		t.spoilt++
	}
	for _, k := range r.kills {
		t.kills[kindOf(k)]++
	}
	for _, v := range r.found {
		t.found[v.rule]++
		_, _ = fmt.Fprintf(t.out, "  %s: %s\n", strings.ToUpper(v.rule), v.text)
	}
	if len(r.found) == 0 && err == nil {
		return nil
	}
	for _, note := range r.notes {
		_, _ = fmt.Fprintln(t.out, "  note:", note)
	}
	o := t.options
	_, _ = fmt.Fprintf(t.out, "  again: go run ./tests/crash -seed %d -first %d -cycles 1 -lanes 1 -target %s -victim %s\n  kept: %s\n",
		o.seed, c.number, o.target, o.victim, c.lane.dir)
	if err == nil {
		err = errFound
	}
	return fmt.Errorf("cycle %d: %w", c.number, err)
}

// kindOf is victim and moment without numbers.
func kindOf(k string) string {
	victim, _, _ := strings.Cut(k, " ")
	for _, moment := range moments {
		if strings.Contains(k, moment) {
			return victim + " at " + moment
		}
	}
	return victim
}

func (t *total) violations() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := 0
	for _, n := range t.found {
		sum += n
	}
	return sum
}

// print tells the sums.
func (t *total) print(out io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kills := 0
	var kinds []string
	for _, victim := range []string{victimHost, victimProvider, victimAll} {
		for _, moment := range moments {
			if n := t.kills[victim+" at "+moment]; n > 0 {
				kills += n
				kinds = append(kinds, fmt.Sprintf("%s at %s %d", victim, moment, n))
			}
		}
	}
	_, _ = fmt.Fprintf(out, "\n%d cycles (%d in bad weather), %d kills in %d rounds: %s\n",
		t.cycles, t.spoilt, kills, t.rounds, strings.Join(kinds, ", "))
	_, _ = fmt.Fprintf(out, "%d times judged, %d things looked at\n", t.judged, t.things)
	for _, rule := range rules {
		_, _ = fmt.Fprintf(out, "%6d  %s\n", t.found[rule], plural(rule))
	}
}

// write leaves the sums for RELIABILITY.md.
func (t *total) write(path string) error {
	if path == "" {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	content, err := json.MarshalIndent(map[string]any{
		"cycles": t.cycles, "bad_weather": t.spoilt, "kills": t.kills, "judged": t.judged, "violations": t.found,
	}, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, append(content, '\n'), 0o600))
}

func plural(rule string) string {
	if rule == ruleOrphan || rule == ruleDuplicate || rule == ruleLost {
		return rule + "s"
	}
	return rule
}
