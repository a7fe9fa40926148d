package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// mostEvents bounds at how many events of a create it is disturbed.
const mostEvents = 5

// repeatable skips types whose operations nobody may repeat.
func (j *subject) repeatable(t *testing.T) {
	t.Helper()
	support, ok := j.kind.Verb(contract.VerbCreate)
	if !ok || support.RepeatSafety == contract.AtMostOnce || j.kind.Discovery == contract.DiscoverNone {
		t.Skip("nothing of this type can be repeated")
	}
}

// survivesCuts: the host gives up at each event in turn, then settles.
func survivesCuts(t *testing.T, s *suite, j *subject) {
	j.repeatable(t)
	j.disturbed(t, func(cancel context.CancelFunc) { cancel() })
}

// survivesKills: the process is killed at each event in turn; its successor settles.
func survivesKills(t *testing.T, s *suite, j *subject) {
	j.repeatable(t)
	j.disturbed(t, func(context.CancelFunc) {
		s.running.kill()
		require.Eventually(t, s.running.client.Exited, endTime, 10*time.Millisecond)
	})
}

// disturbed creates again and again, disturbed at the first event, the second, and so on; each time one thing must be left.
func (j *subject) disturbed(t *testing.T, disturb func(context.CancelFunc)) {
	t.Helper()
	before := j.count(t)
	for at := range mostEvents {
		request := j.request(t, contract.VerbCreate)
		seen := j.disturbedAt(t, request, at, disturb)
		j.settleLost(t, request)
		require.Equal(t, before+1, j.count(t), "disturbed at event %d", at)
		j.passes(t, j.given)
		j.remove(t)
		require.Equal(t, before, j.count(t))
		if seen <= at {
			return
		}
	}
}

// disturbedAt performs a create that is disturbed at one event: 0 is before the first.
func (j *subject) disturbedAt(t *testing.T, request *contract.ExecuteRequest, at int, disturb func(context.CancelFunc)) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	p := j.process(t)
	if at == 0 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = p.Execute(ctx, request, func(contract.Event) {})
		}()
		disturb(cancel)
		<-done
		return 1
	}
	seen := 0
	_, _ = p.Execute(ctx, request, func(contract.Event) {
		if seen++; seen == at {
			disturb(cancel)
		}
	})
	return seen
}

// settleLost settles. A provider may still be at the lost call, and then finds that its own thing has appeared meanwhile.
func (j *subject) settleLost(t *testing.T, request *contract.ExecuteRequest) {
	t.Helper()
	result := j.settle(t, request)
	require.NotEmpty(t, result.Identity)
}

// toleratesTheUnknown: fields and values of a later version of the protocol do no harm.
func toleratesTheUnknown(t *testing.T, s *suite, j *subject) {
	p := s.process(t)
	before := s.count(t)
	_, err := p.raw.Describe(t.Context(), later(&pb.DescribeRequest{}))
	require.NoError(t, err)
	_, err = p.raw.PublicKeys(t.Context(), later(&pb.PublicKeysRequest{}))
	require.NoError(t, err)
	stream, err := p.raw.Execute(t.Context(), later(&pb.ExecuteRequest{
		Context: &pb.CallContext{Tenant: j.tenant, CredentialsJson: j.credentials(t, j.tenant)},
		Target:  &pb.Target{Type: j.kind.Name}, Verb: 77, PriorOutcome: 77,
	}))
	require.NoError(t, err)
	var result *pb.Result
	for {
		event, err := stream.Recv()
		if err != nil {
			break
		}
		if event.GetResult() != nil {
			result = event.GetResult()
		}
	}
	require.NotNil(t, result, "an unknown verb must have a result")
	require.Equal(t, pb.Outcome_OUTCOME_NOT_APPLIED, result.GetOutcome())
	require.NotEmpty(t, result.GetDiagnostics())
	require.Equal(t, before, s.count(t))
	require.False(t, p.client.Exited())
}

// later adds a field that no version has yet.
func later[M proto.Message](message M) M {
	unknown := protowire.AppendTag(nil, 5000, protowire.BytesType)
	unknown = protowire.AppendString(unknown, "from a later version")
	message.ProtoReflect().SetUnknown(unknown)
	return message
}
