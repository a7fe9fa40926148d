package provider

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// Provider serves the resource types of one vendor. It implements contract.Provider and may be called by any number of
// goroutines at once.
type Provider struct {
	description contract.Description
	runtime     Runtime
	types       map[string]resource
	composites  map[string]composite
	credentials shape
	turns       turns
	atWork      atWork
	// identify is nil when the author gave no Identify.
	identify func(context.Context, *call) (Principal, error)
	close    func()
}

// Provider serves the contract.
var _ contract.Provider = (*Provider)(nil)

// resource is one type behind its generic parameters.
type resource interface {
	validate(item contract.ValidateItem) []contract.Diagnostic
	execute(ctx context.Context, c *call, request *contract.ExecuteRequest) *contract.Result
	verify(ctx context.Context, c *call, request *contract.VerifyRequest) (*contract.VerifyResult, error)
	find(ctx context.Context, c *call, target *contract.Target, found func(contract.Found)) (*contract.FindEnd, error)
	plan(ctx context.Context, c *call, request *contract.PlanRequest) (*contract.PlanResult, error)
	rollback(ctx context.Context, c *call, request *contract.RollbackRequest) *contract.Result
}

// Type is one argument of New: a resource type, or one of the options below.
type Type[C any] struct{ add func(*builder[C]) error }

// builder gathers the arguments of New.
type builder[C any] struct {
	provider *Provider
	clients  *clients[C]
}

// TypeOf makes a resource of an author's type.
func TypeOf[C, P any](r Resource[C, P]) Type[C] {
	return Type[C]{func(b *builder[C]) error { return addType(b, r) }}
}

// Principal is who credentials belong to. ExpiresAt is zero for no end.
type Principal struct {
	Account   string
	Principal string
	ExpiresAt time.Time
}

// Identify says how to find out who credentials belong to, by asking the vendor. It changes nothing.
func Identify[C any](fn func(ctx context.Context, client C) (Principal, error)) Type[C] {
	return Type[C]{func(b *builder[C]) error {
		b.provider.identify = func(ctx context.Context, c *call) (Principal, error) {
			lease, err := b.clients.acquire(ctx, c)
			if err != nil {
				return Principal{}, err
			}
			defer b.clients.release(lease)
			return guarded(c, func() (Principal, error) { return fn(ctx, lease.value) })
		}
		return nil
	}}
}

// Limits is what the host may use at most, for each account and region, unless the operator says otherwise.
func Limits[C any](limit contract.RateLimit) Type[C] {
	return Type[C]{func(b *builder[C]) error {
		b.provider.description.RateLimit = limit
		return nil
	}}
}

// DefaultRegion names the field of the credentials object that holds a default region.
func DefaultRegion[C any](credentialField string) Type[C] {
	return Type[C]{func(b *builder[C]) error {
		if !b.provider.credentials.has("/" + credentialField) {
			return fmt.Errorf("default region: the credentials have no field %q", credentialField)
		}
		b.provider.description.RegionField = credentialField
		return nil
	}}
}

// ReadsRecordsOf names the versions of this provider whose identities and outputs this one reads, as semver ranges.
func ReadsRecordsOf[C any](ranges ...string) Type[C] {
	return Type[C]{func(b *builder[C]) error {
		b.provider.description.ReadsRecordsOf = ranges
		return nil
	}}
}

var (
	validName    = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	validVersion = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// New makes a provider. K is the caller's credentials, S the operator's settings, C the author's client: connect makes one from
// the others, and the provider keeps it for as long as it is used. All that is wrong with the types is reported at once.
func New[K, S, C any](
	name, version string, connect func(context.Context, Access[K, S]) (C, error), types ...Type[C],
) (*Provider, error) {
	credentials, errCredentials := shapeOf(reflect.TypeFor[K]())
	settings, errSettings := shapeOf(reflect.TypeFor[S]())
	err := errors.Join(checkNames(name, version), errCredentials, errSettings)
	if err != nil {
		return nil, fmt.Errorf("provider %q: %w", name, err)
	}
	p := &Provider{
		description: contract.Description{
			Name: name, Version: version, CredentialsSchema: credentials.schema(), SettingsSchema: settings.schema(),
		},
		types: map[string]resource{}, composites: map[string]composite{}, credentials: credentials, runtime: Runtime{}.complete(),
	}
	b := &builder[C]{p, newClients(dialer(connect, credentials, settings))}
	p.close = b.clients.closeAll
	for _, t := range types {
		err = errors.Join(err, t.add(b))
	}
	if err != nil {
		return nil, fmt.Errorf("provider %q: %w", name, err)
	}
	p.description.Capabilities = p.capabilities()
	return p, nil
}

// capabilities are those that the types have.
func (p *Provider) capabilities() []contract.Capability {
	has := map[contract.Capability]bool{}
	for _, kind := range p.description.ResourceTypes {
		has[contract.CapabilityPlan] = has[contract.CapabilityPlan] || kind.Plans
		has[contract.CapabilityRollback] = has[contract.CapabilityRollback] || kind.Rollbacks
		has[contract.CapabilityExpand] = has[contract.CapabilityExpand] || kind.Composite
	}
	var had []contract.Capability
	for _, capability := range contract.Capabilities() {
		if has[capability] {
			had = append(had, capability)
		}
	}
	return had
}

// checkNames judges what every caller will write.
func checkNames(name, version string) error {
	var err error
	if !validName.MatchString(name) {
		err = errors.New("the name must be lower-case letters, digits and '-'")
	}
	if !validVersion.MatchString(version) {
		err = errors.Join(err, fmt.Errorf("version %q is not a semantic version", version))
	}
	return err
}

// dialer is connect with its arguments decoded from a call.
func dialer[K, S, C any](
	connect func(context.Context, Access[K, S]) (C, error), credentials, settings shape,
) func(context.Context, *call) (C, error) {
	return func(ctx context.Context, c *call) (C, error) {
		access := Access[K, S]{Region: c.context.Region, Account: c.context.Account, Tenant: c.context.Tenant, call: c}
		var none C
		if err := credentials.decode(c.context.Credentials, &access.Credentials, credentialPurpose); err != nil {
			return none, Errorf(Unauthenticated, "the credentials object cannot be used, at %q: %s", err.Pointer, err.Summary)
		}
		if err := settings.decode(c.context.Settings, &access.Settings, credentialPurpose); err != nil {
			return none, Errorf(Precondition, "the operator's settings cannot be used, at %q: %s", err.Pointer, err.Summary)
		}
		return connect(ctx, access)
	}
}

// credentialPurpose is what all credentials are sealed for.
func credentialPurpose(string) string { return sealedbox.PurposeCredential }

// Use gives the provider what its process has: call it before the first request.
func (p *Provider) Use(runtime Runtime) { p.runtime = runtime.complete() }

// Close drops the cached clients; those that are io.Closers are closed.
func (p *Provider) Close() { p.close() }

// Describe says what this provider is. The answer is shared: do not change it.
func (p *Provider) Describe(context.Context) (*contract.Description, error) {
	return &p.description, nil
}

// PublicKeys lists the keys that callers seal to.
func (p *Provider) PublicKeys(context.Context) ([]contract.PublicKey, error) {
	if p.runtime.Keys == nil {
		return nil, Errorf(Unsupported, "this provider has no keys")
	}
	return p.runtime.Keys.Public(), nil
}

// call begins a call.
func (p *Provider) call(about *contract.CallContext, kind string, emit func(contract.Event)) *call {
	return &call{provider: p.description.Name, kind: kind, runtime: &p.runtime, context: about, emit: emit}
}

// resource finds the type of a target.
func (p *Provider) resource(kind string) (resource, error) {
	found, ok := p.types[kind]
	switch _, composed := p.composites[kind]; {
	case composed:
		return nil, Errorf(Unsupported, "a composite makes nothing itself: it is expanded")
	case !ok:
		return nil, Errorf(Unsupported, "this provider has no such resource type")
	}
	return found, nil
}

// Execute performs one verb. It always has a result.
func (p *Provider) Execute(
	ctx context.Context, request *contract.ExecuteRequest, emit func(contract.Event),
) (*contract.Result, error) {
	return p.perform(ctx, &request.Context, &request.Target, emit, func(ctx context.Context, r resource, c *call) *contract.Result {
		return r.execute(ctx, c, request)
	}), nil
}

// perform makes a call that may change something: with a heartbeat, and one at a time for each idempotency key.
func (p *Provider) perform(
	ctx context.Context, about *contract.CallContext, target *contract.Target, emit func(contract.Event),
	work func(context.Context, resource, *call) *contract.Result,
) *contract.Result {
	r, err := p.resource(target.Type)
	if err != nil {
		return refused(err)
	}
	c := p.call(about, target.Type, emit)
	c.over = ctx
	c.start()
	defer c.end()
	mine, err := p.turns.take(ctx, about)
	if err != nil {
		waited := refused(classify(err))
		waited.Outcome = contract.OutcomeUnknown // the call that is still at work may yet change something
		return waited
	}
	defer p.turns.leave(mine)
	defer p.atWork.add(spotOf(about, target), c)()
	return work(c.in(ctx), r, c)
}

// refused is the result of a call that never reached an author.
func refused(err error) *contract.Result {
	return &contract.Result{
		Outcome: contract.OutcomeNotApplied, Diagnostics: []contract.Diagnostic{contract.DiagnosticOf(err)},
	}
}

// Verify compares the real thing with the target.
func (p *Provider) Verify(ctx context.Context, request *contract.VerifyRequest) (*contract.VerifyResult, error) {
	r, err := p.resource(request.Target.Type)
	if err != nil {
		return nil, err
	}
	c := p.call(&request.Context, request.Target.Type, nil)
	return r.verify(c.in(Reading(ctx)), c, request)
}

// Find reports each match, then how complete the search was. A search that was begun while a call about the same thing could
// still write is not, when it sees nothing.
func (p *Provider) Find(
	ctx context.Context, request *contract.FindRequest, found func(contract.Found),
) (*contract.FindEnd, error) {
	r, err := p.resource(request.Target.Type)
	if err != nil {
		return nil, err
	}
	c := p.call(&request.Context, request.Target.Type, nil)
	seen, writer := 0, p.atWork.writer(spotOf(&request.Context, &request.Target))
	end, err := r.find(c.in(Reading(ctx)), c, &request.Target, func(f contract.Found) {
		seen++
		found(f)
	})
	if err == nil && writer && seen == 0 && end.Completeness == contract.Complete {
		end = &contract.FindEnd{Completeness: contract.Inconclusive, RetryAfter: atWorkAgain}
	}
	return end, err
}

// Validate judges each item beyond the schema.
func (p *Provider) Validate(_ context.Context, items []contract.ValidateItem) ([][]contract.Diagnostic, error) {
	judged := make([][]contract.Diagnostic, len(items))
	for i, item := range items {
		if composed, ok := p.composites[item.Type]; ok {
			judged[i] = composed.validate(item)
			continue
		}
		r, err := p.resource(item.Type)
		if err != nil {
			judged[i] = []contract.Diagnostic{contract.DiagnosticOf(err)}
			continue
		}
		judged[i] = r.validate(item)
	}
	return judged, nil
}

// ownType says whether a type name belongs to a provider.
func ownType(provider, name string) bool { return strings.HasPrefix(name, provider+":") }
