package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// appliesMany posts all deployments at once, to the hosts in turn, and waits until the last one is done.
func appliesMany(ctx context.Context, hosts []*running, m *measured) (float64, float64, error) {
	group, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for i := range m.count / each {
		host, name := hosts[i%len(hosts)], fmt.Sprintf("many-%d-%d", len(m.values), i)
		group.Go(func() error {
			_, err := host.applyAs(ctx, name, m.shape, each)
			return err
		})
	}
	err := group.Wait()
	return m.rate(time.Since(start)), 0, err
}

const (
	// questions are asked of a host at rest, and askEvery is the pause between two of a host at work.
	questions  = 200
	askEvery   = 2 * time.Millisecond
	percentile = 0.99
)

// asksUnderLoad asks a host that is at work on a large deployment how a small one stands, again and again, and beside it one that
// is at rest. What counts is the slow end: 99 of 100 answers came faster.
func asksUnderLoad(ctx context.Context, hosts []*running, m *measured) (float64, float64, error) {
	host := hosts[0]
	client, err := rest.NewClient(host.URL)
	if err != nil {
		return 0, 0, err
	}
	small, err := client.Apply(ctx, &rest.ApplyRequest{Config: deployment("asked-for", wide, each)})
	if err != nil {
		return 0, 0, err
	}
	var working atomic.Bool
	working.Store(true)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer working.Store(false)
		_, err := host.apply(groupCtx, m.shape, m.count)
		return err
	})
	busy, askErr := latencies(groupCtx, client, small.GraphID, func(int) bool { return working.Load() })
	if err := group.Wait(); err != nil {
		return 0, 0, err
	}
	if askErr != nil {
		return 0, 0, askErr
	}
	idle, err := latencies(ctx, client, small.GraphID, func(asked int) bool { return asked < questions })
	return slowest(busy), slowest(idle), err
}

// latencies are what status takes, in milliseconds, asked for as long as it is wanted and once at least.
func latencies(ctx context.Context, client *rest.Client, graphID string, wanted func(asked int) bool) (samples, error) {
	var all samples
	for len(all) == 0 || wanted(len(all)) {
		start := time.Now()
		if _, err := client.Status(ctx, graphID, ""); err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		all = append(all, float64(time.Since(start))/float64(time.Millisecond))
		time.Sleep(askEvery)
	}
	return all, nil
}

func slowest(all samples) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(percentile*float64(len(sorted)-1))]
}

// fansOut gives how many events a second reach all followers of one run together, and beside it how many a single one gets.
func (s sizes) fansOut(ctx context.Context, hosts []*running, m *measured) (float64, float64, error) {
	alone, err := hosts[0].followed(ctx, m, 1)
	if err != nil {
		return 0, 0, err
	}
	together, err := hosts[0].followed(ctx, m, s.followers)
	return together, alone, err
}

// followed applies a deployment with followers from its first event to its last, and gives the events a second that they got.
func (r *running) followed(ctx context.Context, m *measured, followers int) (float64, error) {
	client, err := rest.NewClient(r.URL)
	if err != nil {
		return 0, err
	}
	begun, err := client.Apply(ctx, &rest.ApplyRequest{Config: deployment(r.name(), m.shape, m.count)}, rest.Async())
	if err != nil {
		return 0, err
	}
	start := time.Now()
	counts := make([]int, followers)
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range followers {
		group.Go(func() error {
			return client.Follow(groupCtx, rest.FollowFrom{GraphID: begun.GraphID, RunID: begun.RunID}, func(rest.Event) { counts[i]++ })
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	took := time.Since(start).Seconds()
	total := 0
	for _, count := range counts {
		if count < 2*m.count || count != counts[0] {
			return 0, fmt.Errorf("a follower got %d events, another %d", count, counts[0])
		}
		total += count
	}
	return float64(total) / took, nil
}
