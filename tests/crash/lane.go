package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// lane is one host with a world of its own, which goes through one cycle after the other.
type lane struct {
	options options
	number  int
	dir     string
	suffix  string
	world   world
	host    *rig.Host
	sealers map[string]*rig.Sealer
	paces   map[string]pace
}

// torment runs all cycles, lanes side by side, and stops at the first that finds something.
func torment(ctx context.Context, o options, out io.Writer) (*total, error) {
	_, _ = fmt.Fprintf(out, "seed %d: %d cycles against %s, victims %s, %d lanes\n", o.seed, o.cycles, o.target, o.victim, o.lanes)
	root, err := standin.Root()
	if err != nil {
		return nil, err
	}
	kit, err := rig.Build(ctx, filepath.Join(root, "build", "crash"+rig.Flavour), providersOf(o.target)...)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "crash-")
	if err != nil {
		return nil, err
	}
	sum := newTotal(o, out, dir)
	numbers := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return deal(ctx, o, numbers) })
	for i := range min(o.lanes, o.cycles) {
		group.Go(func() error { return runLane(ctx, o, kit, dir, i+1, numbers, sum) })
	}
	err = group.Wait()
	if err == nil && sum.violations() == 0 && !o.keep {
		return sum, os.RemoveAll(dir)
	}
	_, _ = fmt.Fprintf(out, "logs and databases stay in %s\n", dir)
	return sum, err
}

func providersOf(target string) []string {
	if target == targetNoop {
		return []string{"noop"}
	}
	return []string{"aws", "github"}
}

// deal hands out the numbers of the cycles.
func deal(ctx context.Context, o options, numbers chan<- int) error {
	defer close(numbers)
	for i := range o.cycles {
		select {
		case numbers <- o.first + i:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func runLane(ctx context.Context, o options, kit *rig.Kit, dir string, number int, numbers <-chan int, sum *total) (err error) {
	l := &lane{
		options: o, number: number, dir: filepath.Join(dir, "lane-"+strconv.Itoa(number)),
		suffix: strconv.FormatUint(rand.Uint64N(1<<24), 36), sealers: map[string]*rig.Sealer{}, paces: map[string]pace{},
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	if err := l.open(ctx, kit); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	calm := newCycle(l, 0)
	calm.calm = true
	if err := sum.add(ctx, calm); err != nil {
		return fmt.Errorf("an undisturbed deployment: %w", err)
	}
	for n := range numbers {
		if err := sum.add(ctx, newCycle(l, n)); err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) open(ctx context.Context, kit *rig.Kit) (err error) {
	if l.options.target == targetNoop {
		l.world, err = newShelf(l.dir)
	} else {
		l.world, err = newClouds(ctx, nil)
	}
	if err != nil {
		return err
	}
	l.host, err = rig.StartHost(ctx, rig.HostOptions{Kit: kit, Dir: l.dir, Settings: l.world.Settings()})
	return err
}

func (l *lane) close() error {
	defer l.world.Close()
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	if err := l.host.Stop(ctx); err != nil {
		l.host.Kill()
		return fmt.Errorf("lane %d: the host did not end well: %w", l.number, err)
	}
	if err := errors.Join(audit(ctx, l.host.DataDir), l.host.CheckLog()); err != nil {
		return fmt.Errorf("lane %d: %w", l.number, err)
	}
	return nil
}

// start starts a host that was killed.
func (l *lane) start(ctx context.Context) error { return l.host.Start(ctx) }

// crashesMost is below the number at which a host gives a provider up for a while.
const crashesMost = 3

// refresh starts the host anew before it would give up a provider that was killed too often: that is its duty, and would end
// the cycle.
func (l *lane) refresh(ctx context.Context) error {
	list, err := l.host.Client.Providers(ctx)
	if err != nil {
		return err
	}
	for _, provider := range list.Providers {
		if provider.Restarts < crashesMost {
			continue
		}
		if err := l.host.Stop(ctx); err != nil {
			return fmt.Errorf("stop the host: %w", err)
		}
		return l.start(ctx)
	}
	return nil
}

func (l *lane) sealer(ctx context.Context, provider string) (*rig.Sealer, error) {
	if known := l.sealers[provider]; known != nil {
		return known, nil
	}
	sealer, err := rig.NewSealer(ctx, l.host.Client, provider)
	if err == nil {
		l.sealers[provider] = sealer
	}
	return sealer, err
}
