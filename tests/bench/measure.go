package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// workload is one thing that is measured in every round, in hosts of its own, next to the bare rate.
type workload struct {
	name   string
	work   work
	shape  shape
	count  int // operations, or in all deployments together
	repeat int // how often in the same hosts
	unit   string
	// shared keeps the store in PostgreSQL, for so many hosts; 0 for one host with a file of its own.
	shared int
	// beside is the workload that it is set beside; the bare rate when empty.
	beside string
	goal   string
}

// work does once what is measured. besides is what the same hosts gave without what is measured, 0 where nothing stands for that.
type work func(ctx context.Context, hosts []*running, m *measured) (value, besides float64, err error)

// sizes are the numbers of operations; the smoke test has smaller ones.
type sizes struct{ small, medium, large, huge, bare, deployments, followers int }

var fullSizes = sizes{small: 100, medium: 1000, large: 10_000, huge: 50_000, bare: 10_000, deployments: 1000, followers: 100}

const (
	operations = "ops/s"
	// each is how many operations one of many deployments has.
	each = 10
)

var reach = fmt.Sprintf("ratio >= %.1f", goalRatio)

// workloads are named by the sizes of the full measurement, so that a smoke test reports under the same names.
func (s sizes) workloads() []workload {
	all := []workload{
		{name: "apply_100_wide", work: applies, shape: wide, count: s.small, repeat: 10, unit: operations},
		{name: "apply_100_layers", work: applies, shape: layers, count: s.small, repeat: 10, unit: operations},
		{name: "apply_1000_wide", work: applies, shape: wide, count: s.medium, repeat: 3, unit: operations, goal: reach},
		{name: "apply_1000_layers", work: applies, shape: layers, count: s.medium, repeat: 3, unit: operations, goal: reach},
		{name: "apply_10000_wide", work: applies, shape: wide, count: s.large, repeat: 1, unit: operations, goal: reach},
		{name: "apply_10000_layers", work: applies, shape: layers, count: s.large, repeat: 1, unit: operations, goal: reach},
		{name: "apply_50000_wide", work: applies, shape: wide, count: s.huge, repeat: 1, unit: operations},
		{name: "apply_50000_layers", work: applies, shape: layers, count: s.huge, repeat: 1, unit: operations},
		{name: "plan_10000", work: plans, shape: layers, count: s.large, repeat: 3, unit: "s"},
		{name: "apply_1000x10", work: appliesMany, shape: wide, count: s.deployments * each, repeat: 1, unit: operations},
		{name: "status_under_load", work: asksUnderLoad, shape: layers, count: s.large, repeat: 1, unit: "ms"},
		{name: "events_100_followers", work: s.fansOut, shape: layers, count: s.medium, repeat: 1, unit: "events/s"},
	}
	return append(all, s.inPostgres()...)
}

// inPostgres are the workloads over a store that hosts share, set beside the same ones over SQLite, and two hosts beside one.
func (s sizes) inPostgres() []workload {
	return []workload{
		{name: "postgres_1000_wide", work: applies, shape: wide, count: s.medium, repeat: 3, unit: operations, shared: 1, beside: "apply_1000_wide"},
		{name: "postgres_1000_layers", work: applies, shape: layers, count: s.medium, repeat: 3, unit: operations, shared: 1, beside: "apply_1000_layers"},
		{name: "postgres_1000x10_one_host", work: appliesMany, shape: wide, count: s.deployments * each, repeat: 1, unit: operations, shared: 1, beside: "apply_1000x10"},
		{
			name: "postgres_1000x10_two_hosts", work: appliesMany, shape: wide, count: s.deployments * each, repeat: 1, unit: operations, shared: 2,
			beside: "postgres_1000x10_one_host",
		},
	}
}

// measured is what all rounds gave for one workload.
type measured struct {
	workload
	values  samples // in the workload's unit
	besides samples // of the same hosts without what is measured
	bare    samples // calls a second, right before
	memory  samples // MB at the end of the hosts' lives; empty where it cannot be told
}

// rate is operations a second.
func (m *measured) rate(took time.Duration) float64 { return float64(m.count) / took.Seconds() }

// cost is seconds an operation.
func (m *measured) cost() float64 { return 1 / m.values.median() }

// measure interleaves: bare, workload, bare, workload, and so on, round after round, so that what else the machine does in a
// while falls on both.
func measure(ctx context.Context, s *subject, b *bare, size sizes, rounds int, tell func(string)) ([]*measured, error) {
	var all []*measured
	for _, w := range size.workloads() {
		if w.shared == 0 || s.database != nil {
			all = append(all, &measured{workload: w})
		}
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
			tell(fmt.Sprintf("round %d of %d: %s %.3f %s, bare %.0f/s", round+1, rounds, m.name, m.values[len(m.values)-1], m.unit, rate))
		}
	}
	return all, nil
}

func (m *measured) run(ctx context.Context, s *subject) (err error) {
	hosts, end, err := s.hosts(ctx, m.shared)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	for range m.repeat {
		value, besides, err := m.work(ctx, hosts, m)
		if err != nil {
			return err
		}
		m.values = append(m.values, value)
		if besides > 0 {
			m.besides = append(m.besides, besides)
		}
	}
	total := 0.0
	for _, host := range hosts {
		peak, err := peakMemory(host.PID())
		if err != nil {
			return nil // where memory cannot be told, the rest can
		}
		total += peak
	}
	m.memory = append(m.memory, total)
	return nil
}

func applies(ctx context.Context, hosts []*running, m *measured) (float64, float64, error) {
	took, err := hosts[0].apply(ctx, m.shape, m.count)
	return m.rate(took), 0, err
}

func plans(ctx context.Context, hosts []*running, m *measured) (float64, float64, error) {
	took, err := hosts[0].plan(ctx, m.shape, m.count)
	return took.Seconds(), 0, err
}
