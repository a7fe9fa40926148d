// Command crash kills a host, its providers or its database, or stops one of two hosts for a while, at random moments of real
// deployments, starts again what is dead, goes on with what was interrupted, and judges what is left from outside: by what the stand-ins hold, by the events that the host serves, and by its
// store. Nothing may be orphaned, made twice, lost after it was acknowledged, or called done that is not.
//
// Moments and deployments follow from the seed; how far a run is at such a moment depends on the machine, so that a seed leads
// to the same kind of accident, not always to the same one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

// options are the command's flags.
type options struct {
	cycles, first, lanes int
	seed                 uint64
	target, store        string
	victim               string
	keep                 bool
	timeout              time.Duration
	figures              string
}

// The targets and victims that can be chosen.
const (
	anything       = "all"
	targetMoto     = "moto"
	targetNoop     = "noop"
	victimHost     = "host"
	victimProvider = "provider"
	victimBoth     = "both"
	// victimDatabase is the server that keeps the store.
	victimDatabase = "database"
	// victimFrozen is a host that is stopped for longer than its lease, and then goes on as if nothing had been.
	victimFrozen = "freeze"
)

var (
	targets = []string{anything, targetMoto, targetNoop}
	stores  = []string{anything, storeSQLite, storePostgres, storeShared}
	victims = []string{anything, victimBoth, victimHost, victimProvider, victimDatabase, victimFrozen}
)

var errUsage = errors.New("see -help")

func parse(arguments []string) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	flags.IntVar(&o.cycles, "cycles", 50, "how many deployments to disturb")
	flags.IntVar(&o.first, "first", 1, "number of the first one, to come back to a cycle that failed")
	flags.IntVar(&o.lanes, "lanes", 4, "how many lanes, each with its own hosts, store and stand-ins, run side by side")
	flags.Uint64Var(&o.seed, "seed", 0, "what chance follows from; drawn when 0")
	flags.StringVar(&o.target, "target", anything, "what is deployed to: moto (with the GitHub fake), noop, or all, by lane")
	flags.StringVar(&o.store, "store", anything, "where the books are kept: sqlite, postgres, shared (postgres with two hosts), or all, by lane")
	flags.StringVar(&o.victim, "victim", anything, "what is killed: host, provider, both, database, freeze (a host, for a while), or all that the store allows")
	flags.BoolVar(&o.keep, "keep", false, "keep directories also when all is well")
	flags.StringVar(&o.figures, "figures", "", "file that the sums are written to, as JSON")
	flags.DurationVar(&o.timeout, "timeout", 3*time.Hour, "bound on the whole")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1<<32) + 1
	}
	known := slices.Contains(targets, o.target) && slices.Contains(stores, o.store) && slices.Contains(victims, o.victim)
	if !known || o.cycles < 1 || o.lanes < 1 || len(lineup(o)) == 0 {
		return o, errUsage
	}
	return o, nil
}

// run is the program; its answer is the exit status.
func run(arguments []string, out io.Writer) int {
	o, err := parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, "crash:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	total, err := torment(ctx, o, out)
	if total != nil {
		total.print(out)
		err = errors.Join(err, total.write(o.figures))
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintln(out, "crash:", err)
		return 1
	case total.violations() > 0:
		return 1
	default:
		return 0
	}
}
