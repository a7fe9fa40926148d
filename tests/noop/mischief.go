package noop

import (
	"context"
	"os"
	"slices"
	"strings"
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
	Fail        string `json:"fail,omitempty" jsonschema_description:"Kind of error that each verb answers with, before it writes."`
	FailTimes   int    `json:"fail_times,omitempty" jsonschema:"minimum=0" jsonschema_description:"How often it fails; 0 for always."`
	Crash       string `json:"crash,omitempty" jsonschema:"enum=before_write,enum=after_write,enum=after_made" jsonschema_description:"Where a create ends the process."`
	CrashTimes  int    `json:"crash_times,omitempty" jsonschema:"minimum=0" jsonschema_description:"How often it crashes, counted on disk; 0 for once."`
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
	if m.Fail == "" {
		return nil
	}
	if m.FailTimes > 0 {
		times, err := s.count(place, "fail")
		if err != nil || times > m.FailTimes {
			return err
		}
	}
	return provider.Errorf(contract.Kind(m.Fail), "it was told to fail")
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
