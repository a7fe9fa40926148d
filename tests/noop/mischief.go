package noop

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Where a thing can make its process end.
const (
	crashBeforeWrite = "before_write"
	crashAfterWrite  = "after_write"
	crashAfterMade   = "after_made"
)

// exitCrashed is the status of a process that was told to crash.
const exitCrashed = 70

// Mischief is what a thing can be told to do wrong.
type Mischief struct {
	SleepMS     int    `json:"sleep_ms,omitempty" jsonschema:"minimum=0" jsonschema_description:"How long each verb takes."`
	DeafMS      int    `json:"deaf_ms,omitempty" jsonschema:"minimum=0" jsonschema_description:"How long each verb does nothing first, and hears of no cancellation."`
	Fail        string `json:"fail,omitempty" jsonschema_description:"Kind of error that each verb answers with, before it writes."`
	FailTimes   int    `json:"fail_times,omitempty" jsonschema:"minimum=0" jsonschema_description:"How often it fails; 0 for always."`
	Crash       string `json:"crash,omitempty" jsonschema:"enum=before_write,enum=after_write,enum=after_made" jsonschema_description:"Where a create ends the process."`
	CrashTimes  int    `json:"crash_times,omitempty" jsonschema:"minimum=0" jsonschema_description:"How often it crashes, counted on disk; 0 for once."`
	RetryAfter  int    `json:"retry_after_ms,omitempty" jsonschema:"minimum=0" jsonschema_description:"How long a failure asks for patience."`
	Lag         int    `json:"inconclusive_times,omitempty" jsonschema:"minimum=0" jsonschema_description:"How many searches see nothing, and say that they may lag."`
	Twins       int    `json:"ambiguous_times,omitempty" jsonschema:"minimum=0" jsonschema_description:"How many searches see each thing twice."`
	LateMS      int    `json:"late_ms,omitempty" jsonschema:"minimum=0" jsonschema_description:"The answer of the first create is lost, and what it writes is there only this much later."`
	StderrBytes int    `json:"stderr_bytes,omitempty" jsonschema:"minimum=0" jsonschema_description:"How much is printed to standard error first."`
}

// validate refuses kinds that do not exist.
func (m Mischief) validate() []provider.Diagnostic {
	if m.Fail == "" || slices.Contains(contract.Kinds(), contract.Kind(m.Fail)) {
		return nil
	}
	return []provider.Diagnostic{{Kind: provider.InvalidInput, Summary: "there is no such kind of error", Pointer: "/fail"}}
}

// before is what every verb does before it works.
func (m Mischief) before(s shelf, place string) error {
	if m.StderrBytes > 0 {
		_, _ = os.Stderr.WriteString(strings.Repeat("noise in standard error, line by line\n", m.StderrBytes/38+1))
	}
	time.Sleep(time.Duration(m.DeafMS) * time.Millisecond)
	if m.Fail == "" {
		return nil
	}
	if m.FailTimes > 0 {
		times, err := s.count(place, "fail")
		if err != nil || times > m.FailTimes {
			return err
		}
	}
	told := provider.Errorf(contract.Kind(m.Fail), "it was told to fail")
	told.RetryAfter = time.Duration(m.RetryAfter) * time.Millisecond
	return told
}

// late is what was written, and is not there yet.
type late struct {
	mu      sync.Mutex
	pending map[string]int
}

// add changes how much is on its way to a place, and says how much is.
func (l *late) add(place string, n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending == nil {
		l.pending = map[string]int{}
	}
	l.pending[place] += n
	return l.pending[place]
}

// loses loses the answer of a create, once, if it was told to; the error is what the caller is left with.
func (m Mischief) loses(c *client, place string, it item) (bool, error) {
	if m.LateMS == 0 {
		return false, nil
	}
	if times, err := c.shelf.count(place, "late"); err != nil || times > 1 {
		return false, err
	}
	c.late.add(place, 1)
	time.AfterFunc(time.Duration(m.LateMS)*time.Millisecond, func() {
		_ = c.shelf.put(place, it)
		c.late.add(place, -1)
	})
	return true, provider.Errorf(provider.Network, "the answer was lost")
}

// search lists what is at a place, as far as it is told to see it. While something is on its way there, no search is sure.
func (m Mischief) search(c *client, place string) ([]item, error) {
	if m.Lag > 0 {
		switch times, err := c.shelf.count(place, "lag"); {
		case err != nil:
			return nil, err
		case times <= m.Lag:
			return nil, provider.Inconclusive(time.Second)
		}
	}
	onTheWay := c.late.add(place, 0) > 0
	all, err := c.shelf.list(place)
	switch {
	case err == nil && len(all) == 0 && onTheWay:
		return nil, provider.Inconclusive(time.Second)
	case err != nil || m.Twins == 0 || len(all) == 0:
		return all, err
	}
	if times, err := c.shelf.count(place, "twins"); err != nil || times > m.Twins {
		return all, err
	}
	twin := all[0]
	twin.ID += "-twin"
	return append(all, twin), nil
}

// sleep takes its time.
func (m Mischief) sleep(ctx context.Context) error {
	if m.SleepMS == 0 {
		return nil
	}
	select {
	case <-time.After(time.Duration(m.SleepMS) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// crashes ends the process when it was told to crash here, and has not done so often enough.
func (m Mischief) crashes(s shelf, place, where string) error {
	if m.Crash != where {
		return nil
	}
	times, err := s.count(place, "crash")
	if err != nil || times > max(m.CrashTimes, 1) {
		return err
	}
	os.Exit(exitCrashed)
	return nil
}
