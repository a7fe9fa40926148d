package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"golang.org/x/sync/errgroup"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// hostConcurrency is how many operations of one run a host has in flight unless told otherwise.
const hostConcurrency = 256

// bare calls a provider process with nothing between: no host, no store, and messages that are made beforehand. What an
// operation costs here is what go-plugin and gRPC cost; a host can only add to it.
type bare struct {
	plugin *plugin.Client
	client pb.ProviderClient
	calls  atomic.Int64
}

// startBare starts the provider that hosts start, over the same socket options.
func startBare(executable, dir string) (*bare, error) {
	command := exec.Command(executable)
	command.Env = []string{serve.EnvKeyFile + "=" + filepath.Join(dir, "bare.key"), "TMPDIR=" + os.TempDir()}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: serve.Handshake, Plugins: serve.ClientPlugins(), Cmd: command, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, GRPCDialOptions: remote.DialOptions(),
		Logger: hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, fmt.Errorf("start bare provider: %w", err)
	}
	connection := protocol.(*plugin.GRPCClient).Conn
	return &bare{plugin: client, client: pb.NewProviderClient(connection)}, nil
}

func (b *bare) stop() { b.plugin.Kill() }

// rate is how many calls a second it makes, as many at once as a host.
func (b *bare) rate(ctx context.Context, count int) (float64, error) {
	requests := make(chan *pb.ExecuteRequest, count)
	for range count {
		requests <- b.request()
	}
	close(requests)
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range hostConcurrency {
		group.Go(func() error {
			for request := range requests {
				if err := b.execute(ctx, request); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("bare call: %w", err)
	}
	return float64(count) / time.Since(start).Seconds(), nil
}

var errNotApplied = errors.New("the provider did not apply it")

// execute reads a whole stream: the identity, the result and the end.
func (b *bare) execute(ctx context.Context, request *pb.ExecuteRequest) error {
	stream, err := b.client.Execute(ctx, request)
	if err != nil {
		return err
	}
	var result *pb.Result
	for {
		event, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && result.GetOutcome() == pb.Outcome_OUTCOME_APPLIED:
			return nil
		case errors.Is(err, io.EOF):
			return errNotApplied
		case err != nil:
			return err
		case event.GetResult() != nil:
			result = event.GetResult()
		}
	}
}

// request carries what a host's would.
func (b *bare) request() *pb.ExecuteRequest {
	number := strconv.FormatInt(b.calls.Add(1), 10)
	return &pb.ExecuteRequest{
		Verb: pb.Verb_VERB_CREATE,
		Context: &pb.CallContext{
			CallId: "0123456789abcdef/" + number, IdempotencyKey: "0123456789abcdef0123456789abcdef", Attempt: 1, Account: "noop",
			CredentialsJson: []byte(`{}`), Tenant: "default", DeploymentId: "bare", Owner: "0123456789abcdef",
		},
		Target: &pb.Target{
			Type: "noop:fast", PropertiesJson: []byte(`{"value":"a value"}`),
			Labels: map[string]string{
				contract.LabelGraphID: "0123abcd", contract.LabelNodeID: number, contract.LabelEdgeID: "0123abcd",
				contract.LabelDeployID: "bare", contract.LabelResourceID: "resource-" + number, contract.LabelOwner: "0123456789abcdef",
			},
		},
	}
}
