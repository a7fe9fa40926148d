package serve

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/internal/wire"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
)

// Handshake tells a provider that a host has started it. It is no protection, only a courtesy to people who start one by hand.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion: 1, MagicCookieKey: "MGRAPH_DEPLOY_PROVIDER", MagicCookieValue: "mgraph.deploy.provider.v1",
}

// PluginName is what a host dispenses.
const PluginName = "provider"

// What a host tells a provider through its environment: paths and descriptors, never a key.
const (
	// EnvLifeline is the number of an inherited pipe: when it closes, the host is gone.
	EnvLifeline = "MGRAPH_PROVIDER_LIFELINE_FD"
	// EnvKeyFile is the path of the provider's key file.
	EnvKeyFile = "MGRAPH_PROVIDER_KEY_FILE"
	// EnvLogLevel is trace, debug, info (the default), warn or error.
	EnvLogLevel = "MGRAPH_PROVIDER_LOG_LEVEL"
)

// errNotAProvider means that the process at the other end serves something else.
var errNotAProvider = errors.New("the plugin is not a provider")

// ClientPlugins is the host's side: what plugin.ClientConfig.Plugins takes.
func ClientPlugins() plugin.PluginSet { return plugin.PluginSet{PluginName: &grpcPlugin{}} }

// Dispense gives the provider at the other end of a started plugin client.
func Dispense(client *plugin.Client) (contract.Provider, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, fmt.Errorf("start provider: %w", err)
	}
	raw, err := protocol.Dispense(PluginName)
	if err != nil {
		return nil, fmt.Errorf("dispense provider: %w", err)
	}
	provider, ok := raw.(contract.Provider)
	if !ok {
		return nil, errNotAProvider
	}
	return provider, nil
}

// grpcPlugin is both sides of go-plugin's glue.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	provider contract.Provider
}

var _ plugin.GRPCPlugin = (*grpcPlugin)(nil)

// GRPCServer is the provider's side.
func (p *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	Register(server, p.provider)
	return nil
}

// GRPCClient is the host's side.
func (p *grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return remote.New(conn), nil
}

// window is that of package remote, for the other direction.
const window = 4 << 20

// ServerOptions are those of a provider's gRPC server.
func ServerOptions(log hclog.Logger) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(remote.MaxMessage), grpc.MaxSendMsgSize(remote.MaxMessage),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(window),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(func(
			ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
		) (answer any, err error) {
			defer survive(log, &err)
			return handler(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(
			server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
		) (err error) {
			defer survive(log, &err)
			return handler(server, stream)
		}),
	}
}

// survive turns a panic into the answer of the one call: a provider serves many.
func survive(log hclog.Logger, err *error) {
	if panicked := recover(); panicked != nil {
		log.Error("a call panicked", "stack", string(debug.Stack()))
		*err = wire.ErrorTo(contract.New(contract.KindProviderFault, "the provider panicked; its log has the stack"))
	}
}
