// Mgraph-provider-github is the GitHub provider as an executable: the host starts it, and it serves until the host is gone.
package main

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/plugins/github"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version string

func main() { serve.MainVersion(version, github.New) }
