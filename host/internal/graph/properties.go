package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// propertyLimits are generous: the whole request was held against tighter ones.
var propertyLimits = document.Limits{Depth: 256, Values: 1_000_000}

// properties are those of one resource, while they are checked.
type properties struct {
	b    *builder
	i    int
	kind *resourceKind
	node *Node
	text *document.Document
	// filled are the properties that references fill, literal values for which are problems already.
	filled []*role
	// omitted are the nodes of text that are not stored.
	omitted []int
}

func (b *builder) readProperties(i int, definition *rest.Resource) *properties {
	raw := definition.Properties
	if len(bytes.TrimSpace(raw)) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		raw = json.RawMessage("{}")
	}
	text, err := b.parser.Parse(raw, propertyLimits)
	if err != nil {
		b.wrong(i, "is not JSON, or is nested too deep", "properties")
		return nil
	}
	p := &properties{b: b, i: i, kind: b.states[i].kind, node: &b.spec.Nodes[i], text: text}
	if text.Kind(0) != document.Object {
		b.wrong(i, "must be an object", "properties")
		return nil
	}
	for _, n := range text.Twice {
		p.wrong("stands there twice", document.Split(text.Pointer(n)))
	}
	return p
}

func (p *properties) wrong(message string, segments []string) {
	p.b.wrong(p.i, message, append([]string{"properties"}, segments...)...)
}

// checkReferences refuses values for what a reference fills, or alone may fill.
func (p *properties) checkReferences() {
	for k := range p.kind.References {
		r := p.kind.roles[p.kind.References[k].Role]
		if r.Property == "" {
			continue
		}
		written := p.text.At(r.fills.segments) >= 0
		if _, given := p.b.resources[p.i].Definition.References[r.Role]; given {
			p.filled = append(p.filled, r)
			if written {
				p.wrong(fmt.Sprintf("is filled by the reference %q, and may not be written too", r.Role), r.fills.segments)
			}
		} else if written && r.ReferenceOnly {
			p.wrong(fmt.Sprintf("may only be filled by the reference %q", r.Role), r.fills.segments)
		}
	}
}

// checkSchema holds the properties, with stand-ins for what references will fill, against the schema of the type.
func (p *properties) checkSchema() {
	if p.kind.schema == nil {
		return
	}
	value, err := p.text.Value(0)
	if err != nil {
		p.wrong(err.Error(), nil)
		return
	}
	object := value.(map[string]any)
	for _, r := range p.filled {
		put(object, r.fills.segments, "reference")
	}
	for _, sensitive := range p.kind.sensitive {
		if box, ok := p.given()[sensitive.pointer]; ok {
			put(object, sensitive.segments, box)
		}
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](p.kind.schema.Validate(object))
	if !ok {
		return
	}
	found := violations(invalid, p.excused)
	slices.SortStableFunc(found, func(a, b violation) int { return slices.Compare(a.location, b.location) })
	for _, v := range found {
		p.wrong(p.hint(v), v.location)
	}
}

// given are the boxes that stand beside the properties, by pointer: those of the request, and for a part those that its
// composite hands on.
func (p *properties) given() map[string]string {
	if part := p.b.states[p.i].part; part != nil {
		return part.boxes()
	}
	return p.b.given[p.node.ResourceID]
}

// put sets a value, and makes the objects above it; it does nothing where something else stands in the way.
func put(object map[string]any, segments []string, value any) {
	last := len(segments) - 1
	for _, segment := range segments[:last] {
		inner, there := object[segment]
		if !there {
			inner = map[string]any{}
			object[segment] = inner
		}
		below, ok := inner.(map[string]any)
		if !ok {
			return
		}
		object = below
	}
	object[segments[last]] = value
}

// excused is what the schema may find wrong: the stand-ins, and, for a delete, the lack of what says nothing about which thing it is.
func (p *properties) excused(v violation) bool {
	for _, r := range p.filled {
		segments := r.fills.segments
		if len(v.location) >= len(segments) && slices.Equal(v.location[:len(segments)], segments) {
			return true
		}
	}
	return v.missing && p.node.Verb == contract.VerbDelete && !p.identifies(v.location)
}

// identifies says whether a property, or something in it, tells which thing the resource is.
func (p *properties) identifies(location []string) bool {
	holds := func(segments []string) bool {
		return len(segments) >= len(location) && slices.Equal(segments[:len(location)], location)
	}
	for _, identifying := range p.kind.identifying {
		if holds(identifying.segments) {
			return true
		}
	}
	return holds(p.kind.name.segments)
}

// hint says how else a property that is lacking may be given.
func (p *properties) hint(v violation) string {
	if !v.missing {
		return v.message
	}
	if role := p.kind.filler(pointerOf(v.location)); role != "" {
		return fmt.Sprintf("%s, here or by the reference %q", v.message, role)
	}
	return v.message
}

// seal takes sensitive values out of what is stored.
func (p *properties) seal() {
	if p.b.states[p.i].part != nil {
		p.sealPart()
		return
	}
	given := p.given()
	for _, sensitive := range p.kind.sensitive {
		n := p.text.At(sensitive.segments)
		box, beside := given[sensitive.pointer]
		switch {
		case n >= 0:
			p.omitted = append(p.omitted, n)
			if beside {
				p.wrong("is given here and in sealed_properties", sensitive.segments)
			}
			p.sealWritten(n, sensitive)
		case beside:
			p.sealBeside(box, sensitive)
		}
	}
	for _, pointer := range sortedKeys(given) {
		if !slices.Contains(p.kind.Sensitive, pointer) {
			p.b.beside(misplacedBox(SealedPointer(p.node, pointer)))
		}
	}
}

const wantBox = "must be a value sealed to the provider's public key, in standard base64"

func (p *properties) sealWritten(n int, sensitive property) {
	if p.text.Kind(n) == document.Null {
		return
	}
	if p.text.Kind(n) != document.String || !isBox(p.text.Text(n)) {
		p.wrong(wantBox, sensitive.segments)
		return
	}
	p.keep(p.text.Text(n), sensitive)
}

func (p *properties) sealBeside(box string, sensitive property) {
	if !isBox(box) {
		p.b.beside(badBox(SealedPointer(p.node, sensitive.pointer)))
		return
	}
	p.keep(box, sensitive)
}

func badBox(pointer string) Problem {
	return Problem{Pointer: document.Join("/sealed_properties", pointer), Message: wantBox}
}

func (p *properties) keep(box string, sensitive property) {
	p.node.Sealed = append(p.node.Sealed, sensitive.pointer)
	provider := p.node.Provider()
	p.b.sealed[provider] = append(p.b.sealed[provider], SealedValue{
		NodeID: p.node.NodeID, ResourceID: p.node.ResourceID, Type: p.node.Type, Pointer: sensitive.pointer, Box: box,
	})
}

// boxOverhead is what a NaCl sealed box has beside its content: an ephemeral key and a tag.
const boxOverhead = 32 + 16

// isBox says whether a text can be a sealed box at all; whether it opens, the provider says.
func isBox(text string) bool {
	box, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(box) >= boxOverhead && !strings.ContainsAny(text, "\r\n")
}

// sealPart takes what is handed to a part, and nothing else: a sealed value cannot come from anywhere but the caller.
func (p *properties) sealPart() {
	handed := p.b.states[p.i].part.handed
	for _, sensitive := range p.kind.sensitive {
		if p.text.At(sensitive.segments) >= 0 {
			p.wrong("is sensitive, and can only be handed on from the composite", sensitive.segments)
		}
	}
	for _, pointer := range sortedKeys(handed) {
		if !slices.Contains(p.kind.Sensitive, pointer) {
			p.wrong("is not sensitive, and is handed what is sealed", document.Split(pointer))
		}
	}
	p.node.Handed = handed
}
