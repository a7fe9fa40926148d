package plan_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func randomID() string {
	var id [4]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

var benchLimits = config.Limits{MaxBytes: 64 << 20, MaxResources: 50_000, MaxValues: 5_000_000}

// BenchmarkWhole is the whole way from bytes to a plan, and its three steps.
func BenchmarkWhole(b *testing.B) {
	shapes := []struct {
		name string
		of   func(n int) []byte
	}{{"wide", graphtest.Wide}, {"layers", graphtest.Layers}, {"stacks", graphtest.Stacks}}
	for _, shape := range shapes {
		for _, n := range []int{100, 1_000, 10_000, 50_000} {
			body := shape.of(n)
			b.Run(fmt.Sprintf("%s/%d/all", shape.name, n), func(b *testing.B) { benchAll(b, body, n) })
			b.Run(fmt.Sprintf("%s/%d/decode", shape.name, n), func(b *testing.B) { benchDecode(b, body, n) })
			b.Run(fmt.Sprintf("%s/%d/build", shape.name, n), func(b *testing.B) { benchBuild(b, body, n) })
			b.Run(fmt.Sprintf("%s/%d/plan", shape.name, n), func(b *testing.B) { benchPlan(b, body, n) })
		}
	}
}

// measure runs one step, and reports beside the time what of it the processor spent on this process: the figure that a busy
// machine does not change.
func measure(b *testing.B, n int, step func()) {
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		step()
	}
	spent := cpuTime() - before
	b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N)/float64(n), "cpu-us/resource")
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func benchAll(b *testing.B, body []byte, n int) {
	catalog, schemas := graphtest.NewCatalog(), &graph.Schemas{}
	measure(b, n, func() {
		built := build(b, decode(b, body), catalog, schemas)
		_, err := plan.New(built.Spec, catalog, "seed")
		require.NoError(b, err)
	})
}

func benchDecode(b *testing.B, body []byte, n int) {
	b.SetBytes(int64(len(body)))
	measure(b, n, func() { decode(b, body) })
}

func benchBuild(b *testing.B, body []byte, n int) {
	catalog, schemas, decoded := graphtest.NewCatalog(), &graph.Schemas{}, decode(b, body)
	measure(b, n, func() { build(b, decoded, catalog, schemas) })
}

func benchPlan(b *testing.B, body []byte, n int) {
	catalog := graphtest.NewCatalog()
	built := build(b, decode(b, body), catalog, &graph.Schemas{})
	measure(b, n, func() {
		_, err := plan.New(built.Spec, catalog, "seed")
		require.NoError(b, err)
	})
}

func decode(tb testing.TB, body []byte) *rest.Config {
	decoded, err := config.Decode[rest.Config](body, benchLimits)
	require.NoError(tb, err)
	return &decoded
}

func build(tb testing.TB, decoded *rest.Config, catalog graph.Catalog, schemas *graph.Schemas) *graph.Built {
	built, problems := graph.Build(graph.Input{
		Config: decoded, Catalog: catalog, GraphID: "0a0a0a0a", Version: "v1", NewID: randomID, Owner: "owner", Schemas: schemas,
		Expand: graphtest.Expand,
	})
	require.Empty(tb, problems)
	return built
}
