package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Expand says what a composite stands for. It asks nobody and changes nothing.
func (p *Provider) Expand(_ context.Context, request *contract.ExpandRequest) (*contract.ExpandResult, error) {
	found, ok := p.composites[request.Type]
	if !ok {
		return nil, Errorf(Unsupported, "this provider has no such composite")
	}
	result, err := found.expand(p, request)
	if err == nil {
		return result, nil
	}
	if known := classify(err); callersFault(known.Kind) {
		return &contract.ExpandResult{Diagnostics: []contract.Diagnostic{completed(known.Diagnostic)}}, nil
	}
	return nil, p.call(&contract.CallContext{}, request.Type, nil).fail(err)
}

// expand calls the author and holds what he says to what the types are.
func (m *composed[P]) expand(p *Provider, request *contract.ExpandRequest) (*contract.ExpandResult, error) {
	properties, err := m.decode(request.Properties)
	if err != nil {
		return nil, err
	}
	c := p.call(&contract.CallContext{}, request.Type, nil)
	subgraph, err := guarded(c, func() (Subgraph, error) { return m.author.Expand(properties, rolesOf(request.Roles)) })
	if err != nil {
		return nil, err
	}
	e := &expansion{provider: p, parts: map[string]*contract.ResourceType{}, roles: request.Roles, hands: m.hands}
	return e.tell(subgraph, m.about.Outputs)
}

// expansion is a subgraph on its way into the contract's words.
type expansion struct {
	provider *Provider
	// parts are their types by name.
	parts map[string]*contract.ResourceType
	roles []string
	hands func(pointer string) bool
}

var validPart = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// tell checks and converts. What is wrong here is the author's fault, and no caller can mend it.
func (e *expansion) tell(subgraph Subgraph, declared []contract.OutputField) (*contract.ExpandResult, error) {
	for _, part := range subgraph.Parts {
		kind, ok := e.provider.description.Type(part.Type)
		switch {
		case !validPart.MatchString(part.Name) || e.parts[part.Name] != nil:
			return nil, wrong("the part %q has no valid name of its own", part.Name)
		case !ok:
			return nil, wrong("the part %q is of a type that this provider does not have", part.Name)
		}
		e.parts[part.Name] = kind
	}
	result := &contract.ExpandResult{Outputs: subgraph.Outputs}
	for i := range subgraph.Parts {
		part := &subgraph.Parts[i]
		properties, err := e.check(part)
		if err != nil {
			return nil, err
		}
		result.Nodes = append(result.Nodes, contract.ExpandedNode{
			LocalName: part.Name, Type: part.Type, Properties: properties, References: part.References, SealedProperties: part.Sealed,
		})
		for _, before := range part.After {
			result.Edges = append(result.Edges, contract.ExpandedEdge{From: before, To: part.Name})
		}
	}
	for _, name := range sortedKeys(subgraph.Outputs) {
		isDeclared := slices.ContainsFunc(declared, func(o contract.OutputField) bool { return o.Name == name })
		if from := subgraph.Outputs[name]; !isDeclared || !strings.Contains(from, ".") || !e.gives(from) {
			return nil, wrong("the output %q is not declared, or comes from nowhere", name)
		}
	}
	return result, nil
}

// check judges one part, and writes its properties.
func (e *expansion) check(part *Part) (json.RawMessage, error) {
	kind := e.parts[part.Name]
	for role, from := range part.References {
		named := func(r contract.ReferenceRole) bool { return r.Role == role }
		own, isOwn := strings.CutPrefix(from, contract.OwnRole)
		if !slices.ContainsFunc(kind.References, named) || isOwn && !slices.Contains(e.roles, own) || !isOwn && !e.gives(from) {
			return nil, wrong("the reference %q of the part %q leads nowhere", role, part.Name)
		}
	}
	for _, before := range part.After {
		if e.parts[before] == nil || before == part.Name {
			return nil, wrong("the part %q waits for one that is not there", part.Name)
		}
	}
	for pointer, from := range part.Sealed {
		if !matchesAny(kind.Sensitive, pointer) || !e.hands(from) {
			return nil, wrong("the part %q is handed something that is not sealed on both sides", part.Name)
		}
	}
	return withoutSealed(part, kind.Sensitive)
}

// gives says whether "part" or "part.output" is there.
func (e *expansion) gives(text string) bool {
	name, output, has := strings.Cut(text, ".")
	kind := e.parts[name]
	named := func(o contract.OutputField) bool { return o.Name == output }
	return kind != nil && (!has || slices.ContainsFunc(kind.Outputs, named))
}

// withoutSealed writes properties as an object, and leaves out what stands where a sealed one belongs.
func withoutSealed(part *Part, sensitive []string) (json.RawMessage, error) {
	plain, err := canonical(part.Properties)
	if err != nil {
		return nil, wrong("the properties of the part %q are not JSON", part.Name)
	}
	if plain == nil {
		plain = map[string]any{}
	}
	if _, ok := plain.(map[string]any); !ok {
		return nil, wrong("the properties of the part %q are no object", part.Name)
	}
	for _, pointer := range sensitive {
		drop(plain, strings.Split(pointer, "/")[1:])
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return nil, wrong("the properties of the part %q are not JSON", part.Name)
	}
	return raw, nil
}

// drop removes what a pattern of a pointer leads to.
func drop(value any, segments []string) {
	switch inner := value.(type) {
	case map[string]any:
		for name := range inner {
			switch {
			case segments[0] != "*" && segments[0] != escape(name):
			case len(segments) == 1:
				delete(inner, name)
			default:
				drop(inner[name], segments[1:])
			}
		}
	case []any:
		for _, element := range inner {
			if len(segments) > 1 {
				drop(element, segments[1:])
			}
		}
	}
}

// wrong is a fault of the author.
func wrong(format string, args ...any) error {
	return Errorf(ProviderFault, "the provider expands this wrongly: %s", fmt.Sprintf(format, args...))
}
