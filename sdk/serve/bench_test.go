package serve_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// BenchmarkExecute is what one operation costs between host and provider, both processes together.
func BenchmarkExecute(b *testing.B) {
	p, _, _ := start(b)
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := strconv.FormatInt(next.Add(1), 36)
			result, err := p.Execute(context.Background(), request(id), func(contract.Event) {})
			require.NoError(b, err)
			require.Equal(b, contract.OutcomeApplied, result.Outcome)
		}
	})
}
