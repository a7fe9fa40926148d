package serve

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/internal/wire"
)

// server puts a provider on the wire. Calls of a later version of the protocol answer as unimplemented.
type server struct {
	pb.UnimplementedProviderServer
	provider contract.Provider
}

// Register puts a provider on a gRPC server.
func Register(registrar grpc.ServiceRegistrar, provider contract.Provider) {
	pb.RegisterProviderServer(registrar, &server{provider: provider})
}

func (s *server) Describe(ctx context.Context, _ *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	answer, err := s.provider.Describe(ctx)
	return wire.DescriptionTo(answer), wire.ErrorTo(err)
}

func (s *server) PublicKeys(ctx context.Context, _ *pb.PublicKeysRequest) (*pb.PublicKeysResponse, error) {
	answer, err := s.provider.PublicKeys(ctx)
	return wire.PublicKeysTo(answer), wire.ErrorTo(err)
}

func (s *server) CheckCredentials(
	ctx context.Context, request *pb.CheckCredentialsRequest,
) (*pb.CheckCredentialsResponse, error) {
	answer, err := s.provider.CheckCredentials(ctx, wire.CheckCredentialsRequestFrom(request))
	return wire.CheckCredentialsResultTo(answer), wire.ErrorTo(err)
}

func (s *server) Validate(ctx context.Context, request *pb.ValidateRequest) (*pb.ValidateResponse, error) {
	answer, err := s.provider.Validate(ctx, wire.ValidateRequestFrom(request))
	return wire.ValidateResponseTo(answer), wire.ErrorTo(err)
}

// Execute streams the events, then the result.
func (s *server) Execute(request *pb.ExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecuteEvent]) error {
	return last(stream)(s.provider.Execute(stream.Context(), wire.ExecuteRequestFrom(request), each(stream)))
}

// Rollback does the same.
func (s *server) Rollback(request *pb.RollbackRequest, stream grpc.ServerStreamingServer[pb.ExecuteEvent]) error {
	return last(stream)(s.provider.Rollback(stream.Context(), wire.RollbackRequestFrom(request), each(stream)))
}

// each sends events. One that cannot be sent is lost with its stream; the work goes on, and the host settles.
func each(stream grpc.ServerStreamingServer[pb.ExecuteEvent]) func(contract.Event) {
	return func(event contract.Event) { _ = stream.Send(wire.EventTo(&event)) }
}

// last ends a stream with its result.
func last(stream grpc.ServerStreamingServer[pb.ExecuteEvent]) func(*contract.Result, error) error {
	return func(result *contract.Result, err error) error {
		if err != nil {
			return wire.ErrorTo(err)
		}
		return stream.Send(wire.ResultEventTo(result))
	}
}

func (s *server) Verify(ctx context.Context, request *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	answer, err := s.provider.Verify(ctx, wire.VerifyRequestFrom(request))
	return wire.VerifyResultTo(answer), wire.ErrorTo(err)
}

// Find streams what is found, then the end.
func (s *server) Find(request *pb.FindRequest, stream grpc.ServerStreamingServer[pb.FindEvent]) error {
	end, err := s.provider.Find(stream.Context(), wire.FindRequestFrom(request), func(found contract.Found) {
		_ = stream.Send(wire.FoundEventTo(&found))
	})
	if err != nil {
		return wire.ErrorTo(err)
	}
	return stream.Send(wire.FindEndEventTo(end))
}

func (s *server) Plan(ctx context.Context, request *pb.PlanRequest) (*pb.PlanResponse, error) {
	answer, err := s.provider.Plan(ctx, wire.PlanRequestFrom(request))
	return wire.PlanResultTo(answer), wire.ErrorTo(err)
}

func (s *server) Expand(ctx context.Context, request *pb.ExpandRequest) (*pb.ExpandResponse, error) {
	answer, err := s.provider.Expand(ctx, wire.ExpandRequestFrom(request))
	return wire.ExpandResultTo(answer), wire.ErrorTo(err)
}
