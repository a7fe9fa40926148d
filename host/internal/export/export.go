// Package export writes a graph down in the forms that other programs read: pictures as text for Graphviz and Mermaid, and the
// MGraph JSON that the mgraph-db library and the Graph Service load. It knows nodes and edges, and not what they stand for.
package export

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// Graph is what can be written. Ids are MGraph ids, 8 lowercase hex characters, each one used once.
type Graph struct {
	ID string
	// Name is what a person calls it.
	Name string
	// Kind says in a word what the graph is, and About whatever there is to say of it as a whole: it becomes JSON.
	Kind  string
	About any
	Nodes []Node
	Edges []Edge
}

// Node is one box. Lines are what a person reads in it; they may hold any text.
type Node struct {
	ID    string
	Lines []string
	// Kind says in a word what the node is, Path where it is found by its name, Data all there is to know: it becomes JSON, and
	// is no other node's.
	Kind string
	Path []string
	Data any
	// Holds is how many of the nodes that follow stand in this one: they are drawn in a box of it.
	Holds int
}

// Edge leads from one node to another. Kind is a word; a plain edge is drawn without it.
type Edge struct {
	ID    string
	From  string
	To    string
	Kind  string
	Plain bool
}

// DOT writes the graph for Graphviz.
func (g *Graph) DOT() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "digraph %s {\n  rankdir=LR;\n  node [shape=box];\n", dotText(g.Name))
	g.draw(func(indent string, node *Node) {
		fmt.Fprintf(&out, "%s%s [label=%s];\n", indent, dotText(node.ID), dotText(node.Lines...))
	}, func(indent string, node *Node) {
		fmt.Fprintf(&out, "%ssubgraph %s {\n%s  label=%s;\n", indent, dotText("cluster_"+node.ID), indent, dotText(node.Lines...))
	}, func(indent string) { fmt.Fprintf(&out, "%s}\n", indent) })
	for i := range g.Edges {
		edge, style := &g.Edges[i], ""
		if !edge.Plain {
			style = fmt.Sprintf(" [style=dashed, label=%s]", dotText(edge.Kind))
		}
		fmt.Fprintf(&out, "  %s -> %s%s;\n", dotText(edge.From), dotText(edge.To), style)
	}
	out.WriteString("}\n")
	return out.Bytes()
}

// Mermaid writes the graph as a Mermaid flowchart.
func (g *Graph) Mermaid() []byte {
	var out bytes.Buffer
	out.WriteString("flowchart LR\n")
	g.draw(func(indent string, node *Node) {
		fmt.Fprintf(&out, "%sn%s[%s]\n", indent, node.ID, mermaidText(node.Lines...))
	}, func(indent string, node *Node) {
		fmt.Fprintf(&out, "%ssubgraph n%s[%s]\n", indent, node.ID, mermaidText(node.Lines...))
	}, func(indent string) { fmt.Fprintf(&out, "%send\n", indent) })
	for i := range g.Edges {
		edge, arrow := &g.Edges[i], "-->"
		if !edge.Plain {
			arrow = fmt.Sprintf("-. %s .->", mermaidText(edge.Kind))
		}
		fmt.Fprintf(&out, "  n%s %s n%s\n", edge.From, arrow, edge.To)
	}
	return out.Bytes()
}

// draw goes through the nodes: one that holds others is a box around them, begun and shut.
func (g *Graph) draw(node, begin func(indent string, node *Node), shut func(indent string)) {
	var ends []int // of the boxes that are open: the node before which each is shut
	indent := func() string { return strings.Repeat("  ", len(ends)+1) }
	for i := range g.Nodes {
		for len(ends) > 0 && ends[len(ends)-1] == i {
			ends = ends[:len(ends)-1]
			shut(indent())
		}
		if holds := g.Nodes[i].Holds; holds > 0 {
			begin(indent(), &g.Nodes[i])
			ends = append(ends, i+1+holds)
			continue
		}
		node(indent(), &g.Nodes[i])
	}
	for len(ends) > 0 {
		ends = ends[:len(ends)-1]
		shut(indent())
	}
}

var dotEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")

// dotText quotes lines for DOT. Graphviz reads entities in labels, so that an ampersand is one.
func dotText(lines ...string) string {
	return quoted(dotEscape, `\n`, lines)
}

// mermaidEscape takes what Mermaid would read as more than text: quotes, marks of its Markdown, tags, entities, and "%%", which
// begins a directive wherever it stands.
var mermaidEscape = strings.NewReplacer("#", "#35;", "&", "#amp;", `"`, "#quot;", "`", "#96;", "<", "#lt;", ">", "#gt;", "%", "#37;")

// mermaidText quotes lines for Mermaid.
func mermaidText(lines ...string) string {
	return quoted(mermaidEscape, "<br/>", lines)
}

func quoted(escape *strings.Replacer, newline string, lines []string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = escape.Replace(visible(line))
	}
	return `"` + strings.Join(escaped, newline) + `"`
}

// visible keeps a line one line: what is no character that can be seen becomes a space.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
