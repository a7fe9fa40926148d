package cloud

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Name and Version of the provider.
const (
	Name    = "sim"
	Version = "1.4.0"
)

// Account is the only one there is.
const Account = "000000000001"

// Credentials are the caller's: a token in the open, and a sealed secret. Neither may ever be found anywhere.
type Credentials struct {
	Token  string          `json:"token,omitempty"`
	Secret provider.Sealed `json:"encrypted_secret,omitempty"`
}

type settings struct{}

// NewProvider makes the provider as one process of it would.
func NewProvider(world *World, process *Process) (*provider.Provider, error) {
	connect := func(_ context.Context, access provider.Access[Credentials, settings]) (*client, error) {
		if !access.Credentials.Secret.IsZero() {
			if _, err := access.Open(access.Credentials.Secret); err != nil {
				return nil, err
			}
		}
		return &client{world: world, process: process, region: access.Region}, nil
	}
	return provider.New(Name, Version, connect,
		provider.TypeOf(disks{name: "sim:disk", placement: contract.Regional}),
		provider.TypeOf(disks{name: "sim:net", placement: contract.Global}),
		provider.TypeOf(entries{}), provider.TypeOf(jobs{}), provider.CompositeOf[*client](pairs{}),
		provider.Identify(func(context.Context, *client) (provider.Principal, error) {
			return provider.Principal{Account: Account, Principal: "simulated"}, nil
		}),
	)
}

// Observed lets the world know on whose behalf a provider makes its requests.
func Observed(of contract.Provider) contract.Provider { return observed{of} }

type observed struct{ contract.Provider }

// Execute implements contract.Provider.
func (o observed) Execute(ctx context.Context, request *contract.ExecuteRequest, emit func(contract.Event)) (*contract.Result, error) {
	return o.Provider.Execute(about(ctx, &request.Context, &request.Target, request.Verb), request, emit)
}

// Find implements contract.Provider.
func (o observed) Find(ctx context.Context, request *contract.FindRequest, found func(contract.Found)) (*contract.FindEnd, error) {
	return o.Provider.Find(about(ctx, &request.Context, &request.Target, ""), request, found)
}

// Rollback implements contract.Provider.
func (o observed) Rollback(ctx context.Context, request *contract.RollbackRequest, emit func(contract.Event)) (*contract.Result, error) {
	return o.Provider.Rollback(about(ctx, &request.Context, &request.Target, ""), request, emit)
}

func about(ctx context.Context, of *contract.CallContext, target *contract.Target, verb contract.Verb) context.Context {
	return context.WithValue(ctx, callKey{}, Call{
		ID: of.CallID, Key: of.IdempotencyKey, Attempt: of.Attempt, Verb: verb, WriteBy: of.WriteBy,
		Owner: target.Labels[contract.LabelOwner], Deployment: target.Labels[contract.LabelDeployID],
		Resource: target.Labels[contract.LabelResourceID], Region: of.Region,
	})
}
