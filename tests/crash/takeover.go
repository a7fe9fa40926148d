package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

const (
	// restTime bounds how long a run that nobody is at work on may look as if somebody were.
	restTime = 30 * time.Second
	// sleepMost is how long after the takeover the host that was stopped may sleep on.
	sleepMost = 1500 * time.Millisecond
)

// sleeper is a host that was stopped, alone or with its providers.
type sleeper struct {
	host  *rig.Host
	pids  []int
	timer *time.Timer
}

// freeze stops a host where it is, as a machine does that hangs. What its providers are about they go on with, unless they hang too.
func freeze(host *rig.Host, providers bool) *sleeper {
	s := &sleeper{host: host, pids: []int{host.PID()}}
	if providers {
		for _, process := range host.Providers() {
			s.pids = append(s.pids, process.PID)
		}
	}
	for _, pid := range s.pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // a provider may have ended meanwhile
	}
	return s
}

// wake lets it go on. It may be called twice, and for nobody.
func (s *sleeper) wake() {
	if s == nil {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	for _, pid := range s.pids {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// takeOver has the other host go on with what the one that sleeps had; that one wakes up some time later, in the middle of it.
func (c *cycle) takeOver(ctx context.Context, l *layer, moment string) (done bool, err error) {
	c.turn()
	if err := c.atRest(ctx); err != nil {
		return false, fmt.Errorf("%s: %w", moment, err)
	}
	c.asleep.timer = time.AfterFunc(time.Duration(c.chance.Int64N(int64(sleepMost))), c.asleep.wake)
	if err := c.look(ctx, moment); err != nil {
		return false, err
	}
	return c.completed(ctx, l)
}

// awaken wakes the host that sleeps, if one does, and returns when it takes requests again.
func (c *cycle) awaken(ctx context.Context) error {
	sleeping := c.asleep
	if sleeping == nil {
		return nil
	}
	sleeping.wake()
	c.asleep = nil
	if err := sleeping.host.AwaitReady(ctx); err != nil {
		return fmt.Errorf("a host that was stopped for a while: %w", err)
	}
	return nil
}

// atRest returns when no run of the deployment is at work any more: a host whose store or process was lost does not say so, but
// its lease runs out.
func (c *cycle) atRest(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	for {
		runs, err := c.books.peek(bounded, c.host.DataDir, c.deploymentID)
		active := false
		for i := range runs {
			active = active || rest.ActiveStatus(runs[i].Status)
		}
		if err == nil && !active {
			return nil
		}
		select {
		case <-time.After(statusEvery):
		case <-bounded.Done():
			if ctx.Err() == nil && active {
				c.blame(ruleStuck, "a run is still at work after %s", restTime)
			}
			return errors.Join(err, bounded.Err())
		}
	}
}
