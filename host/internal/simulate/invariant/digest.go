package invariant

import (
	"fmt"
	"slices"
	"strings"
)

// Digest sums up what a refused request must not change: every run, deployment, resource and thing outside that is ours.
func (e *Evidence) Digest() string {
	var out strings.Builder
	for _, d := range e.Deployments {
		fmt.Fprintln(&out, d, e.Resources[d.ID])
	}
	for i := range e.Runs {
		fmt.Fprintln(&out, e.Runs[i].Run)
	}
	for i := range e.Items {
		if ours(&e.Items[i]) {
			fmt.Fprintln(&out, e.Items[i])
		}
	}
	fmt.Fprintln(&out, len(e.Log))
	return out.String()
}

// Same is I9: a refused request has changed nothing.
func Same(before, after *Evidence, request string) []Violation {
	if before.Digest() == after.Digest() {
		return nil
	}
	left, right := strings.Split(before.Digest(), "\n"), strings.Split(after.Digest(), "\n")
	changed := slices.IndexFunc(right, func(line string) bool { return !slices.Contains(left, line) })
	text := "something is gone"
	if changed >= 0 {
		text = right[changed]
	}
	return []Violation{{I9, fmt.Sprintf("%s was refused, and changed this: %s", request, text)}}
}
