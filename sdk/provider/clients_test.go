package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func TestClientsAreKeptApart(t *testing.T) {
	changes := map[string]func(*contract.CallContext){
		"tenant":      func(c *contract.CallContext) { c.Tenant = "other" },
		"account":     func(c *contract.CallContext) { c.Account = "other" },
		"region":      func(c *contract.CallContext) { c.Region = "other" },
		"credentials": func(c *contract.CallContext) { c.Credentials = json.RawMessage(`{"id":"other"}`) },
		"settings":    func(c *contract.CallContext) { c.Settings = json.RawMessage(`{"endpoint":"other"}`) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			for range 3 {
				h.run(t, execute(contract.VerbCreate))
			}
			require.Equal(t, 1, h.connects)
			request := execute(contract.VerbCreate)
			change(&request.Context)
			h.run(t, request)
			require.Equal(t, 2, h.connects)
		})
	}
}

func TestOneClientIsMadeForManyCallsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := build(t)
		h.connect = func(context.Context, provider.Access[Key, Place]) error {
			time.Sleep(time.Second)
			return nil
		}
		var group sync.WaitGroup
		for i := range 20 {
			request := execute(contract.VerbCreate)
			request.Context.IdempotencyKey = fmt.Sprint(i)
			group.Go(func() { h.run(t, request) })
		}
		group.Wait()
		require.Equal(t, 1, h.connects)
		require.Len(t, h.called, 20)
	})
}

func TestACallerWhoLeavesDoesNotSpoilTheClientForOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := build(t)
		h.connect = func(ctx context.Context, _ provider.Access[Key, Place]) error {
			time.Sleep(time.Minute - time.Second)
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		result, err := h.provider.Execute(ctx, execute(contract.VerbCreate), func(contract.Event) {})
		require.NoError(t, err)
		require.Equal(t, provider.Deadline, kind(result))
		require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
		result, _ = h.run(t, execute(contract.VerbCreate))
		require.Equal(t, contract.OutcomeApplied, result.Outcome)
		require.Equal(t, 1, h.connects)
	})
}

func TestAFailedConnectIsNotKept(t *testing.T) {
	h := build(t)
	h.connect = func(context.Context, provider.Access[Key, Place]) error {
		return provider.Errorf(provider.Unauthenticated, "no")
	}
	result, _ := h.run(t, execute(contract.VerbCreate))
	require.Equal(t, provider.Unauthenticated, kind(result))
	h.connect = nil
	result, _ = h.run(t, execute(contract.VerbCreate))
	require.Equal(t, contract.OutcomeApplied, result.Outcome)
}

func TestIdleClientsAreDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := build(t)
		h.run(t, execute(contract.VerbCreate))
		time.Sleep(9 * time.Minute)
		h.run(t, execute(contract.VerbCreate))
		require.Equal(t, 1, h.connects)
		time.Sleep(13 * time.Minute)
		h.run(t, execute(contract.VerbCreate))
		require.Equal(t, 2, h.connects)
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	h := build(t)
	call := func(i int) {
		request := execute(contract.VerbCreate)
		request.Context.Region = fmt.Sprint(i)
		h.run(t, request)
	}
	for i := range 600 {
		call(i)
	}
	require.Equal(t, 600, h.connects)
	call(599)
	require.Equal(t, 600, h.connects)
	call(0)
	require.Equal(t, 601, h.connects, "the oldest was dropped")
}

// A host that lost an answer asks again while the lost call is still at work.
func TestOneCallAtATimeWorksOnAKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := build(t)
		h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
			time.Sleep(time.Minute)
			if op.Existing == nil {
				h.things = append(h.things, thing(op.Labels))
			}
			return nil, nil
		}
		var group sync.WaitGroup
		group.Go(func() { h.run(t, execute(contract.VerbCreate)) })
		synctest.Wait()
		hurried, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		result, err := h.provider.Execute(hurried, execute(contract.VerbCreate), func(contract.Event) {})
		require.NoError(t, err)
		require.Equal(t, provider.Deadline, kind(result))
		require.Equal(t, contract.OutcomeUnknown, result.Outcome)
		again := execute(contract.VerbCreate)
		again.PriorOutcome = contract.OutcomeUnknown
		result, _ = h.run(t, again)
		require.Equal(t, contract.OutcomeApplied, result.Outcome, result.Diagnostics)
		group.Wait()
		require.Len(t, h.things, 1)
	})
}

// A cached client is worth no more than the sealed credentials that it was made from.
func TestAClientIsNotUsedBeyondTheBoundsOfItsCredentials(t *testing.T) {
	cases := map[string]struct {
		envelope sealedbox.Envelope
		change   func(*house, *contract.CallContext)
	}{
		"bound to a deployment": {
			sealedbox.Envelope{Deployment: "deploy"},
			func(_ *house, c *contract.CallContext) { c.DeploymentID = "other" },
		},
		"bound in time": {
			sealedbox.Envelope{NotAfter: now.Add(time.Minute)},
			func(h *house, _ *contract.CallContext) { h.clock = now.Add(time.Hour) },
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			h.connect = func(_ context.Context, access provider.Access[Key, Place]) error {
				_, err := access.Open(access.Credentials.Secret)
				return err
			}
			c.envelope.Audience, c.envelope.Provider, c.envelope.Purpose = "tenant", "acme", sealedbox.PurposeCredential
			c.envelope.Value = "credential"
			box, err := sealedbox.Seal(h.keys.Primary().Key, c.envelope)
			require.NoError(t, err)
			request := execute(contract.VerbCreate)
			request.Context.Credentials = json.RawMessage(`{"id":"x","encrypted_secret":"` + box + `"}`)
			for range 2 {
				result, _ := h.run(t, request)
				require.Equal(t, contract.OutcomeApplied, result.Outcome, result.Diagnostics)
			}
			require.Equal(t, 1, h.connects)
			c.change(h, &request.Context)
			result, _ := h.run(t, request)
			require.Equal(t, provider.DecryptionFailed, kind(result))
		})
	}
}

func TestAClientMadeFromPlainBoxesIsNotUsedWhereThoseAreRefused(t *testing.T) {
	h := build(t)
	h.connect = func(_ context.Context, access provider.Access[Key, Place]) error {
		_, err := access.Open(access.Credentials.Secret)
		return err
	}
	box, err := sealedbox.SealPlain(h.keys.Primary().Key, []byte("credential"))
	require.NoError(t, err)
	for _, allowed := range []bool{true, false, true} {
		request := execute(contract.VerbCreate)
		request.Context.Credentials = json.RawMessage(`{"id":"x","encrypted_secret":"` + box + `"}`)
		request.Context.AllowPlainBoxes = allowed
		result, _ := h.run(t, request)
		require.Equal(t, allowed, result.Outcome == contract.OutcomeApplied, result.Diagnostics)
	}
}

// door is a client that must be closed.
type door struct {
	closed chan<- struct{}
}

func (d door) Close() error { d.closed <- struct{}{}; return nil }

type rooms struct{}

func (rooms) Describe() provider.Description {
	return provider.Description{
		Type: "acme:room", Placement: contract.Global, Discovery: contract.DiscoverNone, RepeatSafety: contract.AtMostOnce,
	}
}

func (rooms) Create(context.Context, door, *provider.Operation[struct{}]) (provider.Outputs, error) {
	return nil, nil
}

func (rooms) Delete(context.Context, door, *provider.Operation[struct{}]) (provider.Outputs, error) {
	return nil, nil
}

func (rooms) Verify(context.Context, door, *provider.Operation[struct{}]) ([]provider.Check, error) {
	return nil, nil
}

func (rooms) Find(context.Context, door, *provider.Query[struct{}], func(provider.Found) error) error {
	return nil
}

func TestDroppedClientsAreClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		closed := make(chan struct{}, 10)
		connect := func(context.Context, provider.Access[struct{}, struct{}]) (door, error) { return door{closed}, nil }
		p, err := provider.New("acme", "1.0.0", connect, provider.TypeOf(rooms{}))
		require.NoError(t, err)
		request := &contract.ExecuteRequest{Verb: contract.VerbCreate, Target: contract.Target{Type: "acme:room"}}
		_, err = p.Execute(context.Background(), request, func(contract.Event) {})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, closed, 1)
		_, err = p.Execute(context.Background(), request, func(contract.Event) {})
		require.NoError(t, err)
		p.Close()
		synctest.Wait()
		require.Len(t, closed, 2)
	})
}
