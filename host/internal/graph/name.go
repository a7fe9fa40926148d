package graph

import (
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// nameNode fixes the physical name in each region. One that is known stays, whatever the caller writes now.
func (b *builder) nameNode(i int, p *properties) {
	wanted := p.callersName()
	if wanted == "" {
		return
	}
	node, kept := p.node, false
	node.Names = make(map[string]string, len(node.Regions))
	for k, region := range node.Regions {
		name := b.knownName(node, region)
		if name == "" {
			name = p.physical(wanted, region, k == 0)
			if problem := p.badName(name); problem != "" {
				p.wrong(problem, p.kind.name.segments)
				return
			}
		} else if name != p.outside(wanted, region, true) && name != p.outside(wanted, region, false) {
			kept = true
		}
		node.Names[region] = name
		if !b.claim(p, name, region) {
			p.wrong("gives a physical name that another resource, or another region, has too", p.kind.name.segments)
			return
		}
	}
	if kept {
		b.warnings = append(b.warnings, fmt.Sprintf("%s keeps the name that it was made with", node.ResourceID))
	}
}

func (b *builder) knownName(node *Node, region string) string {
	if known := b.known[node.ResourceID]; known != nil {
		return known.Names[region]
	}
	return ""
}

// callersName is what the caller wrote, "" where the type has no name or it is not known yet.
func (p *properties) callersName() string {
	if len(p.kind.name.segments) == 0 {
		return ""
	}
	n := p.text.At(p.kind.name.segments)
	if n < 0 || p.text.Kind(n) != document.String {
		return ""
	}
	return p.text.Text(n)
}

func (p *properties) outside(wanted, region string, first bool) string {
	return p.kind.Naming.Physical(wanted, p.node.NodeID, region, first, p.node.Exact)
}

// physical makes the name. The one without a region is the first region's, unless another region has it from an earlier version.
func (p *properties) physical(wanted, region string, first bool) string {
	name := p.outside(wanted, region, first)
	known := p.b.known[p.node.ResourceID]
	if !first || known == nil || p.kind.Naming.Suffix != contract.SuffixNodeAndRegion {
		return name
	}
	for elsewhere, taken := range known.Names {
		if elsewhere != region && taken == name {
			return p.outside(wanted, region, false)
		}
	}
	return name
}

// badName says what is wrong with a physical name, "" for nothing.
func (p *properties) badName(name string) string {
	return badName(p.kind.Naming, p.kind.namePattern, p.node.Exact, name)
}

func badName(limits contract.Naming, pattern *regexp.Regexp, exact bool, name string) string {
	suffix := ""
	if limits.Suffix != contract.SuffixNone && limits.Suffix != "" && !exact {
		suffix = " with the suffix that tells resources apart"
	}
	switch length := utf8.RuneCountInString(name); {
	case limits.MaxLength > 0 && length > limits.MaxLength:
		return fmt.Sprintf("gives a name of %d characters%s: this type takes %d", length, suffix, limits.MaxLength)
	case pattern != nil && !pattern.MatchString(name):
		return fmt.Sprintf("gives a name that does not match %s%s", limits.Pattern, suffix)
	}
	return ""
}

// writtenName is the caller's own name of a node that was built, "" where it has none.
func writtenName(node *Node, naming contract.Naming) string {
	if naming.Property == "" {
		return ""
	}
	text, err := document.Parse(node.Properties, propertyLimits)
	if err != nil {
		return ""
	}
	n := text.At(propertyAt(naming.Property).segments)
	if n < 0 || text.Kind(n) != document.String {
		return ""
	}
	return text.Text(n)
}

// claim is false when another node has the same name in the same place. What else identifies a thing of the type is part of the
// place (the repository of a secret); names that carry their region are unique across regions.
func (b *builder) claim(p *properties, name, region string) bool {
	if p.kind.Naming.Suffix == contract.SuffixNodeAndRegion {
		region = ""
	}
	key := b.scratch[:0]
	for _, part := range []string{p.node.Type, name, region} {
		key = append(append(key, part...), 0)
	}
	for _, identifying := range p.kind.identifying {
		if n := p.text.At(identifying.segments); n >= 0 {
			key = p.text.AppendCompact(key, n, nil)
		} else if role := p.kind.filler(identifying.pointer); role != "" {
			reference := p.node.References[role]
			key = fmt.Appendf(key, "@%s@%s.%s", reference.NodeID, reference.Region, reference.Output)
		}
		key = append(key, 0)
	}
	b.scratch = key
	if b.places[string(key)] {
		return false
	}
	b.places[string(key)] = true
	return true
}
