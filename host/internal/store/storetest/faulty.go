package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// ErrInjected is what a fault answers that names no error of its own.
var ErrInjected = errors.New("injected fault")

// Fault makes calls fail, or wait.
type Fault struct {
	// Method that it is for, "" for any.
	Method string
	// Call is the first call of the method that it hits, counted from 1 at the time the fault is armed; 0 is the next.
	Call int
	// Times is how many calls in a row it hits: 0 is one, Forever all.
	Times int
	// Delay is waited before the call, or until its context ends.
	Delay time.Duration
	// Fail says when the call fails, and Err with what: ErrInjected when nil.
	Fail Moment
	Err  error
}

// Forever is the Times of a fault that lasts.
const Forever = -1

// Moment says when a call fails.
type Moment int

// The moments. After: the call was done, and its answer is lost.
const (
	Never Moment = iota
	Before
	After
)

// FaultyStore is a store whose calls fail when told to. It is safe for concurrent use.
type FaultyStore struct {
	inner store.Store

	mu    sync.Mutex
	armed []*armed
	calls map[string]int
}

var _ store.Store = (*FaultyStore)(nil)

// armed is a fault, and how many matching calls it has seen.
type armed struct {
	Fault
	seen int
}

// Faulty wraps a store. With no fault armed it changes nothing.
func Faulty(inner store.Store, faults ...Fault) *FaultyStore {
	f := &FaultyStore{inner: inner, calls: map[string]int{}}
	f.Arm(faults...)
	return f
}

// Arm adds faults.
func (f *FaultyStore) Arm(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range faults {
		fault.Call = max(fault.Call, 1)
		fault.Times = max(fault.Times, Forever)
		if fault.Times == 0 {
			fault.Times = 1
		}
		if fault.Err == nil {
			fault.Err = ErrInjected
		}
		f.armed = append(f.armed, &armed{Fault: fault})
	}
}

// Disarm takes all faults away.
func (f *FaultyStore) Disarm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = nil
}

// Calls counts the calls of a method, "" of all.
func (f *FaultyStore) Calls(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

// hit counts a call, and gives the faults that hit it.
func (f *FaultyStore) hit(method string) []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[method]++
	f.calls[""]++
	var hits []Fault
	for _, a := range f.armed {
		if a.Method != "" && a.Method != method {
			continue
		}
		a.seen++
		if a.seen >= a.Call && (a.Times == Forever || a.seen < a.Call+a.Times) {
			hits = append(hits, a.Fault)
		}
	}
	return hits
}

// call makes one call of the inner store under the faults that hit it.
func call[T any](ctx context.Context, f *FaultyStore, method string, do func() (T, error)) (T, error) {
	var none T
	hits := f.hit(method)
	for _, fault := range hits {
		if err := wait(ctx, fault.Delay); err != nil {
			return none, err
		}
		if fault.Fail == Before {
			return none, fault.Err
		}
	}
	answer, err := do()
	for _, fault := range hits {
		if fault.Fail == After {
			return none, fault.Err
		}
	}
	return answer, err
}

func wait(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// do is call for a method without an answer.
func (f *FaultyStore) do(ctx context.Context, method string, do func() error) error {
	_, err := call(ctx, f, method, func() (struct{}, error) { return struct{}{}, do() })
	return err
}
