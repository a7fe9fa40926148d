package aws

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pauses records waits and takes no time.
type pauses struct {
	all  []time.Duration
	fail error
}

func (p *pauses) wait(_ context.Context, d time.Duration) error {
	p.all = append(p.all, d)
	return p.fail
}

func (p *pauses) total() (sum time.Duration) {
	for _, d := range p.all {
		sum += d
	}
	return sum
}

var errAgain = errors.New("again")

func retryable(err error) bool { return errors.Is(err, errAgain) }

func silent(float64, string) {}

func TestABudgetIsKept(t *testing.T) {
	waits := &pauses{}
	limited := budget{first: time.Second, longest: 8 * time.Second, total: 60 * time.Second}
	err := limited.retry(context.Background(), waits.wait, silent, retryable, func() error { return errAgain })
	require.ErrorIs(t, err, errAgain)
	require.LessOrEqual(t, waits.total(), 60*time.Second)
	require.Greater(t, waits.total(), 45*time.Second)
	require.Equal(t, []time.Duration{1e9, 2e9, 4e9, 8e9, 8e9}, waits.all[:5])
}

func TestOnlyWhatMayHelpIsTriedAgain(t *testing.T) {
	waits, other, calls := &pauses{}, errors.New("other"), 0
	err := visible.retry(context.Background(), waits.wait, silent, retryable, func() error {
		calls++
		if calls < 3 {
			return errAgain
		}
		return other
	})
	require.ErrorIs(t, err, other)
	require.Len(t, waits.all, 2)
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	waits := &pauses{fail: context.Canceled}
	err := visible.retry(context.Background(), waits.wait, silent, retryable, func() error { return errAgain })
	require.ErrorIs(t, err, context.Canceled)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, wait(ctx, time.Hour), context.Canceled)
	require.NoError(t, wait(context.Background(), time.Nanosecond))
}
