package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// ways are how a move is brought to its end after its host died: all of them have to lead to one region or the other.
var ways = map[string]func(h *house, graphID string) (forward bool){
	"by its graph": func(h *house, graphID string) bool {
		require.True(h.t, h.move(&rest.MoveRequest{GraphID: graphID}).Success)
		return true
	},
	"by asking for the same": func(h *house, _ string) bool {
		request := toTheWest()
		request.DeleteAfterVerify = true
		require.True(h.t, h.move(request).Success)
		return true
	},
	"by continue": func(h *house, graphID string) bool {
		result, err := h.engine.Continue(h.t.Context(), h.caller, &rest.ContinueRequest{GraphID: graphID, Credentials: noCredentials})
		require.NoError(h.t, err)
		require.True(h.t, h.wait(result).Success)
		return true
	},
	"by discard": func(h *house, graphID string) bool {
		result, err := h.engine.DiscardMove(h.t.Context(), h.caller, graphID, &rest.MoveEndRequest{Credentials: noCredentials})
		if err != nil {
			h.refused(engine.Conflict, err)
			require.Equal(h.t, graphID, h.head().HeadGraphID, "only what is committed goes forward only")
			require.True(h.t, h.commit(graphID).Success)
			return true
		}
		require.True(h.t, h.wait(result).Success)
		return false
	},
}

// deaths are the calls of the store in which a host dies: from then on it keeps nothing any more.
var deaths = map[string]storetest.Moment{"Commit": storetest.Before, "CreateRun": storetest.After, "AcquireRun": storetest.Before}

// TestAMoveSurvivesItsHost: the host dies between any two commits of a move. Nothing is made twice or left behind, and the head is
// the old one or the new one.
func TestAMoveSurvivesItsHost(t *testing.T) {
	onward := slices.Sorted(maps.Keys(ways))
	for method, fail := range deaths {
		for call, alive := 1, false; !alive; call++ {
			// Each death is survived in two ways: back, where that is still possible, and by one of those that lead onward.
			for _, way := range []string{"by discard", onward[call%len(onward)]} {
				end := ways[way]
				t.Run(fmt.Sprintf("%s/%s %d", way, method, call), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h := build(t)
						first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
						moved := h.dyingMove(storetest.Fault{Method: method, Call: call, Times: storetest.Forever, Fail: fail})
						alive = moved.Success
						want, region := moved.GraphID, "eu-west-1"
						if !end(h, moved.GraphID) {
							want, region = first.GraphID, "us-east-1"
						}
						require.Equal(t, want, h.head().HeadGraphID)
						h.standsIn(region)
						require.True(t, h.verified(want))
						require.True(t, h.destroyedBy(&rest.DestroyRequest{DeploymentID: "app"}).Success)
						require.Zero(t, h.outside())
					})
				})
			}
		}
	}
}

// dyingMove begins a move that commits by itself, has the host die, and starts another one. It says how the move then stands.
func (h *house) dyingMove(fault storetest.Fault) *rest.RunResult {
	h.faults.Arm(fault)
	request := toTheWest()
	request.Credentials, request.DeleteAfterVerify = noCredentials, true
	begun, err := h.engine.Move(h.t.Context(), h.caller, request)
	if err == nil {
		_ = h.engine.Wait(h.t.Context(), h.caller, begun.RunID) // it dies with its host
	}
	h.restart()
	runs, err := h.engine.Runs(h.t.Context(), h.caller, rest.RunsQuery{ListQuery: rest.ListQuery{Limit: 1}})
	require.NoError(h.t, err)
	result, err := h.engine.Result(h.t.Context(), h.caller, runs.Runs[0].RunID)
	require.NoError(h.t, err)
	require.Equal(h.t, "move", result.Kind)
	return result
}

// TestADiscardSurvivesItsHost: the same for the way back.
func TestADiscardSurvivesItsHost(t *testing.T) {
	for method, fail := range deaths {
		for call, alive := 1, false; !alive; call++ {
			t.Run(fmt.Sprintf("%s %d", method, call), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := build(t)
					first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
					held := h.move(toTheWest())
					h.faults.Arm(storetest.Fault{Method: method, Call: call, Times: storetest.Forever, Fail: fail})
					begun, err := h.engine.DiscardMove(t.Context(), h.caller, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
					if err == nil {
						err = h.engine.Wait(t.Context(), h.caller, begun.RunID)
					}
					alive = err == nil
					h.restart()
					_, err = h.engine.CommitMove(t.Context(), h.caller, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
					h.refused(engine.Conflict, err)
					require.True(t, h.discard(held.GraphID).Success)
					require.Equal(t, first.GraphID, h.head().HeadGraphID)
					h.standsIn("us-east-1")
				})
			})
		}
	}
}

// TestAMoveThatFails is gone on with, or discarded, from where it failed.
func TestAMoveThatFails(t *testing.T) {
	for way, end := range map[string]func(*house, string) bool{"forward": ways["by its graph"], "back": ways["by discard"]} {
		t.Run(way, func(t *testing.T) {
			h := build(t)
			first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
			h.plugins.breakWith(times(9, "secret", lost))
			request := toTheWest()
			request.DeleteAfterVerify = true
			failed := h.move(request)
			require.Equal(t, rest.RunFailed, failed.Status)
			require.Equal(t, "secret", failed.FailedOperation.ResourceID)
			require.Equal(t, rest.MoveMaking, failed.Move.Phase)
			require.Equal(t, first.GraphID, h.head().HeadGraphID)
			_, err := h.engine.CommitMove(t.Context(), h.caller, failed.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
			h.refused(engine.Conflict, err)
			h.plugins.breakWith(nil)
			if end(h, failed.GraphID) {
				h.standsIn("eu-west-1")
			} else {
				h.standsIn("us-east-1")
			}
		})
	}
}

// TestACancelledMoveIsDiscarded: what it made is not left to nobody.
func TestACancelledMoveIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
		h.plugins.hang("secret")
		request := toTheWest()
		request.Credentials = noCredentials
		begun, err := h.engine.Move(t.Context(), h.caller, request)
		require.NoError(t, err)
		time.Sleep(time.Second)
		_, err = h.engine.DiscardMove(t.Context(), h.caller, begun.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
		h.refused(engine.Conflict, err)
		require.Equal(t, rest.RunCancelled, h.cancel(begun.RunID, 0).Status)
		h.plugins.hang("")
		_, err = h.engine.Move(t.Context(), h.caller, &rest.MoveRequest{GraphID: begun.GraphID, Credentials: noCredentials})
		h.refused(engine.Conflict, err)
		require.True(t, h.discard(begun.GraphID).Success)
		h.standsIn("us-east-1")
	})
}

// TestAMoveToAnotherAccountSurvivesItsHost as one inside an account does: it ends there or here, and so does what is pinned.
func TestAMoveToAnotherAccountSurvivesItsHost(t *testing.T) {
	for call, alive := 1, false; !alive; call++ {
		t.Run(fmt.Sprintf("commit %d", call), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
				h.faults.Arm(storetest.Fault{Method: "Commit", Call: call, Times: storetest.Forever, Fail: storetest.Before})
				request := &rest.MoveRequest{DeploymentID: "app", Credentials: noCredentials, ToCredentials: otherAccount, DeleteAfterVerify: true}
				if begun, err := h.engine.Move(t.Context(), h.caller, request); err == nil {
					_ = h.engine.Wait(t.Context(), h.caller, begun.RunID) // it dies with its host
				}
				h.restart()
				runs, err := h.engine.Runs(t.Context(), h.caller, rest.RunsQuery{ListQuery: rest.ListQuery{Limit: 1}})
				require.NoError(t, err)
				alive = runs.Runs[0].Status == rest.RunCompleted
				want, account := runs.Runs[0].GraphID, "other"
				if call%2 == 0 && h.head().HeadGraphID == first.GraphID {
					want, account = first.GraphID, "noop"
					require.True(t, h.endAway(func(r *rest.MoveEndRequest) (*rest.RunResult, error) {
						return h.engine.DiscardMove(t.Context(), h.caller, runs.Runs[0].GraphID, r)
					}).Success)
				} else if !alive {
					require.True(t, h.move(request).Success)
				}
				require.Equal(t, want, h.head().HeadGraphID)
				require.Equal(t, account, h.accountsPinned())
				h.standsIn("us-east-1")
			})
		})
	}
}
