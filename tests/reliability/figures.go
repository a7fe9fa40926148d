package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// figures are what the tests have left.
type figures struct {
	Simulated simulated
	Planted   struct {
		Planted []caught `json:"planted"`
	}
	Crashed crashed
}

type simulated struct {
	Seeds      int            `json:"seeds"`
	Seconds    float64        `json:"seconds"`
	Counts     map[string]int `json:"counts"`
	Violations map[string]int `json:"violations"`
}

type caught struct {
	Bug    string `json:"bug"`
	By     string `json:"by"`
	Within int    `json:"within"`
}

type crashed struct {
	Cycles      int            `json:"cycles"`
	Stores      map[string]int `json:"stores"`
	BadWeather  int            `json:"bad_weather"`
	SecondsEach float64        `json:"seconds_each"`
	Kills       map[string]int `json:"kills"`
	Commands    map[string]int `json:"commands"`
	Judged      int            `json:"judged"`
	Things      int            `json:"things"`
	Violations  map[string]int `json:"violations"`
}

var invariants = []string{"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10"}

// table is the part of the document that the figures are in.
func (f *figures) table() string {
	var out strings.Builder
	if s := &f.Simulated; s.Seeds > 0 {
		fmt.Fprintf(&out, "### Simulation\n\n%d seeds in %.0f s.\n\n| command, fault or loss | times |\n|---|---:|\n", s.Seeds, s.Seconds)
		rows(&out, s.Counts)
		out.WriteString("\n| invariant | violations |\n|---|---:|\n")
		for _, id := range invariants {
			fmt.Fprintf(&out, "| %s | %d |\n", id, s.Violations[id])
		}
	}
	if len(f.Planted.Planted) > 0 {
		out.WriteString("\n### Planted faults\n\n| fault | caught by | within seeds |\n|---|---|---:|\n")
		for _, c := range f.Planted.Planted {
			fmt.Fprintf(&out, "| %s | %s | %d |\n", c.Bug, c.By, c.Within)
		}
	}
	if c := &f.Crashed; c.Cycles > 0 {
		fmt.Fprintf(&out, "\n### Real kills\n\n%d cycles, %.1f s each, %d of them in bad weather, judged %d times by %d things.\n\n",
			c.Cycles, c.SecondsEach, c.BadWeather, c.Judged, c.Things)
		for _, part := range []struct {
			head   string
			counts map[string]int
		}{{"store", c.Stores}, {"command", c.Commands}, {"killed, stopped or cancelled", c.Kills}} {
			fmt.Fprintf(&out, "| %s | times |\n|---|---:|\n", part.head)
			rows(&out, part.counts)
			out.WriteString("\n")
		}
		out.WriteString("| rule | violations |\n|---|---:|\n")
		rows(&out, c.Violations)
		if len(c.Violations) == 0 {
			out.WriteString("| any | 0 |\n")
		}
	}
	return out.String()
}

func rows(out *strings.Builder, counts map[string]int) {
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(out, "| %s | %d |\n", what, counts[what])
	}
}
