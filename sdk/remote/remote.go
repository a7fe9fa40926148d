// Package remote is the contract over a gRPC connection: what a host calls a provider in another process through. It neither
// starts nor supervises processes, and keeps no state of calls.
package remote

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/internal/wire"
)

// MaxMessage bounds a message in either direction.
const MaxMessage = 16 << 20

// window is large enough that one slow call does not hold up the others, and fixed, so that the transport does not probe for it.
const window = 4 << 20

// DialOptions are those of a connection to a provider.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
		grpc.WithDisableRetry(),
	}
}

// Provider calls a provider over a connection.
type Provider struct{ client pb.ProviderClient }

var _ contract.Provider = (*Provider)(nil)

// New makes a provider of a connection, which stays its maker's.
func New(conn grpc.ClientConnInterface) *Provider { return &Provider{pb.NewProviderClient(conn)} }

// Describe asks the provider what it is.
func (p *Provider) Describe(ctx context.Context) (*contract.Description, error) {
	answer, err := p.client.Describe(ctx, &pb.DescribeRequest{})
	return wire.DescriptionFrom(answer), wire.ErrorFrom(err)
}

// PublicKeys asks for the keys to seal to.
func (p *Provider) PublicKeys(ctx context.Context) ([]contract.PublicKey, error) {
	answer, err := p.client.PublicKeys(ctx, &pb.PublicKeysRequest{})
	return wire.PublicKeysFrom(answer), wire.ErrorFrom(err)
}

// CheckCredentials has every sealed value of a request opened.
func (p *Provider) CheckCredentials(
	ctx context.Context, request *contract.CheckCredentialsRequest,
) (*contract.CheckCredentialsResult, error) {
	answer, err := p.client.CheckCredentials(ctx, wire.CheckCredentialsRequestTo(request))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	return wire.CheckCredentialsResultFrom(answer), nil
}

// Validate has each item judged.
func (p *Provider) Validate(ctx context.Context, items []contract.ValidateItem) ([][]contract.Diagnostic, error) {
	answer, err := p.client.Validate(ctx, wire.ValidateRequestTo(items))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	judged := wire.ValidateResponseFrom(answer)
	if len(judged) != len(items) {
		return nil, contract.New(contract.KindProviderFault, "the provider did not judge every item")
	}
	return judged, nil
}

// Execute performs one verb. The error of a stream that ended without a result is interrupted.
func (p *Provider) Execute(
	ctx context.Context, request *contract.ExecuteRequest, emit func(contract.Event),
) (*contract.Result, error) {
	stream, err := p.client.Execute(ctx, wire.ExecuteRequestTo(request))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	return resultOf(stream, emit)
}

// resultOf passes the events of a stream on until its result comes.
func resultOf(stream grpc.ClientStream, emit func(contract.Event)) (*contract.Result, error) {
	var event pb.ExecuteEvent
	for {
		if err := stream.RecvMsg(&event); err != nil {
			return nil, wire.ErrorFrom(err)
		}
		told, result := wire.EventFrom(&event)
		if result != nil {
			finish(stream)
			return result, nil
		}
		if told != (contract.Event{}) {
			emit(told)
		}
	}
}

// finish waits for the end of a stream that has said all, so that its resources are freed.
func finish(stream grpc.ClientStream) {
	var rest pb.ExecuteEvent
	for stream.RecvMsg(&rest) == nil {
	}
}

// Verify has the real thing compared with the target.
func (p *Provider) Verify(ctx context.Context, request *contract.VerifyRequest) (*contract.VerifyResult, error) {
	answer, err := p.client.Verify(ctx, wire.VerifyRequestTo(request))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	return wire.VerifyResultFrom(answer), nil
}

// Find reports each match, then how complete the search was.
func (p *Provider) Find(
	ctx context.Context, request *contract.FindRequest, found func(contract.Found),
) (*contract.FindEnd, error) {
	stream, err := p.client.Find(ctx, wire.FindRequestTo(request))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	var end *contract.FindEnd
	for {
		event, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && end != nil:
			return end, nil
		case err != nil:
			return nil, wire.ErrorFrom(err)
		case event.GetFound() != nil:
			found(*wire.FoundFrom(event.GetFound()))
		case event.GetEnd() != nil:
			end = wire.FindEndFrom(event.GetEnd())
		}
	}
}

// Plan asks what a verb would change.
func (p *Provider) Plan(ctx context.Context, request *contract.PlanRequest) (*contract.PlanResult, error) {
	answer, err := p.client.Plan(ctx, wire.PlanRequestTo(request))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	return wire.PlanResultFrom(answer), nil
}

// Expand asks for the resources of a composite.
func (p *Provider) Expand(ctx context.Context, request *contract.ExpandRequest) (*contract.ExpandResult, error) {
	answer, err := p.client.Expand(ctx, wire.ExpandRequestTo(request))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	return wire.ExpandResultFrom(answer), nil
}

// Rollback undoes a change. The error of a stream that ended without a result is interrupted.
func (p *Provider) Rollback(
	ctx context.Context, request *contract.RollbackRequest, emit func(contract.Event),
) (*contract.Result, error) {
	stream, err := p.client.Rollback(ctx, wire.RollbackRequestTo(request))
	if err != nil {
		return nil, wire.ErrorFrom(err)
	}
	return resultOf(stream, emit)
}
