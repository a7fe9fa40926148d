//go:build planted

package simulate

import (
	"flag"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/invariant"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
)

var patience = flag.Int("patience", 1500, "how many seeds may miss a planted fault")

// TestEveryPlantedFaultIsFound puts each fault into the program, one after the other, and simulates until an invariant breaks.
func TestEveryPlantedFaultIsFound(t *testing.T) {
	lab, err := NewLab(t.Context(), t.TempDir())
	require.NoError(t, err)
	for _, bug := range planted.Bugs() {
		t.Run(string(bug), func(t *testing.T) {
			planted.Plant(bug)
			defer planted.Plant("")
			caught, seeds := hunt(t, lab)
			require.NotEmpty(t, caught, "nothing broke in %d seeds", seeds)
			t.Logf("caught by %v after %d seeds: %s", caught[0].Invariant, seeds, caught[0].Text)
			note(func(total *totals) {
				total.Planted = append(total.Planted, catch{string(bug), string(caught[0].Invariant), seeds})
			})
		})
	}
}

// hunt simulates seed after seed, as many at once as there are processors, until one breaks an invariant.
func hunt(t *testing.T, lab *Lab) (caught []invariant.Violation, seeds int) {
	for at := 0; at < *patience && len(caught) == 0; at += runtime.GOMAXPROCS(0) {
		var mu sync.Mutex
		t.Run("seeds", func(t *testing.T) {
			for i := range runtime.GOMAXPROCS(0) {
				t.Run("seed", func(t *testing.T) {
					t.Parallel()
					dir := memory(t)
					synctest.Test(t, func(t *testing.T) {
						report, err := lab.Run(t.Context(), *first+uint64(at+i), dir)
						require.NoError(t, err)
						mu.Lock()
						defer mu.Unlock()
						caught, seeds = append(caught, report.Violations...), seeds+1
					})
				})
			}
		})
	}
	return caught, seeds
}
