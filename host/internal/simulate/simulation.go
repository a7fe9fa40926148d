// Package simulate runs the whole host in one process and in virtual time, against an outside world that fails in every way it
// knows: engine, journal and dispatch over a real SQLite file, and a provider behind gRPC whose process, like the host, may be
// lost at any moment. A seed draws graphs, commands and faults; package invariant judges what is left. It belongs to tests, and
// runs inside a bubble of testing/synctest.
//
// A seed does not give the same run twice in every detail: goroutines that are ready at the same moment of virtual time run in
// any order, so that draws made while several calls are under way may fall to another one of them; sealed boxes, and the jitter of
// waits between tries, come from generators that cannot be seeded. A seed that failed is therefore run several times over.
package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/invariant"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// Lab is what simulations share: an empty store to begin from, and the provider's keys. It is made outside of any bubble.
type Lab struct {
	template *template
	ring     *sealedbox.Ring
}

// NewLab makes one in a directory.
func NewLab(ctx context.Context, dir string) (*Lab, error) {
	made, err := newTemplate(ctx, filepath.Join(dir, "template"))
	if err != nil {
		return nil, err
	}
	ring, err := sealedbox.Generate(time.Now())
	return &Lab{made, ring}, err
}

// Report is what one simulation came to.
type Report struct {
	Seed uint64
	// Counts are faults, losses and commands, by kind.
	Counts     map[string]int
	Violations []invariant.Violation
	// Story tells what happened where something was violated.
	Story string
}

// simulation is one seed at work.
type simulation struct {
	lab    *Lab
	dir    string
	chance *chance
	world  *cloud.World
	ring   *sealedbox.Ring
	log    hclog.Logger
	caller engine.Caller

	host   *host
	struck atomic.Pointer[host] // the one that is lost when a request has it so
	past   []*host              // to be buried
	disks  int

	deployments []*deployment
	drawn       int
	foreign     []cloud.Item
	told        *invariant.Told
	keys        keyed
	followers   sync.WaitGroup

	token, password string
	secrets         []string
	logged          lines
	said            lines // answers and errors

	found []invariant.Violation
	// firstStory is what had happened when the first of them was found.
	firstStory string
	// anew says that the store is younger than the world: what happened before is not in it.
	anew bool
}

// lines gathers text. It is safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// Run plays one seed in a directory of its own, inside a bubble of synctest.
func (l *Lab) Run(ctx context.Context, seed uint64, dir string) (*Report, error) {
	s := l.simulation(seed, dir)
	err := s.play(ctx)
	report := &Report{Seed: seed}
	report.Story = s.firstStory
	err = errors.Join(err, s.bury())
	s.followers.Wait()
	report.Counts, report.Violations = s.chance.counts, s.found
	return report, err
}

func (l *Lab) simulation(seed uint64, dir string) *simulation {
	s := &simulation{
		lab: l, dir: dir, chance: newChance(seed), world: cloud.New(), ring: l.ring, told: invariant.NewTold(), keys: keyed{},
		caller: engine.Caller{Tenant: "default", Name: "sim", Role: "tenant"},
	}
	s.log = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: &s.logged})
	s.token, s.password = s.newSecret(), s.newSecret()
	s.world.Weather = s.weather
	return s
}

// weather is what the world asks for each request.
func (s *simulation) weather(string, cloud.Call) cloud.Weather {
	w, lost, after := s.chance.weather()
	h := s.struck.Load()
	strike := func() {
		switch lost {
		case providerLost:
			h.processes.Lose()
		case hostLost:
			if !h.spared.Load() {
				h.die()
			}
		}
	}
	if lost != nothingLost && after {
		w.Then = strike
	} else {
		strike()
	}
	return w
}

// play is the whole of a simulation: commands in bad weather, then calm, in which everything must come right.
func (s *simulation) play(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for i := range 1 + s.chance.draw(2) {
		s.deployments = append(s.deployments, &deployment{id: fmt.Sprintf("app%d", i), kept: map[string]map[string]secret{}})
	}
	for range 3 + s.chance.draw(6) {
		if err := s.turn(ctx); err != nil {
			return err
		}
	}
	if err := s.calm(ctx); err != nil {
		return err
	}
	for _, d := range s.deployments {
		if err := s.conclude(ctx, d); err != nil {
			return err
		}
	}
	return s.last(ctx)
}

// open has a first host begin over an empty store.
func (s *simulation) open(ctx context.Context) error {
	d, err := s.lab.template.disk.copyTo(s.nextDir())
	if err != nil {
		return err
	}
	return s.begin(ctx, d, nil)
}

func (s *simulation) nextDir() string {
	s.disks++
	return filepath.Join(s.dir, fmt.Sprint(s.disks))
}

// begin starts a host, again and again where the store's faults do not let it.
func (s *simulation) begin(ctx context.Context, d *disk, before *host) error {
	for try := 1; ; try++ {
		h, err := s.start(ctx, d, s.chance.fate(), before)
		if err == nil {
			s.host = h
			s.struck.Store(h)
			return nil
		}
		if try == 20 {
			return fmt.Errorf("the host does not start: %w", err)
		}
		s.chance.count("start failed")
		time.Sleep(time.Second)
	}
}

// revive has another host take over when there is none.
func (s *simulation) revive(ctx context.Context) error {
	for s.host.gone() {
		old := s.host
		s.past = append(s.past, old)
		d, before := old.disk, old
		if old.frozen {
			s.chance.count("host frozen, then late")
		} else {
			s.chance.count("host lost")
			var err error
			if d, err = old.disk.copyTo(s.nextDir()); err != nil {
				return err
			}
			before = nil
		}
		if err := s.begin(ctx, d, before); err != nil {
			return err
		}
		if err := s.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// bury clears away every host there was.
func (s *simulation) bury() error {
	var errs []error
	if s.host != nil {
		s.host.die()
		s.past = append(s.past, s.host)
	}
	for _, h := range s.past {
		s.found = append(s.found, h.disk.faults...)
		h.disk.faults = nil
		errs = append(errs, h.bury())
	}
	return errors.Join(errs...)
}

// check judges what must hold at any moment, whatever is under way.
func (s *simulation) check(ctx context.Context) error {
	e, err := s.gather(ctx)
	if err != nil {
		return err
	}
	if s.anew {
		s.blame(slices.Concat(invariant.Once(e), invariant.Ordered(e), invariant.Untouched(e, s.foreign)))
		return nil
	}
	s.blame(e.Always(s.told, s.foreign))
	for _, id := range s.told.Graphs() {
		if _, err := s.host.inner.Graph(ctx, s.caller.Tenant, id); err != nil {
			s.blame([]invariant.Violation{{Invariant: invariant.I1, Text: "graph " + id + " was acknowledged, and is not in the store"}})
		}
	}
	return nil
}

// gather reads world and store. Whoever is at work must not write in between: the world is read first, so that what it holds
// has its intent in the store.
func (s *simulation) gather(ctx context.Context) (*invariant.Evidence, error) {
	return invariant.Gather(ctx, s.host.inner, s.caller.Tenant, s.world)
}

func (s *simulation) blame(found []invariant.Violation) {
	for _, v := range found {
		if !slices.Contains(s.found, v) {
			s.found = append(s.found, v)
		}
		if s.firstStory == "" { // what follows may hide it
			s.firstStory = s.story(context.Background())
		}
	}
}

// say keeps what a caller is answered, to be searched.
func (s *simulation) say(answer any, err error) {
	if err != nil {
		fmt.Fprintln(&s.said, err)
		return
	}
	_ = json.NewEncoder(&s.said).Encode(answer) // answers are plain data
}

// last looks for secrets everywhere, at the end, and counts how runs ended.
func (s *simulation) last(ctx context.Context) error {
	e, err := s.gather(ctx)
	if err != nil {
		return err
	}
	for i := range e.Runs {
		s.chance.count(fmt.Sprintf("run: %s, %s", e.Runs[i].Kind, e.Runs[i].Status))
		s.chance.tally("events", len(e.Runs[i].Events))
	}
	s.chance.tally("changes outside", len(e.Log))
	places := map[string][]byte{"a log": s.logged.bytes(), "an answer or an error": s.said.bytes()}
	files, err := filesIn(s.dir)
	maps.Copy(places, files)
	s.blame(invariant.Secret(places, s.secrets))
	return err
}

// story tells what happened, for a person: every run with its events, and every change outside.
func (s *simulation) story(ctx context.Context) string {
	e, err := s.gather(ctx)
	if err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	for i := range e.Runs {
		r := &e.Runs[i]
		fmt.Fprintf(&out, "run %s of %s: %s, %s, graph %s\n", r.ID, r.DeploymentID, r.Kind, r.Status, r.PlanGraphID)
		for k := range r.Plan.Operations {
			o := &r.Plan.Operations[k]
			fmt.Fprintf(&out, "  %s: %s %s %s\n", o.ID, o.Node.Verb, o.Node.Type, o.Node.ResourceID)
		}
		for _, event := range r.Events {
			text, _ := json.Marshal(event) // it was read from JSON
			fmt.Fprintf(&out, "  %s\n", text)
		}
	}
	for _, w := range e.Log {
		fmt.Fprintf(&out, "%s %s %s for %s by %s#%d\n", w.At.Format(time.RFC3339Nano), w.Change, w.Item.ID, w.Call.Resource, w.Call.ID, w.Call.Attempt)
	}
	return out.String()
}
