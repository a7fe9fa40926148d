package serve_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
)

// dial connects as a host without go-plugin does.
func dial(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	options := append(remote.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(address, options...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// BenchmarkExecute is what one operation costs between host and provider, both processes together.
func BenchmarkExecute(b *testing.B) {
	p := start(b, "noop").provider
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := strconv.FormatInt(next.Add(1), 36)
			result, err := p.Execute(context.Background(), request("noop:fast", id, `{}`), func(contract.Event) {})
			require.NoError(b, err)
			require.Equal(b, contract.OutcomeApplied, result.Outcome)
		}
	})
}
