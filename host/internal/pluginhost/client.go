package pluginhost

import (
	"github.com/hashicorp/go-plugin"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// newClient is one process that is not started yet.
func (p *process) newClient() *plugin.Client {
	return plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  serve.Handshake,
		Plugins:          serve.ClientPlugins(),
		RunnerFunc:       p.runnerFunc,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		GRPCDialOptions:  remote.DialOptions(),
		SkipHostEnv:      true,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: p.host.sockets},
		StartTimeout:     startTimeout,
		Logger:           p.host.options.Log.Named(p.installation.provider).With("version", p.version.Original()),
	})
}

// connect starts the process and gives the provider at its other end.
func connect(client *plugin.Client) (contract.Provider, error) {
	return serve.Dispense(client)
}
