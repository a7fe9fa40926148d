package simulate

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

var (
	seeds = flag.Int("seeds", usualSeeds, "how many seeds to simulate")
	first = flag.Uint64("seed", 1, "the first of them")
)

func TestSimulate(t *testing.T) {
	lab, err := NewLab(t.Context(), t.TempDir())
	require.NoError(t, err)
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			t.Parallel()
			dir := memory(t)
			synctest.Test(t, func(t *testing.T) {
				report, err := lab.Run(t.Context(), seed, dir)
				require.NoError(t, err)
				add(report)
				for _, v := range report.Violations {
					t.Errorf("%s", v)
				}
				if t.Failed() {
					t.Logf("%s\nrun it again, some times over since not all of it is drawn from the seed:\n"+
						"go test ./host/internal/simulate -run TestSimulate -seeds 1 -seed %d -count 20", report.Story, seed)
				}
			})
		})
	}
}

// memory is a directory that needs no disk, where the machine has one.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "simulate-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}
