// Package aws is the AWS provider: IAM roles, Lambda functions, S3 buckets and S3 objects, on the AWS SDK for Go.
//
// It does not retry writes, choose names, decide whose a thing is, or derive outcomes: package provider and the host do.
package aws

import (
	"net/http"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// New makes the provider. All its clients share one pool of connections.
func New(version string) (*provider.Provider, error) {
	return build(version, provider.Transport(pool()), wait)
}

// build takes what a test replaces: the way to AWS, and the way to wait.
func build(version string, transport http.RoundTripper, wait pause) (*provider.Provider, error) {
	return provider.New("aws", version, connector(transport, wait),
		provider.TypeOf(roles{}),
		provider.TypeOf(functions{}),
		provider.TypeOf(buckets{}),
		provider.TypeOf(objects{}),
		provider.CompositeOf[*Client](fulls{}),
		provider.Identify(identify),
		provider.DefaultRegion[*Client]("region"),
		// Lambda and IAM allow some 15 and 20 changes a second; one operation makes a handful of calls.
		provider.Limits[*Client](contract.RateLimit{MaxConcurrent: 16, PerSecond: 10, Burst: 20}),
	)
}

// pool holds idle connections for many accounts and regions at once.
func pool() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 256
	transport.MaxIdleConnsPerHost = 32
	transport.IdleConnTimeout = 90 * time.Second
	return transport
}
