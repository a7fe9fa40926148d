package graph

import (
	"bytes"
	"fmt"
	"strings"
)

// DOT writes the graph for Graphviz.
func (s *Spec) DOT() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "digraph %s {\n  rankdir=LR;\n  node [shape=box];\n", dotText(s.DeploymentID))
	for i := range s.Nodes {
		node := &s.Nodes[i]
		fmt.Fprintf(&out, "  %s [label=%s];\n", dotText(node.NodeID), dotText(caption(node, "\n")))
	}
	for _, edge := range s.Edges {
		style := ""
		if edge.Type != Dependency {
			style = fmt.Sprintf(" [style=dashed, label=%s]", dotText(string(edge.Type)))
		}
		fmt.Fprintf(&out, "  %s -> %s%s;\n", dotText(edge.From), dotText(edge.To), style)
	}
	out.WriteString("}\n")
	return out.Bytes()
}

// Mermaid writes the graph as a Mermaid flowchart.
func (s *Spec) Mermaid() []byte {
	var out bytes.Buffer
	out.WriteString("flowchart LR\n")
	for i := range s.Nodes {
		node := &s.Nodes[i]
		fmt.Fprintf(&out, "  n%s[\"%s\"]\n", node.NodeID, mermaidText(caption(node, "\n")))
	}
	for _, edge := range s.Edges {
		arrow := "-->"
		if edge.Type != Dependency {
			arrow = fmt.Sprintf("-. %s .->", edge.Type)
		}
		fmt.Fprintf(&out, "  n%s %s n%s\n", edge.From, arrow, edge.To)
	}
	return out.Bytes()
}

// caption is what a person reads in a box.
func caption(node *Node, line string) string {
	text := node.ResourceID + line + node.Type + line + string(node.Verb)
	if len(node.Regions) > 1 {
		text += line + strings.Join(node.Regions, ", ")
	}
	return text
}

var dotEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func dotText(text string) string { return `"` + dotEscape.Replace(text) + `"` }

var mermaidEscape = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", "<br/>")

func mermaidText(text string) string { return mermaidEscape.Replace(text) }
