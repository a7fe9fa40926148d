// Package storetest is what every store must do, as one suite that each implementation runs over itself, and a wrapper that
// makes any store fail at a chosen call. It knows the port alone; what only one database has (its files, its settings, a
// process that is killed) is tested beside it.
package storetest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// Opener opens the store that lives at a place: an empty directory of the test at first, and the same store again after
// Close. A store that needs no directory takes the path for a name.
type Opener func(t *testing.T, place string) store.Store

// Run runs the whole suite, each test on stores of its own.
func Run(t *testing.T, open Opener) {
	for name, test := range map[string]func(*suite){
		"installation":             (*suite).installation,
		"keys":                     (*suite).keys,
		"digests":                  (*suite).digests,
		"provider keys":            (*suite).providerKeys,
		"graph round trip":         (*suite).graphRoundTrip,
		"graph ids":                (*suite).graphIDs,
		"resource round trip":      (*suite).resourceRoundTrip,
		"resources keep":           (*suite).resourcesKeep,
		"many resources":           (*suite).manyResources,
		"deployments by page":      (*suite).deploymentPages,
		"tenants":                  (*suite).tenants,
		"run round trip":           (*suite).runRoundTrip,
		"run of a stored graph":    (*suite).runOfStoredGraph,
		"run ids":                  (*suite).runIDs,
		"run contradicts itself":   (*suite).runContradictions,
		"one active run":           (*suite).oneActiveRun,
		"verify is exempt":         (*suite).verifyExempt,
		"supersede":                (*suite).supersede,
		"one winner":               (*suite).oneWinner,
		"head":                     (*suite).head,
		"accounts":                 (*suite).accounts,
		"lists of runs":            (*suite).runLists,
		"acquire":                  (*suite).acquire,
		"lease keeps others out":   (*suite).leaseKeepsOthersOut,
		"lease runs out":           (*suite).leaseRunsOut,
		"lease renewal":            (*suite).leaseRenewal,
		"lease ends at rest":       (*suite).leaseEndsAtRest,
		"lease of a new run":       (*suite).leaseOfNewRun,
		"lease has one winner":     (*suite).leaseHasOneWinner,
		"request to cancel":        (*suite).requestCancel,
		"graphs together":          (*suite).graphsTogether,
		"graphs of a deployment":   (*suite).graphsOf,
		"bound on active runs":     (*suite).maxActive,
		"delete a deployment":      (*suite).deleteDeployment,
		"durations":                (*suite).durations,
		"rollback records":         (*suite).rollbackRecords,
		"head moves":               (*suite).headMoves,
		"idempotency keys":         (*suite).idempotency,
		"one use of a key":         (*suite).idempotencyWinner,
		"idempotency sweep":        (*suite).idempotencySweep,
		"event round trip":         (*suite).eventRoundTrip,
		"events by page":           (*suite).eventPages,
		"fencing":                  (*suite).fencing,
		"versions":                 (*suite).versions,
		"broken rules":             (*suite).brokenRules,
		"unsayable":                (*suite).unsayable,
		"errors hold no rows":      (*suite).quietErrors,
		"status follows events":    (*suite).statusFollowsEvents,
		"second active run":        (*suite).secondActiveRun,
		"placements":               (*suite).placements,
		"placements add up":        (*suite).placementsAddUp,
		"logs":                     (*suite).logs,
		"destroyed":                (*suite).destroyed,
		"large batch":              (*suite).largeBatch,
		"ended context":            (*suite).endedContext,
		"durable":                  (*suite).durable,
		"concurrent commits":       (*suite).concurrentCommits,
		"takeover under commits":   (*suite).takeover,
		"any batches (properties)": (*suite).anyBatches,
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, open: open, place: filepath.Join(t.TempDir(), "store")}
			s.reopen()
			test(s)
		})
	}
}

// suite is one test and its store.
type suite struct {
	*testing.T
	open  Opener
	place string
	store store.Store
}

func (s *suite) ctx() context.Context { return s.Context() }

// reopen closes the store, if it is open, and opens it again.
func (s *suite) reopen() {
	if s.store != nil {
		require.NoError(s, s.store.Close())
	}
	opened := s.open(s.T, s.place)
	s.store = opened
	s.Cleanup(func() {
		if s.store == opened {
			require.NoError(s, opened.Close())
		}
	})
}

// everything is what the port can tell of the tenants' data: two of them are equal when nothing changed between.
type everything struct {
	Deployments []store.Deployment
	Resources   map[string][]store.Resource
	Runs        []store.Run
	Events      map[string]any
	Logs        map[string]any
}

func (s *suite) everything() everything {
	all := everything{Resources: map[string][]store.Resource{}, Events: map[string]any{}, Logs: map[string]any{}}
	for _, tenant := range []string{tenantA, tenantB} {
		deployments, err := s.store.Deployments(s.ctx(), tenant, store.Page{})
		require.NoError(s, err)
		all.Deployments = append(all.Deployments, deployments...)
		for _, d := range deployments {
			all.Resources[tenant+"/"+d.ID], err = s.store.Resources(s.ctx(), tenant, d.ID)
			require.NoError(s, err)
		}
		runs, err := s.store.ListRuns(s.ctx(), store.RunFilter{Tenant: tenant}, store.Page{})
		require.NoError(s, err)
		all.Runs = append(all.Runs, runs...)
	}
	for _, run := range all.Runs {
		events, err := s.store.Events(s.ctx(), run.ID, 0, 0)
		require.NoError(s, err)
		all.Events[run.ID] = events
		all.Logs[run.ID] = s.logLines(run.ID, operationA)
	}
	return all
}

// unchanged runs do, and requires that it left nothing behind.
func (s *suite) unchanged(do func()) {
	before := s.everything()
	do()
	require.Equal(s, before, s.everything())
}
