package storetest_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
)

func faulty(t *testing.T, place string, faults ...storetest.Fault) *storetest.FaultyStore {
	inner, err := sqlite.Open(t.Context(), place, sqlite.Options{})
	require.NoError(t, err)
	return storetest.Faulty(inner, faults...)
}

// With no fault armed, it is the store that it wraps.
func TestFaultyIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, place string) store.Store { return faulty(t, place) })
}

// Every method can be made to fail, under its own name.
func TestEveryMethodFails(t *testing.T) {
	port := reflect.TypeFor[store.Store]()
	for i := range port.NumMethod() {
		method := port.Method(i)
		if method.Name == "Close" {
			continue
		}
		f := faulty(t, t.TempDir(), storetest.Fault{Method: method.Name, Fail: storetest.Before})
		arguments := []reflect.Value{reflect.ValueOf(t.Context())}
		for k := 1; k < method.Type.NumIn(); k++ {
			arguments = append(arguments, reflect.Zero(method.Type.In(k)))
		}
		called := reflect.ValueOf(f).MethodByName(method.Name)
		call := called.Call
		if method.Type.IsVariadic() {
			call = called.CallSlice
		}
		answers := call(arguments)
		require.ErrorIs(t, answers[len(answers)-1].Interface().(error), storetest.ErrInjected, method.Name)
		require.Equal(t, 1, f.Calls(method.Name))
		require.NoError(t, f.Close())
	}
}

func TestFaultsHitTheirCalls(t *testing.T) {
	own := errors.New("the disk is full")
	for name, test := range map[string]struct {
		fault storetest.Fault
		want  []error // of six calls in a row
	}{
		"next":       {storetest.Fault{Fail: storetest.Before}, []error{storetest.ErrInjected, nil, nil, nil, nil, nil}},
		"third":      {storetest.Fault{Call: 3, Fail: storetest.After, Err: own}, []error{nil, nil, own, nil, nil, nil}},
		"some":       {storetest.Fault{Call: 2, Times: 3, Fail: storetest.Before, Err: own}, []error{nil, own, own, own, nil, nil}},
		"forever":    {storetest.Fault{Call: 5, Times: storetest.Forever, Fail: storetest.Before, Err: own}, []error{nil, nil, nil, nil, own, own}},
		"another":    {storetest.Fault{Method: "Commit", Fail: storetest.Before}, make([]error, 6)},
		"only delay": {storetest.Fault{Delay: time.Microsecond}, make([]error, 6)},
	} {
		f := faulty(t, t.TempDir(), test.fault)
		for i, want := range test.want {
			_, err := f.Keys(t.Context())
			require.ErrorIs(t, err, want, "%s, call %d", name, i+1)
		}
		require.Equal(t, 6, f.Calls(""))
		require.NoError(t, f.Close())
	}
}

func TestBeforeAndAfter(t *testing.T) {
	f := faulty(t, t.TempDir())
	defer f.Close()
	for _, step := range []struct {
		moment storetest.Moment
		kept   int
	}{{storetest.Before, 0}, {storetest.After, 1}} {
		f.Arm(storetest.Fault{Method: "CreateKey", Fail: step.moment})
		require.ErrorIs(t, f.CreateKey(t.Context(), store.APIKey{Name: "n", Role: "tenant"}), storetest.ErrInjected)
		keys, err := f.Keys(t.Context())
		require.NoError(t, err)
		require.Len(t, keys, step.kept)
	}
	f.Arm(storetest.Fault{Times: storetest.Forever, Fail: storetest.Before})
	f.Disarm()
	_, err := f.Keys(t.Context())
	require.NoError(t, err)
}

func TestDelayEndsWithItsContext(t *testing.T) {
	f := faulty(t, t.TempDir(), storetest.Fault{Delay: time.Hour}, storetest.Fault{Call: 2, Delay: time.Millisecond})
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := f.Keys(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	begun := time.Now()
	_, err = f.Keys(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begun), time.Millisecond)
}
