package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

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

var moments = []string{momentCommand, momentAck, momentTime, momentRequest, momentEvent, momentSettling, momentStart}

// victimAll is the host and all its providers at once.
const victimAll = "all"

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
func drawKills(chance *rand.Rand, victim string, p pace, tapped bool, most int) []kill {
	var kills []kill
	for i := range most {
		if i > 0 && chance.IntN(2) == 0 {
			break
		}
		kills = append(kills, drawKill(chance, victim, p, tapped, i))
	}
	return kills
}

func drawKill(chance *rand.Rand, victim string, p pace, tapped bool, before int) kill {
	k := kill{victim: drawVictim(chance, victim), choice: chance.IntN(1000), side: pick(chance, []side{sideBefore, sideAfter, sideLate})}
	left := before + 1 // of the run, about one part in so many
	likely := []string{momentCommand, momentAck, momentTime, momentTime, momentEvent, momentEvent}
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

func drawVictim(chance *rand.Rand, victim string) string {
	if victim == victimBoth {
		return pick(chance, []string{victimHost, victimHost, victimProvider, victimProvider, victimAll})
	}
	return victim
}

// strike is a kill that waits for its moment.
type strike struct {
	kill
	host *rig.Host
	once sync.Once
	// falling is set before anything is killed: from then on calls may fail.
	falling atomic.Bool
	timer   *time.Timer
	seen    int
}

// newStrike arms nothing yet. A nil kill gives a strike that never falls.
func newStrike(k *kill, host *rig.Host) *strike {
	s := &strike{host: host}
	if k != nil {
		s.kill = *k
	}
	return s
}

// fire kills, once, and returns when what was to be killed is dead; provider is the one at work at that moment, "" for any.
func (s *strike) fire(provider string) {
	s.once.Do(func() {
		s.falling.Store(true)
		if s.victim != victimHost {
			s.killProviders(provider)
		}
		if s.victim != victimProvider {
			s.host.Kill()
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

// begin arms what may fall from the moment on at which the command is sent.
func (s *strike) begin(requests *tap) {
	switch s.moment {
	case momentCommand, momentTime:
		s.timer = time.AfterFunc(s.delay, func() { s.fire("") })
	case momentRequest:
		requests.arm(s.n, s.side, s.fire)
	}
}

// acknowledged is called when the command was answered.
func (s *strike) acknowledged() {
	if s.moment == momentAck {
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
