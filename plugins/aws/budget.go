package aws

import (
	"context"
	"time"
)

// budget bounds the short waits that AWS needs inside one operation: pauses double up to longest, and their sum stays within
// total. It counts pauses instead of reading a clock, so that a test without waiting sees the same.
type budget struct {
	first, longest, total time.Duration
	message               string
}

// retry calls until it succeeds, fails with what again does not accept, or the budget is used up; the last error is returned.
func (b budget) retry(ctx context.Context, wait pause, progress func(float64, string), again func(error) bool, call func() error) error {
	delay, spent := b.first, time.Duration(0)
	for {
		err := call()
		if err == nil || !again(err) || spent+delay > b.total {
			return err
		}
		progress(-1, b.message)
		if waitErr := wait(ctx, delay); waitErr != nil {
			return waitErr
		}
		spent += delay
		if delay *= 2; b.longest > 0 && delay > b.longest {
			delay = b.longest
		}
	}
}
