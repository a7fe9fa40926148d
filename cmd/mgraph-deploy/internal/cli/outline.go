package cli

import (
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// line is one row of a table in which composites stand before what is in them: a composite, or an operation, by its place in
// their list, and how deep it stands.
type line struct {
	composite, operation int
	depth                int
}

// indented is a resource id as deep as it stands.
func (l line) indented(resourceID string) string { return strings.Repeat("  ", l.depth) + resourceID }

// outline puts composites over their parts. Each stands where the first of its operations would; those without any come last.
func outline(composites []rest.CompositeSummary, operations []rest.OperationSummary) []line {
	places := make(map[string]int, len(composites))
	for i := range composites {
		places[composites[i].ResourceID] = i
	}
	within := map[string][]line{}
	placed := make([]bool, len(composites))
	place := func(id string) { // a composite, and those it is in
		for {
			i, known := places[id]
			if !known || placed[i] {
				return
			}
			placed[i] = true
			above := composites[i].Composite
			within[above] = append(within[above], line{composite: i, operation: -1})
			id = above
		}
	}
	for i := range operations {
		above := operations[i].Composite
		if _, known := places[above]; !known {
			above = ""
		}
		place(above)
		within[above] = append(within[above], line{composite: -1, operation: i})
	}
	for i := range composites {
		place(composites[i].ResourceID)
	}
	var lines []line
	var add func(id string, depth int)
	add = func(id string, depth int) {
		for _, one := range within[id] {
			one.depth = depth
			lines = append(lines, one)
			if one.composite >= 0 {
				add(composites[one.composite].ResourceID, depth+1)
			}
		}
	}
	add("", 0)
	return lines
}
