package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// silent is a store of which nothing more is to be read.
type silent struct{ store.Store }

func (silent) Events(context.Context, string, int64, int) ([]execution.Event, error) { return nil, nil }

// TestAFollowerWhoHasReadTheLastEventIsToldOfTheEnd: between the last commit of a run and its coming to rest, a follower can have
// read all there is. No commit wakes it any more.
func TestAFollowerWhoHasReadTheLastEventIsToldOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := journal.New(silent{}, hclog.NewNullLogger())
		defer j.Stop()
		d := &drive{run: store.Run{ID: "r"}, plan: &plan.Plan{}, state: j.Open(execution.NewRun("r", nil), 1, time.Now), done: make(chan struct{})}
		stream := &EventStream{RunID: "r", engine: &Engine{store: silent{}}}
		stream.engine.recent.add(d)
		ended := make(chan bool, 1)
		go func() {
			_, done, err := stream.Next(t.Context())
			ended <- done && err == nil
		}()
		synctest.Wait()
		require.Empty(t, ended, "the run is not at rest yet")
		close(d.done)
		synctest.Wait()
		require.NotEmpty(t, ended, "it waits for a commit that never comes")
		require.True(t, <-ended)
	})
}
