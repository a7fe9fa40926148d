package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// BenchmarkCommit commits batches of ends of operations, each with its placement, on a server that syncs.
func BenchmarkCommit(b *testing.B) {
	server, err := pgserver.Start(b.Context(), pgserver.Options{Fsync: true})
	require.NoError(b, err)
	b.Cleanup(server.Stop)
	s := open(b, server.Schema(b))
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	used := 0
	for _, size := range []int{1, 16, 256, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			used++
			run := begin(b, s, used*100, 1000, time.Hour)
			events := 0
			for b.Loop() {
				writes := make([]store.Write, size)
				for i := range writes {
					writes[i] = run.write()
				}
				commit(b, s, writes...)
				events += size
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
