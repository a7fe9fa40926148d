// Package github is the GitHub provider: secrets of repositories for GitHub Actions, on google/go-github.
//
// It does not wait out rate limits, choose names, decide whose a thing is, or derive outcomes: package provider and the host do.
package github

import (
	"net/http"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// New makes the provider. All its clients share one pool of connections.
func New(version string) (*provider.Provider, error) {
	return build(version, provider.Transport(pool()), time.Now)
}

// build takes what a test replaces: the way to GitHub, and the clock that tells how long a limit still lasts.
func build(version string, transport http.RoundTripper, now func() time.Time) (*provider.Provider, error) {
	return provider.New("github", version, connector(transport, now),
		provider.TypeOf(repoSecrets{}),
		provider.Identify(identify),
		// GitHub asks for little at once, and for about one change a second.
		provider.Limits[*Client](contract.RateLimit{MaxConcurrent: 4, PerSecond: 2, Burst: 10}),
	)
}

func pool() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	transport.IdleConnTimeout = 90 * time.Second
	return transport
}
