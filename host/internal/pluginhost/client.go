package pluginhost

import (
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/remote"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// instance is one process of a provider version.
type instance struct {
	*plugin.Client
	command *command
}

// newInstance is one that is not started yet.
func (p *process) newInstance() *instance {
	i := &instance{}
	i.Client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: serve.Handshake,
		Plugins:         serve.ClientPlugins(),
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (_ runner.Runner, err error) {
			i.command, err = newCommand(p.path, spec, p.keyFile(), p.host.options.Inherit)
			return i.command, err
		},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		GRPCDialOptions:  remote.DialOptions(),
		SkipHostEnv:      true,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: p.host.sockets},
		StartTimeout:     startTimeout,
		Logger:           p.host.options.Log.Named(p.installation.provider).With("version", p.version.Original()),
	})
	return i
}

// Exited says whether the process is gone. The client would know it later: it flushes the host's standard error to disk first,
// and calls made meanwhile would fail one after the other.
func (i *instance) Exited() bool { return i.command != nil && i.command.gone() || i.Client.Exited() }

// connect starts the process and gives the provider at its other end.
func connect(i *instance) (contract.Provider, error) { return serve.Dispense(i.Client) }
