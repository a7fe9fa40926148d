package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a provider that answers as each test says.
type fake struct {
	contract.Provider
	about   *contract.Description
	execute func(context.Context, *contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error)
	find    func(func(contract.Found)) (*contract.FindEnd, error)
	err     error
}

func (f *fake) Describe(context.Context) (*contract.Description, error) { return f.about, f.err }

func (f *fake) PublicKeys(context.Context) ([]contract.PublicKey, error) {
	return []contract.PublicKey{{ID: "id", Key: []byte("key"), Primary: true}}, f.err
}

func (f *fake) CheckCredentials(
	_ context.Context, request *contract.CheckCredentialsRequest,
) (*contract.CheckCredentialsResult, error) {
	return &contract.CheckCredentialsResult{
		Account: request.Context.Account, Fingerprints: map[string]string{request.SealedValues[0].Ref: "f"},
	}, f.err
}

func (f *fake) Validate(_ context.Context, items []contract.ValidateItem) ([][]contract.Diagnostic, error) {
	judged := make([][]contract.Diagnostic, len(items))
	judged[len(items)-1] = []contract.Diagnostic{contract.New(contract.KindInvalidInput, items[0].Type).Diagnostic}
	return judged, f.err
}

func (f *fake) Execute(
	ctx context.Context, request *contract.ExecuteRequest, emit func(contract.Event),
) (*contract.Result, error) {
	return f.execute(ctx, request, emit)
}

func (f *fake) Verify(_ context.Context, request *contract.VerifyRequest) (*contract.VerifyResult, error) {
	return &contract.VerifyResult{Checks: []contract.Check{{Name: request.Target.Name, Status: contract.CheckPass}}}, f.err
}

func (f *fake) Find(
	_ context.Context, _ *contract.FindRequest, found func(contract.Found),
) (*contract.FindEnd, error) {
	return f.find(found)
}

func (f *fake) Plan(_ context.Context, request *contract.PlanRequest) (*contract.PlanResult, error) {
	return &contract.PlanResult{Action: contract.ActionUpdate, Permissions: []string{string(request.Verb)}}, f.err
}

func (f *fake) Expand(_ context.Context, request *contract.ExpandRequest) (*contract.ExpandResult, error) {
	return &contract.ExpandResult{Edges: []contract.ExpandedEdge{{From: request.Type, To: request.Roles[0]}}}, f.err
}

func (f *fake) Rollback(
	_ context.Context, request *contract.RollbackRequest, emit func(contract.Event),
) (*contract.Result, error) {
	emit(contract.Event{Identity: &contract.Identity{ID: request.Record.Format}})
	return &contract.Result{Outcome: contract.OutcomeApplied, Identity: string(request.Record.Data)}, f.err
}

// connect serves something over a real gRPC connection in memory.
func connect(t *testing.T, register func(*grpc.Server)) (*remote.Provider, *grpc.Server) {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(serve.ServerOptions(hclog.NewNullLogger())...)
	register(server)
	var group sync.WaitGroup
	group.Go(func() { _ = server.Serve(listener) })
	conn, err := grpc.NewClient("passthrough:fake", append(remote.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	)...)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		group.Wait()
	})
	return remote.New(conn), server
}

func provide(t *testing.T, f *fake) *remote.Provider {
	p, _ := connect(t, func(s *grpc.Server) { serve.Register(s, f) })
	return p
}

func TestCallsCross(t *testing.T) {
	ctx := context.Background()
	f := &fake{about: &contract.Description{Name: "acme", Version: "1.2.3"}}
	p := provide(t, f)
	about, err := p.Describe(ctx)
	require.NoError(t, err)
	require.Equal(t, f.about, about)
	keys, err := p.PublicKeys(ctx)
	require.NoError(t, err)
	require.Equal(t, []contract.PublicKey{{ID: "id", Key: []byte("key"), Primary: true}}, keys)
	checked, err := p.CheckCredentials(ctx, &contract.CheckCredentialsRequest{
		Context: contract.CallContext{Account: "1"}, SealedValues: []contract.SealedValue{{Ref: "r"}},
	})
	require.NoError(t, err)
	require.Equal(t, &contract.CheckCredentialsResult{Account: "1", Fingerprints: map[string]string{"r": "f"}}, checked)
	judged, err := p.Validate(ctx, []contract.ValidateItem{{Type: "a"}, {Type: "b"}})
	require.NoError(t, err)
	require.Len(t, judged, 2)
	require.Equal(t, "a", judged[1][0].Summary)
	verified, err := p.Verify(ctx, &contract.VerifyRequest{Target: contract.Target{Name: "n"}})
	require.NoError(t, err)
	require.Equal(t, "n", verified.Checks[0].Name)
	planned, err := p.Plan(ctx, &contract.PlanRequest{Verb: contract.VerbEnsure})
	require.NoError(t, err)
	require.Equal(t, &contract.PlanResult{Action: contract.ActionUpdate, Permissions: []string{"ensure"}}, planned)
	expanded, err := p.Expand(ctx, &contract.ExpandRequest{Type: "a:b", Roles: []string{"r"}})
	require.NoError(t, err)
	require.Equal(t, []contract.ExpandedEdge{{From: "a:b", To: "r"}}, expanded.Edges)
	var events []contract.Event
	undone, err := p.Rollback(ctx, &contract.RollbackRequest{Record: contract.RollbackRecord{Format: "f", Data: []byte("d")}},
		func(e contract.Event) { events = append(events, e) })
	require.NoError(t, err)
	require.Equal(t, &contract.Result{Outcome: contract.OutcomeApplied, Identity: "d"}, undone)
	require.Equal(t, []contract.Event{{Identity: &contract.Identity{ID: "f"}}}, events)
}

func TestErrorsCross(t *testing.T) {
	ctx := context.Background()
	f := &fake{err: contract.New(contract.KindConflict, "taken")}
	f.execute = func(context.Context, *contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error) {
		return nil, f.err
	}
	f.find = func(func(contract.Found)) (*contract.FindEnd, error) { return nil, f.err }
	p := provide(t, f)
	_, describe := p.Describe(ctx)
	_, keys := p.PublicKeys(ctx)
	_, check := p.CheckCredentials(ctx, &contract.CheckCredentialsRequest{SealedValues: []contract.SealedValue{{}}})
	_, validate := p.Validate(ctx, []contract.ValidateItem{{}})
	_, execute := p.Execute(ctx, &contract.ExecuteRequest{}, func(contract.Event) {})
	_, verify := p.Verify(ctx, &contract.VerifyRequest{})
	_, find := p.Find(ctx, &contract.FindRequest{}, func(contract.Found) {})
	_, plan := p.Plan(ctx, &contract.PlanRequest{})
	_, expand := p.Expand(ctx, &contract.ExpandRequest{Roles: []string{"r"}})
	_, rollback := p.Rollback(ctx, &contract.RollbackRequest{}, func(contract.Event) {})
	for _, err := range []error{describe, keys, check, validate, execute, verify, find, plan, expand, rollback} {
		var known *contract.Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, contract.KindConflict, known.Kind)
		require.Equal(t, "taken", known.Summary)
	}
}

func TestExecuteStreamsEventsThenItsResult(t *testing.T) {
	want := []contract.Event{
		{Identity: &contract.Identity{ID: "x"}}, {Progress: &contract.Progress{Fraction: -1}}, {Log: &contract.Log{Level: "info"}},
	}
	var sent *contract.ExecuteRequest
	f := &fake{execute: func(ctx context.Context, r *contract.ExecuteRequest, emit func(contract.Event)) (*contract.Result, error) {
		sent = r
		if _, ok := ctx.Deadline(); !ok {
			return nil, errors.New("the deadline did not arrive")
		}
		for _, event := range want {
			emit(event)
		}
		return &contract.Result{Outcome: contract.OutcomeApplied, Outputs: json.RawMessage(`{}`)}, nil
	}}
	p := provide(t, f)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	request := &contract.ExecuteRequest{
		Context: contract.CallContext{Traceparent: "00-trace", WriteBy: time.Unix(1_800_000_000, 0).UTC()}, Verb: contract.VerbEnsure,
	}
	var got []contract.Event
	result, err := p.Execute(ctx, request, func(e contract.Event) { got = append(got, e) })
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, contract.OutcomeApplied, result.Outcome)
	require.Equal(t, request, sent)
}

func TestFindStreamsMatchesThenItsEnd(t *testing.T) {
	f := &fake{find: func(found func(contract.Found)) (*contract.FindEnd, error) {
		found(contract.Found{Identity: "a"})
		found(contract.Found{Identity: "b"})
		return &contract.FindEnd{Completeness: contract.Complete}, nil
	}}
	var got []string
	end, err := provide(t, f).Find(context.Background(), &contract.FindRequest{}, func(one contract.Found) { got = append(got, one.Identity) })
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, got)
	require.Equal(t, contract.Complete, end.Completeness)
}

// rude ends its streams without saying how.
type rude struct{ pb.UnimplementedProviderServer }

func (rude) Execute(_ *pb.ExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecuteEvent]) error {
	return stream.Send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Identity{Identity: &pb.Identity{Id: "x"}}})
}

func (rude) Find(_ *pb.FindRequest, stream grpc.ServerStreamingServer[pb.FindEvent]) error {
	return stream.Send(&pb.FindEvent{Event: &pb.FindEvent_Found{Found: &pb.Found{Identity: "x"}}})
}

func (rude) Validate(context.Context, *pb.ValidateRequest) (*pb.ValidateResponse, error) {
	return &pb.ValidateResponse{}, nil
}

func TestAStreamWithoutItsEndIsInterrupted(t *testing.T) {
	p, _ := connect(t, func(s *grpc.Server) { pb.RegisterProviderServer(s, rude{}) })
	events := 0
	_, err := p.Execute(context.Background(), &contract.ExecuteRequest{}, func(contract.Event) { events++ })
	require.Equal(t, contract.KindInterrupted, contract.KindOf(err))
	require.Equal(t, 1, events)
	_, err = p.Find(context.Background(), &contract.FindRequest{}, func(contract.Found) { events++ })
	require.Equal(t, contract.KindInterrupted, contract.KindOf(err))
	require.Equal(t, 2, events)
	_, err = p.Validate(context.Background(), []contract.ValidateItem{{}})
	require.Equal(t, contract.KindProviderFault, contract.KindOf(err))
	_, err = p.Describe(context.Background())
	require.Equal(t, contract.KindUnsupported, contract.KindOf(err))
}

func TestADyingProviderInterruptsItsCalls(t *testing.T) {
	started := make(chan struct{})
	f := &fake{execute: func(ctx context.Context, _ *contract.ExecuteRequest, _ func(contract.Event)) (*contract.Result, error) {
		close(started)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	p, server := connect(t, func(s *grpc.Server) { serve.Register(s, f) })
	go func() { <-started; server.Stop() }()
	_, err := p.Execute(context.Background(), &contract.ExecuteRequest{}, func(contract.Event) {})
	require.Equal(t, contract.KindInterrupted, contract.KindOf(err))
}

func TestACallerWhoLeavesKnowsWhy(t *testing.T) {
	gone := make(chan struct{}, 2)
	f := &fake{execute: func(ctx context.Context, _ *contract.ExecuteRequest, _ func(contract.Event)) (*contract.Result, error) {
		<-ctx.Done()
		gone <- struct{}{}
		return nil, ctx.Err()
	}}
	p := provide(t, f)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := p.Execute(ctx, &contract.ExecuteRequest{}, func(contract.Event) {})
	require.Equal(t, contract.KindDeadline, contract.KindOf(err))
	<-gone
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	_, err = p.Execute(ctx, &contract.ExecuteRequest{}, func(contract.Event) {})
	require.Equal(t, contract.KindCancelled, contract.KindOf(err))
}

func TestAPanicIsTheAnswerOfOneCall(t *testing.T) {
	f := &fake{about: &contract.Description{Name: "acme"}}
	f.execute = func(context.Context, *contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error) {
		panic("oh")
	}
	p := provide(t, f)
	_, err := p.Execute(context.Background(), &contract.ExecuteRequest{}, func(contract.Event) {})
	require.Equal(t, contract.KindProviderFault, contract.KindOf(err))
	_, err = p.Describe(context.Background())
	require.NoError(t, err)
}

func TestMessagesAreBounded(t *testing.T) {
	f := &fake{execute: func(_ context.Context, r *contract.ExecuteRequest, _ func(contract.Event)) (*contract.Result, error) {
		return &contract.Result{Outcome: contract.OutcomeApplied, Outputs: r.Target.Properties}, nil
	}}
	p := provide(t, f)
	send := func(size int) error {
		_, err := p.Execute(context.Background(), &contract.ExecuteRequest{
			Target: contract.Target{Properties: make([]byte, size)},
		}, func(contract.Event) {})
		return err
	}
	require.NoError(t, send(15<<20))
	require.Equal(t, contract.KindProviderFault, contract.KindOf(send(17<<20)))
}
