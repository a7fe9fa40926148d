package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

// The moments at which something is killed.
const (
	// momentCommand: while the host is at work on the command, and has not acknowledged it.
	momentCommand = "command"
	// momentAck: just after the host has acknowledged the command.
	momentAck = "ack"
	// momentTime: some time after the command was sent, within what such a run takes.
	momentTime = "time"
	// momentRequest: while a request that changes something is on its way to a stand-in, or its answer back.
	momentRequest = "request"
	// momentEvent: when a follower is told of the n-th event.
	momentEvent = "event"
	// momentSettling: when the host begins to settle what an earlier attempt left.
	momentSettling = "settling"
	// momentStart: while the host starts again after it was killed.
	momentStart = "start"
)

const (
	// victimAll is the host and all its providers at once.
	victimAll = "host and providers"
	// victimCancel is the run itself, which is cancelled.
	victimCancel = "cancel"
)

// kill is one accident that chance has drawn.
type kill struct {
	moment, victim string
	// n counts requests or events, side says where a request is.
	n     int
	side  side
	delay time.Duration
	// choice tells which provider, where it does not follow from the moment.
	choice int
}

func (k kill) String() string {
	switch k.moment {
	case momentCommand, momentTime, momentAck, momentStart:
		return fmt.Sprintf("%s at %s+%s", k.victim, k.moment, k.delay.Round(time.Millisecond))
	case momentRequest:
		return fmt.Sprintf("%s %s request %d", k.victim, k.side, k.n)
	default:
		return fmt.Sprintf("%s at %s %d", k.victim, k.moment, k.n)
	}
}

// pace is what an undisturbed run of a kind takes on this machine.
type pace struct {
	duration         time.Duration
	requests, events int
}

// drawKills draws up to most accidents. The first finds the run at its beginning or in the middle, later ones find less left to do.
func drawKills(chance *rand.Rand, from []string, p pace, tapped bool, most int) []kill {
	var kills []kill
	for i := range most {
		if i > 0 && chance.IntN(2) == 0 {
			break
		}
		kills = append(kills, drawKill(chance, from, p, tapped, i))
	}
	return kills
}

func drawKill(chance *rand.Rand, from []string, p pace, tapped bool, before int) kill {
	k := kill{victim: pick(chance, from), choice: chance.IntN(1000), side: pick(chance, []side{sideBefore, sideAfter, sideLate})}
	left := before + 1 // of the run, about one part in so many
	likely := []string{momentAck, momentTime, momentTime, momentEvent, momentEvent}
	if k.victim != victimFrozen && k.victim != victimCancel {
		likely = append(likely, momentCommand) // else the host may do what it was asked for much later, unacknowledged
	}
	if tapped {
		likely = append(likely, momentRequest, momentRequest, momentRequest)
	}
	if before > 0 {
		likely = append(likely, momentSettling, momentSettling)
		if k.victim == victimHost {
			likely = append(likely, momentStart)
		}
	}
	k.moment = pick(chance, likely)
	switch k.moment {
	case momentCommand:
		k.delay = time.Duration(chance.IntN(15_000)) * time.Microsecond
	case momentAck:
		k.delay = time.Duration(chance.IntN(4000)) * time.Microsecond
	case momentStart:
		k.delay = time.Duration(chance.IntN(150)) * time.Millisecond
	case momentTime:
		k.delay = time.Duration(chance.Int64N(int64(p.duration)/int64(left) + 1))
	case momentRequest:
		k.n = 1 + chance.IntN(max(p.requests/left, 1))
	case momentEvent:
		k.n = 1 + chance.IntN(max(p.events/left, 1))
	default:
		k.n = 1
	}
	return k
}

// victims are what chance picks from in this lane.
func (l *lane) victims() []string {
	kills := []string{victimHost, victimHost, victimProvider, victimProvider, victimAll}
	switch l.options.victim {
	case anything:
		if l.books.crashable() {
			kills = append(kills, victimDatabase, victimDatabase)
		}
		if l.store == storeShared {
			kills = append(kills, victimFrozen, victimFrozen, victimFrozen, victimFrozen)
		}
		return append(kills, victimCancel)
	case victimBoth:
		return kills
	default:
		return []string{l.options.victim}
	}
}

// strike is a kill that waits for its moment.
type strike struct {
	kill
	lane *lane
	host *rig.Host
	// run gives the run that is followed, cut ends the calls under way: nobody answers them any more.
	run  atomic.Pointer[string]
	cut  func()
	once sync.Once
	// falling is set before anything is killed: from then on calls may fail.
	falling atomic.Bool
	timer   *time.Timer
	seen    int
	// err says that the accident did not come about.
	err error
}

// newStrike arms nothing yet. A nil kill gives a strike that never falls.
func newStrike(k *kill, l *lane, cut func()) *strike {
	s := &strike{lane: l, host: l.host, cut: cut}
	if k != nil {
		s.kill = *k
	}
	return s
}

// fire kills, once, and returns when what was to be killed is dead; provider is the one at work at that moment, "" for any.
func (s *strike) fire(provider string) {
	s.once.Do(func() {
		s.falling.Store(true)
		switch s.victim {
		case victimHost:
			s.host.Kill()
			s.cut() // a client would go on asking a dead host for half a minute
		case victimProvider:
			s.killProviders(provider)
		case victimAll:
			s.killProviders(provider)
			s.host.Kill()
			s.cut()
		case victimDatabase:
			s.err = s.lane.books.crash()
		case victimFrozen:
			s.lane.asleep = freeze(s.host, s.choice%2 == 0)
			s.cut()
		case victimCancel:
			s.err = s.cancel()
		}
	})
}

func (s *strike) killProviders(provider string) {
	alive := s.host.Providers()
	for i, process := range alive {
		chosen := process.Provider == provider || provider == "" && i == s.choice%len(alive)
		if s.victim == victimAll || chosen {
			_ = process.Kill() // one that has ended meanwhile is dead as well
		}
	}
}

// cancelTime bounds a cancellation, which ends when the run is at rest.
const cancelTime = 30 * time.Second

// cancel cancels the run that is followed. One that has ended meanwhile is none to cancel.
func (s *strike) cancel() error {
	run := s.run.Load()
	if run == nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), cancelTime)
	defer stop()
	grace := float64(s.choice%3) / 4
	_, err := s.host.Client.Cancel(ctx, &rest.CancelRequest{RunID: *run, GraceSeconds: &grace})
	if errors.Is(err, rest.KindConflict) {
		return nil
	}
	return err
}

// begin arms what may fall from the moment on at which the command is sent.
func (s *strike) begin(requests *tap) {
	switch s.moment {
	case momentCommand, momentTime:
		if s.victim == victimFrozen || s.victim == victimCancel {
			return // not before the answer
		}
		s.timer = time.AfterFunc(s.delay, func() { s.fire("") })
	case momentRequest:
		requests.arm(s.n, s.side, s.fire)
	}
}

// acknowledged is called when the command was answered.
func (s *strike) acknowledged(run string) {
	s.run.Store(&run)
	if s.moment == momentAck || s.moment == momentTime && s.timer == nil && s.victim != "" {
		s.timer = time.AfterFunc(s.delay, func() { s.fire("") })
	}
}

// hear is called with each event that a follower is told of, from one goroutine.
func (s *strike) hear(e *event) {
	s.seen++
	if s.moment == momentEvent && s.seen >= s.n || s.moment == momentSettling && e.Settling {
		s.fire("")
	}
}

// end disarms what has not fallen.
func (s *strike) end(requests *tap) {
	if s.timer != nil {
		s.timer.Stop()
	}
	if requests != nil {
		requests.disarm()
	}
}
