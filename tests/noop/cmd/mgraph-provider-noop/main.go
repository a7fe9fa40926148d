// Command mgraph-provider-noop serves the provider noop.
package main

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

// version is set by the build.
var version string

func main() { serve.MainVersion(version, noop.New) }
