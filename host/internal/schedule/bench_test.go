package schedule_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
)

// instant completes everything at once, each operation a time or two of waiting first where it is told to.
type instant struct {
	run     *execution.Run
	retries bool
	tried   map[string]bool
}

func (w *instant) Note(execution.Event) error     { return nil }
func (w *instant) Peek(read func(*execution.Run)) { read(w.run) }
func (w *instant) waits(id string) bool           { return w.retries && !w.tried[id] }
func (w *instant) end(status execution.Status) execution.Event {
	return execution.Event{Kind: execution.Ended, Status: status, RetryAt: time.Now().Add(time.Millisecond)}
}

func (w *instant) Perform(_ context.Context, operation *plan.Operation) (execution.Event, error) {
	if w.waits(operation.ID) {
		w.tried[operation.ID] = true
		return w.end(execution.Pending), nil
	}
	return w.end(execution.Completed), nil
}

// BenchmarkRun: what an operation costs must not grow with how many there are, nor with how many of them wait for another try.
func BenchmarkRun(b *testing.B) {
	for _, retries := range []bool{false, true} {
		for _, n := range []int{100, 1000, 10_000} {
			b.Run(fmt.Sprintf("operations=%d,retries=%v", n, retries), func(b *testing.B) {
				var edges [][2]int
				for i := 10; i < n; i++ {
					edges = append(edges, [2]int{i - 10, i})
				}
				if retries {
					edges = nil // all of them wait at once
				}
				p := planOf(b, n, edges...)
				for b.Loop() {
					w := &instant{run: execution.NewRun("r", ids(p)), retries: retries, tried: map[string]bool{}}
					limit := schedule.Options{Limit: 1}
					status, err := schedule.Run(context.Background(), context.Background(), p, w, w, limit)
					require.NoError(b, err)
					require.Equal(b, execution.RunCompleted, status)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/operation")
			})
		}
	}
}
