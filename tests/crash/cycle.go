package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

const (
	// cycleTime bounds one deployment with all its accidents.
	cycleTime = 2 * time.Minute
	// roundsMost is how often a run may have to be gone on with.
	roundsMost = 20
	// stepsMost bounds how many operations are done one by one.
	stepsMost = 3
	// kindRollback is that of a run that takes back the one before.
	kindRollback = "rollback"
	// killsMost bounds the accidents of one run.
	killsMost = 3
)

// cycle is one deployment: applied, changed, verified and destroyed, with accidents in between.
type cycle struct {
	*lane
	number int
	chance *rand.Rand
	// calm is a cycle without accidents, by which others are measured.
	calm bool

	deploymentID string
	layers       []*layer
	// graphID is the newest that an answer has named; planned has the graph stored before it is applied.
	graphID string
	planned bool
	// steps is how many operations the first run does one by one, before it is let run.
	steps  int
	report report
}

// report is what is told of a cycle.
type report struct {
	operations int
	rounds     int
	kills      []kill
	weather    bool // spoilt some requests
	judged     int
	things     int
	took       time.Duration
	did        []string // commands
	notes      []string
	found      []violation
}

func newCycle(l *lane, number int) *cycle {
	return &cycle{
		lane: l, number: number, chance: rand.New(rand.NewPCG(l.options.seed, uint64(number))),
		deploymentID: fmt.Sprintf("c%d-%s", number, l.suffix),
	}
}

// run does all of it. An error means that the cycle could not go on; what was found wrong stands in the report.
func (c *cycle) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cycleTime)
	defer cancel()
	started := time.Now()
	defer func() { c.report.took = time.Since(started) }()
	shape, values, crashes := c.chance.Uint64(), c.chance.Uint64(), !c.calm && slices.Contains(c.victims(), victimProvider)
	changed := c.calm || c.chance.IntN(2) == 0
	abandoned := !c.calm && c.chance.IntN(5) == 0
	c.planned = c.chance.IntN(2) == 0
	if !c.calm && c.chance.IntN(4) == 0 {
		c.steps = 1 + c.chance.IntN(stepsMost)
	}
	if requests := c.world.Tap(); requests != nil && !c.calm && c.chance.IntN(4) == 0 {
		requests.spoil(rand.New(rand.NewPCG(c.chance.Uint64(), 3)))
		defer requests.spoil(nil)
		c.report.weather = true
	}
	draw := func(values uint64, update bool) *scenario {
		return c.world.Scenario(drawing{
			shape: rand.New(rand.NewPCG(shape, 1)), values: rand.New(rand.NewPCG(values, 2)),
			deploymentID: c.deploymentID, update: update, crashes: crashes,
		})
	}
	if err := c.step(ctx, "apply", draw(values, false), abandoned); err != nil {
		return err
	}
	if !abandoned && changed {
		if err := c.change(ctx, draw(c.chance.Uint64(), true)); err != nil {
			return err
		}
	}
	if !abandoned {
		if err := c.verify(ctx); err != nil {
			return err
		}
	}
	if c.layers[0].run == "" {
		return c.aftermath(ctx) // it was killed before the host had stored anything
	}
	if err := c.step(ctx, "destroy", nil, false); err != nil {
		return err
	}
	return c.aftermath(ctx)
}

// change changes what is deployed, and at times takes the change back, where all that is deployed can be: what no longer holds
// then is what the checker wants again.
func (c *cycle) change(ctx context.Context, to *scenario) error {
	before, graphID := c.layers[len(c.layers)-1].scenario, c.graphID
	runs := len(c.layers)
	if err := c.step(ctx, "update", to, false); err != nil {
		return err
	}
	if c.target != targetNoop || c.chance.IntN(2) == 0 || len(c.layers) > runs+1 { // of one that was cancelled a run is left
		return nil
	}
	err := c.step(ctx, kindRollback, before, false)
	c.graphID = graphID
	return err
}

// step drives one run to its end, whatever happens to it on the way; an abandoned one only until it was disturbed.
func (c *cycle) step(ctx context.Context, kind string, scenario *scenario, abandoned bool) error {
	l := &layer{kind: kind, scenario: scenario, told: map[int64]event{}}
	c.layers = append(c.layers, l)
	kills := c.drawKills(kind)
	measured := time.Now()
	for range roundsMost {
		c.report.rounds++
		if err := c.refresh(ctx); err != nil {
			return err
		}
		var next *kill
		if len(kills) > 0 {
			next, kills = &kills[0], kills[1:]
		}
		done, err := c.round(ctx, l, next)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if l.stands == rest.RunCancelled {
			l = c.anew(l)
		}
		if done || abandoned && next == nil {
			c.measure(kind, l, time.Since(measured))
			return c.examine(ctx, "after "+kind)
		}
	}
	c.blame(ruleStuck, "the %s did not come to its end in %d rounds", kind, roundsMost)
	return errStuck
}

// anew begins another run in place of one that was cancelled. What that one made is there, so that its caller now asks for what a
// pipeline would: that it be as it says.
func (c *cycle) anew(cancelled *layer) *layer {
	l := &layer{kind: cancelled.kind, scenario: cancelled.scenario, told: map[int64]event{}, posted: true}
	if l.scenario != nil {
		for i := range l.scenario.config.Resources {
			l.scenario.config.Resources[i].Definition.Operation = "ensure"
		}
	}
	c.layers = append(c.layers, l)
	return l
}

var errStuck = errors.New("it did not come to its end")

func (c *cycle) drawKills(kind string) []kill {
	most := killsMost
	if c.calm || kind != "apply" && c.chance.IntN(5) < 3 {
		most = 0
	}
	from := c.victims()
	if kind == kindRollback {
		// One that was cancelled half-way is not gone on with.
		from = slices.DeleteFunc(from, func(victim string) bool { return victim == victimCancel })
	}
	return drawKills(c.chance, from, c.paces[kind], c.world.Tap() != nil, most)
}

// measure keeps what an undisturbed run takes.
func (c *cycle) measure(kind string, l *layer, took time.Duration) {
	p := pace{duration: took, events: int(l.version)}
	if requests := c.world.Tap(); requests != nil {
		p.requests = requests.writes()
	}
	if c.calm {
		c.paces[kind] = p
	}
}

func (c *cycle) blame(rule, format string, args ...any) {
	c.report.found = append(c.report.found, violation{rule, fmt.Sprintf(format, args...)})
}

func (c *cycle) note(format string, args ...any) {
	c.report.notes = append(c.report.notes, fmt.Sprintf(format, args...))
}

// round sends the command once, follows the run, and puts up with one accident. done says that the run is completed.
func (c *cycle) round(ctx context.Context, l *layer, next *kill) (done bool, err error) {
	if next != nil && next.moment == momentStart {
		return false, c.killWhileStarting(ctx, next)
	}
	calls, cut := context.WithCancel(ctx)
	defer cut()
	s := newStrike(next, c.lane, cut)
	s.begin(c.world.Tap())
	defer s.end(c.world.Tap())
	result, err := c.command(calls, l)
	if err == nil {
		s.acknowledged(result.RunID)
		c.acknowledge(l, result)
		err = c.follow(calls, l, s)
	}
	if next != nil && (err == nil || s.falling.Load()) {
		s.fire("") // at the latest now, when the run is at rest
		c.report.kills = append(c.report.kills, *next)
	}
	if s.err != nil {
		return false, fmt.Errorf("%s: %w", next, s.err)
	}
	return c.afterwards(ctx, l, s, err)
}

// afterwards goes by what has become of host, store and run; err is how the calls ended.
func (c *cycle) afterwards(ctx context.Context, l *layer, s *strike, err error) (done bool, _ error) {
	fell := s.falling.Load()
	switch {
	case fell && s.victim == victimFrozen:
		return c.takeOver(ctx, l, "after "+s.String())
	case !c.host.Running():
		return false, c.recover(ctx, "after "+s.String())
	case fell && (s.victim == victimDatabase || s.victim == victimCancel):
		if err := errors.Join(c.examine(ctx, "after "+s.String()), ctx.Err()); err != nil {
			return false, err
		}
		return c.completed(ctx, l)
	case err != nil:
		return false, c.excused(ctx, err)
	default:
		return c.completed(ctx, l)
	}
}

// excused says whether a call may fail because a provider was killed under it: the host then asks to be called again. So many
// deaths in so short a time make it take the provider for broken, which only an operator undoes, by a reload.
func (c *cycle) excused(ctx context.Context, err error) error {
	if errors.Is(err, rest.KindUnavailable) {
		_, err := c.host.Client.ReloadProviders(ctx)
		return errors.Join(err, ctx.Err())
	}
	if c.books.server != nil && errors.Is(err, rest.KindConflict) {
		// A host that died between taking a run and saying so has it until its lease runs out.
		select {
		case <-time.After(leaseSeconds * time.Second / 4):
			c.note("asked again: %v", err)
			return nil
		case <-ctx.Done():
		}
	}
	return errors.Join(err, ctx.Err())
}

// completed says whether the run is. One that was cancelled is followed by another.
func (c *cycle) completed(ctx context.Context, l *layer) (bool, error) {
	if l.run == "" {
		return false, nil
	}
	run, err := c.host.Client.Run(ctx, l.run)
	if err != nil {
		return false, err
	}
	if run.Status == rest.RunFailed && run.FailedOperation != nil {
		c.note("%s failed: %s: %s", run.FailedOperation.ResourceID, run.FailedOperation.ErrorType, run.FailedOperation.Error)
	}
	l.stands = run.Status
	return run.Status == rest.RunCompleted, nil
}

// killWhileStarting kills a host that has no run, starts it, kills it again on its way up, and starts it for good.
func (c *cycle) killWhileStarting(ctx context.Context, next *kill) error {
	c.host.Kill()
	if err := c.host.Launch(); err != nil {
		return err
	}
	select {
	case <-time.After(next.delay):
	case <-c.host.Ended():
		return rig.ErrEnded
	}
	c.host.Kill()
	c.report.kills = append(c.report.kills, *next)
	return c.recover(ctx, "after "+next.String())
}

// acknowledge keeps what an answer has promised.
func (c *cycle) acknowledge(l *layer, result *rest.RunResult) {
	l.run, l.graphID = result.RunID, result.GraphID
	if l.scenario != nil && l.kind != kindRollback {
		c.graphID = result.GraphID
	}
	c.report.operations = max(c.report.operations, result.Total)
}

// follow reads the run's events until it stands or the host is gone.
func (c *cycle) follow(ctx context.Context, l *layer, s *strike) error {
	ctx, cancel := context.WithCancel(ctx)
	spoken := make(chan int64)
	go func() { spoken <- c.watch(ctx, cancel, l) }()
	defer func() {
		cancel()
		l.spoken = max(l.spoken, <-spoken)
	}()
	from := rest.FollowFrom{GraphID: l.graphID, RunID: l.run}
	if l.version > 0 {
		from.After = rest.EventID(l.run, l.version)
	}
	from.Reset = func() { c.blame(ruleLost, "run %s: the host no longer knows event %d", l.run, l.version) }
	return c.host.Client.Follow(ctx, from, func(told rest.Event) {
		e := eventOf(told)
		l.told[e.Version], l.version = e, max(l.version, e.Version)
		s.hear(&e)
	})
}

// statusEvery is how often the status is asked for while a run is followed.
const statusEvery = 25 * time.Millisecond

// watch asks for the status again and again, and gives the newest event that it spoke of. It gives up when the host has ended.
func (c *cycle) watch(ctx context.Context, ended context.CancelFunc, l *layer) (spoken int64) {
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	for {
		status, err := c.host.Client.Status(ctx, l.graphID, l.run)
		if err == nil {
			spoken = max(spoken, status.EventVersion)
		}
		select {
		case <-ticker.C:
		case <-c.host.Ended():
			ended()
			return spoken
		case <-ctx.Done():
			return spoken
		}
	}
}

func eventOf(e rest.Event) event {
	return event{
		Version: e.Version, Kind: e.Kind, Operation: e.Operation, Operations: e.Operations, Status: e.Status,
		RunStatus: e.RunStatus, Outcome: e.Outcome, Attempt: e.Attempt, Settling: e.Settling, Identity: e.Identity,
	}
}

func (r *report) line(number int, on variety) string {
	verdict := "ok"
	if len(r.found) > 0 {
		verdict = fmt.Sprintf("%d VIOLATIONS", len(r.found))
	}
	var kills []string
	for _, k := range r.kills {
		kills = append(kills, k.String())
	}
	accidents := cmp.Or(strings.Join(kills, "; "), "none")
	if r.weather {
		accidents += ", in bad weather"
	}
	return fmt.Sprintf("cycle %3d  %-8s %s  %2d operations  %d rounds  %4.1fs  %s  %s",
		number, on.store, on.target, r.operations, r.rounds, r.took.Seconds(), verdict, accidents)
}
