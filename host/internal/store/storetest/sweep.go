package storetest

import (
	"fmt"
	"testing"
)

// Sweep has each call of the store that something makes fail once, before it is done and after, so that its answer is lost. do does
// it over a store of its own with one fault armed, requires that it comes to the same end all the same, and gives how many calls it
// made; the first time it is given a fault that never hits, and those calls are the ones that fail in turn.
func Sweep(t *testing.T, do func(t *testing.T, fault Fault) (calls int)) {
	calls := 0
	if !t.Run("no fault", func(t *testing.T) { calls = do(t, Fault{Fail: Never}) }) {
		return
	}
	for moment, name := range map[Moment]string{Before: "fails", After: "loses its answer"} {
		for k := range calls {
			t.Run(fmt.Sprintf("call %d %s", k+1, name), func(t *testing.T) { do(t, Fault{Call: k + 1, Fail: moment}) })
		}
	}
}
