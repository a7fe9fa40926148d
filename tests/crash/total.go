package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// total is the sum of all cycles.
type total struct {
	options options
	dir     string

	mu     sync.Mutex
	out    io.Writer
	cycles map[string]int // by store
	kills  map[string]int
	did    map[string]int // commands, by kind
	took   time.Duration
	spoilt int // in bad weather
	judged int
	things int
	rounds int
	found  map[string]int
}

func newTotal(o options, out io.Writer, dir string) *total {
	return &total{options: o, out: out, dir: dir, cycles: map[string]int{}, kills: map[string]int{}, did: map[string]int{}, found: map[string]int{}}
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
	_, _ = fmt.Fprintln(t.out, r.line(c.number, c.lane.variety))
	t.cycles[c.lane.store]++
	t.took += r.took
	for _, what := range r.did {
		t.did[what]++
	}
	t.judged, t.things, t.rounds = t.judged+r.judged, t.things+r.things, t.rounds+r.rounds
	if r.weather {
		t.spoilt++
	}
	for _, k := range r.kills {
		t.kills[k.victim+" at "+k.moment]++
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
	_, _ = fmt.Fprintf(t.out, "  again: go run ./tests/crash -seed %d -first %d -cycles 1 -lanes 1 -store %s -target %s -victim %s\n  kept: %s\n",
		o.seed, c.number, c.lane.store, c.lane.target, o.victim, c.lane.dir)
	if err == nil {
		err = errFound
	}
	return fmt.Errorf("cycle %d: %w", c.number, err)
}

func (t *total) violations() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return sum(t.found)
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

func listed(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, counts[what]))
	}
	return strings.Join(parts, ", ")
}

// print tells the sums.
func (t *total) print(out io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(out, "\n%d cycles (%s; %d in bad weather), %.1f s each, %d rounds\n",
		sum(t.cycles), listed(t.cycles), t.spoilt, t.took.Seconds()/float64(max(sum(t.cycles), 1)), t.rounds)
	_, _ = fmt.Fprintf(out, "%d accidents: %s\ncommands: %s\n", sum(t.kills), listed(t.kills), listed(t.did))
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
		"cycles": sum(t.cycles), "stores": t.cycles, "bad_weather": t.spoilt, "kills": t.kills, "commands": t.did, "judged": t.judged,
		"things": t.things, "seconds_each": t.took.Seconds() / float64(max(sum(t.cycles), 1)), "violations": t.found,
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
