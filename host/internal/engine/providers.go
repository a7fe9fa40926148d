package engine

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Providers says how every installed provider version stands.
func (e *Engine) Providers(context.Context) ([]rest.ProviderStatus, error) {
	var all []rest.ProviderStatus
	for _, s := range e.plugins.Status() {
		all = append(all, providerStatus(&s))
	}
	return all, nil
}

func providerStatus(s *pluginhost.Status) rest.ProviderStatus {
	status := rest.ProviderStatus{
		Name: s.Name, Version: s.Version, Digest: s.Digest, Status: string(s.State), Error: s.Problem, Default: s.Default,
		StartedAt: rest.At(s.StartedAt), Restarts: s.Restarts, ActiveCalls: s.Calls,
	}
	if s.Description != nil {
		status.CredentialsSchema = s.Description.CredentialsSchema
		for _, c := range s.Description.Capabilities {
			status.Capabilities = append(status.Capabilities, string(c))
		}
		for i := range s.Description.ResourceTypes {
			status.ResourceTypes = append(status.ResourceTypes, s.Description.ResourceTypes[i].Name)
		}
	}
	return status
}

// Provider says how the version stands that new graphs get, started so that it can say all of itself.
func (e *Engine) Provider(ctx context.Context, name string) (*rest.ProviderStatus, error) {
	pinned, err := e.newest(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, s := range e.plugins.Status() {
		if s.Name == name && s.Version == pinned.Version {
			status := providerStatus(&s)
			keys, err := e.keys(ctx, name, pinned.Version)
			if err != nil {
				return nil, classified(err)
			}
			status.KeyID = primary(keys).ID
			return &status, nil
		}
	}
	return nil, refuse(NotFound, "there is no such provider")
}

func (e *Engine) newest(ctx context.Context, name string) (pluginhost.Pinned, error) {
	pinned, err := e.plugins.Pick(ctx, name, "")
	if errors.Is(err, pluginhost.ErrUnknown) {
		return pinned, refuse(NotFound, "there is no such provider")
	}
	return pinned, classified(err)
}

// Reload reads the plugins directory again.
func (e *Engine) Reload(ctx context.Context, _ Caller) ([]rest.ProviderStatus, error) {
	if err := e.plugins.Reload(); err != nil {
		return nil, classified(err)
	}
	return e.Providers(ctx)
}

// ResourceTypes lists the types of the newest version of each provider.
func (e *Engine) ResourceTypes(ctx context.Context) ([]rest.ResourceTypeSummary, error) {
	var all []rest.ResourceTypeSummary
	for _, name := range e.plugins.Names() {
		pinned, err := e.newest(ctx, name)
		if err != nil {
			e.log.Warn("provider left out of the list of types", "provider", name, "error", err)
			continue
		}
		for i := range pinned.Description.ResourceTypes {
			all = append(all, rest.SummaryOf(name, pinned.Version, &pinned.Description.ResourceTypes[i]))
		}
	}
	return all, nil
}

// ResourceType says all of one type.
func (e *Engine) ResourceType(ctx context.Context, typeName string) (*rest.ResourceType, error) {
	name, _, _ := strings.Cut(typeName, ":")
	pinned, err := e.newest(ctx, name)
	if err != nil {
		return nil, err
	}
	kind, ok := pinned.Description.Type(typeName)
	if !ok {
		return nil, refuse(NotFound, "there is no such resource type")
	}
	return rest.ResourceTypeOf(name, pinned.Version, kind), nil
}

// PublicKeys gives the keys to seal to for a provider.
func (e *Engine) PublicKeys(ctx context.Context, caller Caller, name string) (*rest.PublicKeys, error) {
	pinned, err := e.newest(ctx, name)
	if err != nil {
		return nil, err
	}
	keys, err := e.keys(ctx, name, pinned.Version)
	if err != nil {
		return nil, classified(err)
	}
	answer := &rest.PublicKeys{Provider: name, Audience: caller.Tenant, PlainBoxes: e.options.PlainBoxes(ctx)}
	answer.PublicKey = publicKey(primary(keys))
	for i := range keys {
		if !keys[i].Primary {
			answer.Retired = append(answer.Retired, publicKey(&keys[i]))
		}
	}
	return answer, nil
}

// keys asks a provider for its keys, and refuses them when none is on record that was before: with other keys, what callers
// sealed could not be opened, and a host that lied about a key could read what it gets.
func (e *Engine) keys(ctx context.Context, name, version string) ([]contract.PublicKey, error) {
	var keys []contract.PublicKey
	err := e.ask(ctx, name, version, func(provider contract.Provider) (err error) {
		keys, err = provider.PublicKeys(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(keys))
	for i := range keys {
		ids[i] = keys[i].ID
	}
	recorded, err := e.store.PinKeys(ctx, name, ids)
	if err != nil {
		return nil, err
	}
	strange := slices.ContainsFunc(recorded, func(before string) bool { return !slices.Contains(ids, before) })
	e.mu.Lock()
	e.strange[name] = strange
	e.mu.Unlock()
	if strange {
		return nil, &Error{Kind: Unavailable, Provider: name, Message: "the provider's keys are not those on record: its key file was lost or replaced"}
	}
	if len(keys) == 0 {
		return nil, &Error{Kind: Unavailable, Provider: name, Message: "the provider has no key"}
	}
	return keys, nil
}

func primary(keys []contract.PublicKey) *contract.PublicKey {
	for i := range keys {
		if keys[i].Primary {
			return &keys[i]
		}
	}
	return &keys[0]
}

func publicKey(k *contract.PublicKey) rest.PublicKey {
	return rest.PublicKey{
		PublicKey: hex.EncodeToString(k.Key), PublicKeyBase64: base64.StdEncoding.EncodeToString(k.Key),
		Algorithm: k.Algorithm, KeyID: k.ID, NotAfter: rest.At(k.NotAfter),
	}
}

// compareTime is how long a host that begins may take to look at its providers' keys.
const compareTime = 30 * time.Second

// compareKeys looks at the keys of every provider, and says of which they are not those on record: what callers seal to the keys
// that another host names could not be opened here. The host is not ready while that is so.
func (e *Engine) compareKeys(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	for _, name := range e.plugins.Names() {
		pinned, err := e.newest(ctx, name)
		if err == nil {
			_, err = e.keys(ctx, name, pinned.Version)
		}
		if err != nil {
			e.log.Error("the keys of a provider could not be compared with those on record", "provider", name, "error", err)
		}
	}
}

// Ready fails while requests cannot be taken.
func (e *Engine) Ready(ctx context.Context) error {
	e.mu.Lock()
	closed := e.closed
	var strange []string
	for _, name := range slices.Sorted(maps.Keys(e.strange)) {
		if e.strange[name] && e.shared() {
			strange = append(strange, name)
		}
	}
	e.mu.Unlock()
	if closed {
		return refuse(Unavailable, "the host is stopping")
	}
	if len(strange) > 0 {
		return refuse(Unavailable, "the keys of %s here are not those that other hosts have", strings.Join(strange, ", "))
	}
	if _, err := e.store.Installation(ctx); err != nil {
		return &Error{Kind: Unavailable, Message: "the store does not answer", cause: err}
	}
	return nil
}

// storeStatus says how the store stands, and by what kind of failure something that it acknowledged could be lost.
func (e *Engine) storeStatus(ctx context.Context) rest.Component {
	standing, err := e.store.Standing(ctx)
	if err != nil {
		e.log.Error("the store does not answer", "error", err)
		return rest.Component{Kind: e.storeKind, Status: "failing"}
	}
	return rest.Component{Kind: standing.Kind, Status: "ok", Detail: standing.Loss}
}

// SystemStatus says how the host and what it leans on stand.
func (e *Engine) SystemStatus(ctx context.Context) (*rest.SystemStatus, error) {
	now := e.options.Now()
	status := &rest.SystemStatus{
		Name: "mgraph-deploy", Version: e.options.Version, Status: "operational", StartedAt: rest.At(e.startedAt),
		UptimeSeconds: now.Sub(e.startedAt).Seconds(), Store: e.storeStatus(ctx),
		Mirror: rest.Component{Kind: "none", Status: "off"},
	}
	e.mu.Lock()
	status.ActiveRuns = len(e.drives)
	closed := e.closed
	e.mu.Unlock()
	if status.Store.Status != "ok" && !closed {
		status.Status = "degraded"
	}
	for _, s := range e.plugins.Status() {
		if s.State == pluginhost.Broken {
			status.Status = "degraded"
		}
		status.Providers = append(status.Providers, providerStatus(&s))
	}
	if closed {
		status.Status = "stopping"
	}
	return status, nil
}
