// Package noop is a provider without a vendor: an example of what an author writes, and what tests, crash tests and
// benchmarks deploy. Its things live in memory or, when the operator's settings name a directory, in one small file each, so
// that what exists can be counted after the process was killed.
//
// Properties make it misbehave on purpose; nothing else here is special to tests.
package noop

import (
	"cmp"
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Credentials are the caller's: both optional.
type Credentials struct {
	Token string `json:"token,omitempty" jsonschema_description:"Anything: it is not looked at."`
	// Account parts what exists.
	Account string          `json:"account,omitempty" jsonschema_description:"The account that things are in; the only one without it."`
	Secret  provider.Sealed `json:"encrypted_secret,omitempty"`
}

// Settings are the operator's.
type Settings struct {
	Dir string `json:"dir,omitempty" jsonschema_description:"Directory that things are kept in; in memory without it."`
}

// client is what the types work with.
type client struct {
	shelf shelf
	late  *late
	// tenant, account and region part what exists.
	tenant, account, region string
}

// New makes the provider.
func New(version string) (*provider.Provider, error) {
	memory, late := newMemory(), &late{}
	connect := func(_ context.Context, access provider.Access[Credentials, Settings]) (*client, error) {
		return open(access, memory, late)
	}
	return provider.New("noop", version, connect,
		provider.TypeOf(things{name: "noop:thing", placement: contract.Global}),
		provider.TypeOf(things{name: "noop:regional", placement: contract.Regional}),
		provider.TypeOf(named{"noop:named", contract.DiscoverByName, contract.ByName}),
		provider.TypeOf(named{"noop:once", contract.DiscoverNone, contract.AtMostOnce}),
		provider.TypeOf(fast{known: newKnown()}),
		provider.CompositeOf[*client](stacks{}),
		provider.CompositeOf[*client](sites{}),
		provider.Identify(identify),
	)
}

// open makes a client. The secret is opened to prove that it can be.
func open(access provider.Access[Credentials, Settings], memory shelf, late *late) (*client, error) {
	if !access.Credentials.Secret.IsZero() {
		if _, err := access.Open(access.Credentials.Secret); err != nil {
			return nil, err
		}
	}
	opened := &client{shelf: memory, late: late, tenant: access.Tenant, account: access.Credentials.Account, region: access.Region}
	if access.Settings.Dir != "" {
		opened.shelf = directory{access.Settings.Dir}
	}
	return opened, nil
}

// identify believes what the credentials say.
func identify(_ context.Context, c *client) (provider.Principal, error) {
	return provider.Principal{Account: cmp.Or(c.account, "noop"), Principal: "nobody"}, nil
}
