package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// Composite is a type that makes nothing itself: it stands for parts, which are resources or composites of the same provider. A
// Validator's method may stand beside it.
type Composite[P any] interface {
	// Describe says what the type is; called once. Of a composite only Type, Summary, Placement, References, Outputs and
	// SelfOutput count.
	Describe() Description
	// Expand says what it stands for. It must be pure: the same parts each time, in the same order, under names that never change
	// within a major version. Sealed properties are never given here. An error of a kind that callers can mend is told to them.
	Expand(properties P, roles References) (Subgraph, error)
}

// Subgraph is what a composite stands for.
type Subgraph struct {
	Parts []Part
	// Outputs are the composite's, by name, each from "part.output".
	Outputs map[string]string
}

// Part is one resource of a composite.
type Part struct {
	// Name is its own within the composite: letters, digits, '_' and '-'.
	Name string
	Type string
	// Properties is anything that JSON writes as an object; a Sealed in it is left out.
	Properties any
	// References are by role: another part, an output of one ("role.arn"), or with contract.OwnRole what the caller gave the
	// composite ("$bucket").
	References map[string]string
	// Sealed hands sealed properties of the composite on, unopened: pointer in the part, from pointer in the composite.
	Sealed map[string]string
	// After are the parts that it waits for though it does not refer to them.
	After []string
}

// CompositeOf makes a resource type of an author's composite. C is the provider's client, which no composite needs.
func CompositeOf[C, P any](author Composite[P]) Type[C] {
	return Type[C]{func(b *builder[C]) error { return addComposite(b.provider, author) }}
}

// composite is one behind its generic parameter.
type composite interface {
	validate(item contract.ValidateItem) []contract.Diagnostic
	expand(p *Provider, request *contract.ExpandRequest) (*contract.ExpandResult, error)
	hands(pointer string) bool
}

// composed is a composite with its generic parameter.
type composed[P any] struct {
	author    Composite[P]
	validator Validator[P]
	about     Description
	shape     shape
}

// addComposite studies an author's composite and puts it into the provider.
func addComposite[P any](p *Provider, author Composite[P]) error {
	about := author.Describe()
	properties, err := shapeOf(reflect.TypeFor[P]())
	if err != nil {
		return fmt.Errorf("type %q: %w", about.Type, err)
	}
	made := &composed[P]{author: author, about: about, shape: properties}
	made.validator, _ = author.(Validator[P])
	if err := errors.Join(p.unused(about.Type), made.check(p.description.Name)); err != nil {
		return fmt.Errorf("type %q: %w", about.Type, err)
	}
	p.composites[about.Type] = made
	p.description.ResourceTypes = append(p.description.ResourceTypes, made.describe())
	return nil
}

// check judges a description.
func (m *composed[P]) check(provider string) error {
	var problems []error
	if !ownType(provider, m.about.Type) {
		problems = append(problems, fmt.Errorf("its name must begin with %q", provider+":"))
	}
	for _, role := range m.about.References {
		if role.Property != "" && !m.shape.has(role.Property) {
			problems = append(problems, fmt.Errorf("role %q fills %q, which does not exist", role.Role, role.Property))
		}
	}
	named := func(o contract.OutputField) bool { return o.Name == m.about.SelfOutput }
	if m.about.SelfOutput != "" && !slices.ContainsFunc(m.about.Outputs, named) {
		problems = append(problems, fmt.Errorf("SelfOutput %q is not among the outputs", m.about.SelfOutput))
	}
	author := reflect.TypeOf(m.author)
	if author.Kind() != reflect.Pointer {
		author = reflect.PointerTo(author)
	}
	if _, has := author.MethodByName("Validate"); has && m.validator == nil {
		problems = append(problems, errors.New("its method Validate is not that of a Validator: wrong signature or pointer receiver"))
	}
	return errors.Join(problems...)
}

// describe is the type as hosts see it. It names no verb: which ones there are is up to its parts.
func (m *composed[P]) describe() contract.ResourceType {
	placement := m.about.Placement
	if placement == "" {
		placement = contract.Regional
	}
	return contract.ResourceType{
		Name: m.about.Type, Summary: m.about.Summary, Schema: m.shape.schema(), Sensitive: m.shape.sensitive,
		References: m.about.References, Outputs: m.about.Outputs, SelfOutput: m.about.SelfOutput, Placement: placement,
		Discovery: contract.DiscoverNone, Composite: true, Validates: m.validator != nil,
	}
}

// hands says whether a pointer is that of a sealed property.
func (m *composed[P]) hands(pointer string) bool { return m.shape.sealedAt(pointer) }

// hands says whether a purpose is that of a sealed property of a composite of this provider.
func (p *Provider) hands(purpose string) bool {
	kind, pointer, _ := strings.Cut(purpose, "#")
	found, ok := p.composites[kind]
	return ok && found.hands(pointer) && purpose == sealedbox.PurposeProperty(kind, pointer)
}

func (m *composed[P]) decode(raw json.RawMessage) (P, error) {
	var properties P
	if err := m.shape.decode(raw, &properties, func(string) string { return "" }); err != nil {
		return properties, err
	}
	return properties, nil
}

// validate judges one item.
func (m *composed[P]) validate(item contract.ValidateItem) []contract.Diagnostic {
	properties, err := m.decode(item.Properties)
	switch {
	case err != nil:
		return []contract.Diagnostic{contract.DiagnosticOf(err)}
	case m.validator == nil:
		return nil
	}
	return judge(m.validator, properties, rolesOf(item.Roles))
}
