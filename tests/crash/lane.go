package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// variety is what a lane works on.
type variety struct{ store, target string }

// lineups are the varieties, in the order in which lanes take them up.
var lineups = []variety{
	{storeSQLite, targetMoto}, {storePostgres, targetMoto}, {storeShared, targetNoop}, {storeShared, targetMoto},
	{storeSQLite, targetNoop}, {storePostgres, targetNoop},
}

// lineup is those that the options leave, and that have what is to be killed.
func lineup(o options) []variety {
	return slices.DeleteFunc(slices.Clone(lineups), func(v variety) bool {
		return o.store != anything && o.store != v.store || o.target != anything && o.target != v.target ||
			o.victim == victimFrozen && v.store != storeShared || o.victim == victimDatabase && v.store == storeSQLite
	})
}

// lane is one host, or two that share a store, with a world of its own, which goes through one cycle after the other.
type lane struct {
	variety
	options options
	number  int
	dir     string
	suffix  string
	world   world
	books   *database
	// host is the one that is asked, other the second where there are two.
	host, other *rig.Host
	// asleep is the host that was stopped and does not know yet, nil for none.
	asleep  *sleeper
	sealers map[string]*rig.Sealer
	paces   map[string]pace
}

// torment runs all cycles, lanes side by side, and stops at the first that finds something.
func torment(ctx context.Context, o options, out io.Writer) (*total, error) {
	_, _ = fmt.Fprintf(out, "seed %d: %d cycles against %s, stores %s, victims %s, %d lanes\n",
		o.seed, o.cycles, o.target, o.store, o.victim, o.lanes)
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
	switch target {
	case targetNoop:
		return []string{"noop"}
	case targetMoto:
		return []string{"aws", "github"}
	default:
		return []string{"noop", "aws", "github"}
	}
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
	works := lineup(o)
	l := &lane{
		variety: works[(number-1)%len(works)], options: o, number: number, dir: filepath.Join(dir, "lane-"+strconv.Itoa(number)),
		suffix: strconv.FormatUint(rand.Uint64N(1<<24), 36), sealers: map[string]*rig.Sealer{}, paces: map[string]pace{},
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.open(ctx, kit); err != nil {
		return fmt.Errorf("open a lane of %s: %w", l.store, err)
	}
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
	if l.target == targetNoop {
		l.world, err = newShelf(l.dir)
	} else {
		l.world, err = newClouds(ctx, nil)
	}
	if err != nil {
		return err
	}
	books, err := openDatabase(ctx, l.store, l.dir)
	if err != nil {
		return err
	}
	l.books = books
	if l.host, err = l.startHost(ctx, kit, "a"); err != nil || l.store != storeShared {
		return err
	}
	if err := shareKeys(filepath.Join(l.dir, "a"), filepath.Join(l.dir, "b")); err != nil {
		return err
	}
	l.other, err = l.startHost(ctx, kit, "b")
	return err
}

func (l *lane) startHost(ctx context.Context, kit *rig.Kit, name string) (*rig.Host, error) {
	dir := filepath.Join(l.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	host, err := rig.NewHost(rig.HostOptions{Kit: kit, Dir: dir, Settings: l.world.Settings(), Config: l.books.config()})
	if err != nil {
		return nil, err
	}
	return host, host.Start(ctx)
}

// shareKeys gives a host the providers' keys of another, as an operator does where hosts share a store.
func shareKeys(from, to string) error {
	keys, err := filepath.Glob(filepath.Join(from, "data", "keys", "*"))
	into := filepath.Join(to, "data", "keys")
	if err = errors.Join(err, os.MkdirAll(into, 0o700)); err != nil {
		return err
	}
	for _, key := range keys {
		content, err := os.ReadFile(key)
		if err = errors.Join(err, os.WriteFile(filepath.Join(into, filepath.Base(key)), content, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) hosts() []*rig.Host {
	return slices.DeleteFunc([]*rig.Host{l.host, l.other}, func(h *rig.Host) bool { return h == nil })
}

// close gives back all that open has taken, also where it did not come to its end.
func (l *lane) close() (err error) {
	if l.world != nil {
		defer l.world.Close()
	}
	if l.books == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	defer func() { err = errors.Join(err, l.books.close(ctx)) }()
	l.asleep.wake()
	for _, host := range l.hosts() {
		if stopped := host.Stop(ctx); stopped != nil {
			host.Kill()
			err = errors.Join(err, fmt.Errorf("lane %d: the host did not end well: %w", l.number, stopped))
		}
		err = errors.Join(err, host.CheckLog())
	}
	if err != nil || l.host == nil {
		return err
	}
	if err := l.books.books(l.host.DataDir).audit(ctx); err != nil {
		return fmt.Errorf("lane %d: %w", l.number, err)
	}
	return nil
}

// start starts the host that was killed; where there are two, the other one is asked from now on.
func (l *lane) start(ctx context.Context) error {
	err := l.host.Start(ctx)
	l.turn()
	return err
}

// turn has the other host asked, where there is one.
func (l *lane) turn() {
	if l.other != nil {
		l.host, l.other = l.other, l.host
	}
}

// crashesMost is below the number at which a host gives a provider up for a while.
const crashesMost = 3

// refresh starts the host anew before it would give up a provider that was killed too often: that is its duty, and would end
// the cycle.
func (l *lane) refresh(ctx context.Context) error {
	if l.asleep != nil {
		return nil // one accident at a time
	}
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
		return l.host.Start(ctx)
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
