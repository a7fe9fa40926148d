package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// releaseTime is how long providers may live on after their host was killed.
const releaseTime = 10 * time.Second

// recover takes evidence of what a dead host has left, starts it again, asks it what it knows, and judges.
func (c *cycle) recover(ctx context.Context, moment string) error {
	if err := c.awaken(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, releaseTime)
	defer cancel()
	if err := c.host.AwaitReleased(bounded); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx) // the whole run ends: nobody outlived anything
		}
		c.blame(ruleStuck, "%s a provider outlived its host by %s", moment, releaseTime)
		return err
	}
	ledger, err := c.books.left(ctx, c.host.DataDir, c.deploymentID)
	if err != nil {
		return fmt.Errorf("%s: %w", moment, err)
	}
	things, err := c.world.Read(ctx)
	if err != nil {
		return err
	}
	if err := c.start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", moment, err)
	}
	return c.judge(ctx, moment, ledger, things)
}

// examine judges while the host is at work on nothing.
func (c *cycle) examine(ctx context.Context, moment string) error {
	if err := errors.Join(c.awaken(ctx), c.atRest(ctx)); err != nil {
		return fmt.Errorf("%s: %w", moment, err)
	}
	return c.look(ctx, moment)
}

// look judges by what store and world hold now.
func (c *cycle) look(ctx context.Context, moment string) error {
	ledger, err := c.books.peek(ctx, c.host.DataDir, c.deploymentID)
	if err != nil {
		return err
	}
	things, err := c.world.Read(ctx)
	if err != nil {
		return err
	}
	return c.judge(ctx, moment, ledger, things)
}

func (c *cycle) judge(ctx context.Context, moment string, found ledger, things []thing) error {
	c.discover(found)
	if err := c.atRest(ctx); err != nil {
		return fmt.Errorf("%s: %w", moment, err)
	}
	for _, l := range c.layers {
		if err := c.ask(ctx, l, found); err != nil {
			return fmt.Errorf("%s: %w", moment, err)
		}
	}
	if err := c.askForPlan(ctx); err != nil {
		return err
	}
	evidence := &evidence{deploymentID: c.deploymentID, layers: c.layers, things: things}
	for _, v := range evidence.judge() {
		c.blame(v.rule, "%s: %s", moment, v.text)
	}
	c.report.judged++
	c.report.things += len(things)
	return nil
}

// discover gives a layer the run that the host has stored without being able to say so.
func (c *cycle) discover(found ledger) {
	known := map[string]bool{}
	for _, l := range c.layers {
		known[l.run] = true
	}
	last := c.layers[len(c.layers)-1]
	for _, run := range found {
		if last.run == "" && !known[run.ID] && run.Kind != "verify" {
			last.run = run.ID
		}
	}
}

// ask gathers what the file and the host say of a layer's run.
func (c *cycle) ask(ctx context.Context, l *layer, found ledger) error {
	l.ledger, l.status, l.served, l.replayed = nil, nil, nil, nil
	if l.run == "" {
		return nil
	}
	for i := range found {
		if found[i].ID == l.run {
			l.ledger = &found[i]
		}
	}
	run, err := c.host.Client.Run(ctx, l.run)
	if errors.Is(err, rest.KindNotFound) {
		c.blame(ruleLost, "run %s was acknowledged, and the host does not know it", l.run)
		return nil
	}
	if err != nil {
		return err
	}
	l.graphID = run.GraphID
	if l.scenario != nil && l == c.lastApply() && l.kind != kindRollback {
		c.graphID = run.GraphID
	}
	if l.status, err = c.host.Client.Status(ctx, run.GraphID, l.run); err != nil {
		return err
	}
	return c.host.Client.Follow(ctx, rest.FollowFrom{GraphID: run.GraphID, RunID: l.run}, func(e rest.Event) {
		l.served = append(l.served, eventOf(e))
	})
}

// lastApply is the run that says what is deployed.
func (c *cycle) lastApply() (last *layer) {
	for _, l := range c.layers {
		if l.scenario != nil {
			last = l
		}
	}
	return last
}

// askForPlan: a plan that was stored and never run is still there.
func (c *cycle) askForPlan(ctx context.Context) error {
	if c.graphID == "" {
		return nil
	}
	_, err := c.host.Client.StoredPlan(ctx, c.graphID)
	if errors.Is(err, rest.KindNotFound) {
		c.blame(ruleLost, "graph %s was acknowledged, and the host does not know it", c.graphID)
		return nil
	}
	return err
}
