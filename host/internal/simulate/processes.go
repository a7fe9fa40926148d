package simulate

import (
	"context"
	"net"
	"sync"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// processes is a plugin host of one provider. Its processes live in this one, each behind a gRPC server and a pipe in memory, so
// that what the engine sees of one that dies is what it sees of a killed one.
type processes struct {
	world *cloud.World
	ring  *sealedbox.Ring
	log   hclog.Logger

	mu      sync.Mutex
	current *process
	dead    bool // with its host: nothing is started any more
	burials sync.WaitGroup
}

// process is one of them.
type process struct {
	life        *cloud.Process
	server      *grpc.Server
	conn        *grpc.ClientConn
	made        *provider.Provider
	remote      contract.Provider
	description *contract.Description
	calls       sync.WaitGroup
}

// Use implements engine.Plugins.
func (p *processes) Use(context.Context, string, string) (contract.Provider, *contract.Description, func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.startLocked(); err != nil {
		return nil, nil, nil, err
	}
	used := p.current
	used.calls.Add(1)
	return used.remote, used.description, used.calls.Done, nil
}

func (p *processes) startLocked() error {
	if p.dead {
		return pluginhost.ErrStopped
	}
	if p.current != nil {
		return nil
	}
	started, err := p.start()
	p.current = started
	return err
}

func (p *processes) start() (*process, error) {
	s := &process{life: cloud.NewProcess(), server: grpc.NewServer(serve.ServerOptions(p.log)...)}
	var err error
	if s.made, err = cloud.NewProvider(p.world, s.life); err != nil {
		return nil, err
	}
	s.made.Use(provider.Runtime{Keys: p.ring, Log: p.log})
	if s.description, err = s.made.Describe(context.Background()); err != nil {
		return nil, err
	}
	pipe := bufconn.Listen(1 << 20)
	serve.Register(s.server, cloud.Observed(s.made))
	go func() { _ = s.server.Serve(pipe) }() // ends when the process does
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }
	options := append(remote.DialOptions(), grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if s.conn, err = grpc.NewClient("passthrough:///sim", options...); err != nil {
		return nil, err
	}
	s.remote = remote.New(s.conn)
	return s, nil
}

// Lose ends the process that runs, if one does, as kill -9 would. The next call starts another.
func (p *processes) Lose() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := p.current
	if lost == nil {
		return false
	}
	p.current = nil
	lost.life.End()
	p.burials.Go(func() {
		lost.server.Stop()
		lost.calls.Wait() // each has heard by now that the connection is gone
		_ = lost.conn.Close()
		lost.made.Close()
	})
	return true
}

// End ends the process for good, with its host.
func (p *processes) End() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	p.Lose()
}

// Pick implements engine.Plugins.
func (p *processes) Pick(_ context.Context, name, within string) (pluginhost.Pinned, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name != cloud.Name || within == "^9" {
		return pluginhost.Pinned{}, pluginhost.ErrUnknown
	}
	if err := p.startLocked(); err != nil {
		return pluginhost.Pinned{}, err
	}
	return pluginhost.Pinned{Name: name, Version: cloud.Version, Digest: "d", Description: p.current.description}, nil
}

// Describe implements engine.Plugins.
func (p *processes) Describe(ctx context.Context, name, version string) (pluginhost.Pinned, error) {
	if version != cloud.Version {
		return pluginhost.Pinned{}, pluginhost.ErrUnknown
	}
	return p.Pick(ctx, name, "")
}

// Names implements engine.Plugins.
func (p *processes) Names() []string { return []string{cloud.Name} }

// Status implements engine.Plugins.
func (p *processes) Status() []pluginhost.Status {
	return []pluginhost.Status{{Name: cloud.Name, Version: cloud.Version, State: pluginhost.Ready}}
}

// Reload implements engine.Plugins.
func (p *processes) Reload() error { return nil }
