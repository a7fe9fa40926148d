package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestARunThatDidNotBeginStandsInNobodysWay: it is in the store as queued, its caller was told of an error, and no host is at work
// on it. Found by simulation.
func TestARunThatDidNotBeginStandsInNobodysWay(t *testing.T) {
	for name, faults := range map[string][]storetest.Fault{
		"the answer of its creation is lost": {{Method: "CreateRun", Fail: storetest.After}},
		"nobody may write it":                {{Method: "AcquireRun", Fail: storetest.Before, Times: 4}},
		"its token is lost":                  {{Method: "AcquireRun", Fail: storetest.After, Times: 2}},
		"its first event is not kept":        {{Method: "Commit", Fail: storetest.Before, Times: 9}},
		"nor said to be":                     {{Method: "Commit", Fail: storetest.After}, {Method: "Events", Fail: storetest.Before, Times: 9}},
		"and cannot be read either":          {{Method: "CreateRun", Fail: storetest.After}, {Method: "Run", Fail: storetest.Before, Times: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.faults.Arm(faults...)
				result, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.chain("ensure")})
				if err == nil {
					_ = h.engine.Wait(t.Context(), h.caller, result.RunID) // the store's fault is what it tells of
				}
				time.Sleep(10 * time.Minute)
				h.faults.Disarm()
				require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
			})
		})
	}
}
