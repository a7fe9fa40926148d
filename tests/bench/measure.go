package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// workload is one thing that is measured in every round, in a host of its own, next to the bare rate.
type workload struct {
	name   string
	plans  bool // plans, else applies
	shape  shape
	count  int
	repeat int // how often in one host
}

// sizes are the numbers of operations; the smoke test has smaller ones.
type sizes struct{ small, medium, large, bare int }

var fullSizes = sizes{small: 100, medium: 1000, large: 10_000, bare: 10_000}

// workloads are named by the sizes of the full measurement, so that a smoke test reports under the same names.
func (s sizes) workloads() []workload {
	return []workload{
		{name: "apply_100_wide", shape: wide, count: s.small, repeat: 10},
		{name: "apply_100_layers", shape: layers, count: s.small, repeat: 10},
		{name: "apply_1000_wide", shape: wide, count: s.medium, repeat: 3},
		{name: "apply_1000_layers", shape: layers, count: s.medium, repeat: 3},
		{name: "apply_10000_wide", shape: wide, count: s.large, repeat: 1},
		{name: "apply_10000_layers", shape: layers, count: s.large, repeat: 1},
		{name: "plan_10000", plans: true, shape: layers, count: s.large, repeat: 3},
	}
}

// measured is what all rounds gave for one workload.
type measured struct {
	workload
	seconds samples // of one apply or plan
	bare    samples // calls a second, right before
	memory  samples // MB at the end of the host's life; empty where it cannot be told
}

// rate is operations a second.
func (m *measured) rate() samples {
	rates := make(samples, len(m.seconds))
	for i, seconds := range m.seconds {
		rates[i] = float64(m.count) / seconds
	}
	return rates
}

// cost is seconds an operation.
func (m *measured) cost() float64 { return m.seconds.median() / float64(m.count) }

// measure interleaves: bare, workload, bare, workload, and so on, round after round, so that what else the machine does in a
// while falls on both.
func measure(ctx context.Context, s *subject, b *bare, size sizes, rounds int, tell func(string)) ([]*measured, error) {
	var all []*measured
	for _, w := range size.workloads() {
		all = append(all, &measured{workload: w})
	}
	for round := range rounds {
		for _, m := range all {
			rate, err := b.rate(ctx, size.bare)
			if err != nil {
				return nil, err
			}
			m.bare = append(m.bare, rate)
			if err := m.run(ctx, s); err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			tell(fmt.Sprintf("round %d of %d: %s %.3f s, bare %.0f/s", round+1, rounds, m.name, m.seconds[len(m.seconds)-1], rate))
		}
	}
	return all, nil
}

func (m *measured) run(ctx context.Context, s *subject) (err error) {
	host, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.end()) }()
	for range m.repeat {
		took, err := m.once(ctx, host)
		if err != nil {
			return err
		}
		m.seconds = append(m.seconds, took.Seconds())
	}
	if peak, err := peakMemory(host.PID()); err == nil {
		m.memory = append(m.memory, peak)
	}
	return nil
}

func (m *measured) once(ctx context.Context, host *running) (time.Duration, error) {
	if m.plans {
		return host.plan(ctx, m.shape, m.count)
	}
	return host.apply(ctx, m.shape, m.count)
}
