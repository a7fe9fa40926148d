package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// figure is one line of build/bench.json. Ratio is value over baseline: for rates the bare rate measured beside them, or the rate of
// the workload that one is set beside; for status and events what the same host gave at rest, or to one follower; for time and
// memory the goal; for growth none at all.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Baseline float64 `json:"baseline"`
	Ratio    float64 `json:"ratio"`

	spread samples // what Value is the median of
	goal   string
}

// The goals.
const (
	goalRatio  = 0.3
	goalMemory = 250.0 // MB
	goalGrowth = 1.5
	goalPlan   = 0.3 // seconds
)

func newFigure(name, unit string, from samples, baseline float64, goal string) figure {
	value := from.median()
	return figure{Name: name, Value: value, Unit: unit, Baseline: baseline, Ratio: value / baseline, spread: from, goal: goal}
}

// figures are all that is reported, in order.
func figures(all []*measured) []figure {
	var bareRates samples
	byName := map[string]*measured{}
	for _, m := range all {
		bareRates = append(bareRates, m.bare...)
		byName[m.name] = m
	}
	reported := []figure{newFigure("bare_stream", "calls/s", bareRates, bareRates.median(), "")}
	for _, m := range all {
		if m.name != "plan_10000" {
			reported = append(reported, newFigure(m.name, m.unit, m.values, m.baseline(byName), m.goal))
		}
	}
	reported = append(reported, newFigure("plan_10000", "s", byName["plan_10000"].values, goalPlan, fmt.Sprintf("<= %.1f s", goalPlan)))
	if memory := worst(byName["apply_10000_wide"].memory, byName["apply_10000_layers"].memory); memory != nil {
		reported = append(reported, newFigure("memory_10000", "MB", memory, goalMemory, fmt.Sprintf("<= %.0f MB", goalMemory)))
	}
	for _, name := range []string{"cost_growth", "cost_growth_50000"} {
		large := map[string]string{"cost_growth": "apply_10000_", "cost_growth_50000": "apply_50000_"}[name]
		reported = append(reported, newFigure(name, "times", growth(byName, large), 1, fmt.Sprintf("<= %.1f", goalGrowth)))
	}
	return reported
}

// baseline is what a figure is set beside.
func (m *measured) baseline(byName map[string]*measured) float64 {
	switch {
	case len(m.besides) > 0:
		return m.besides.median()
	case m.beside != "":
		return byName[m.beside].values.median()
	default:
		return m.bare.median()
	}
}

// growth is what an operation costs among many over what it costs among 100, in the shape where that grew more.
func growth(byName map[string]*measured, large string) samples {
	return worst(
		samples{byName[large+"wide"].cost() / byName["apply_100_wide"].cost()},
		samples{byName[large+"layers"].cost() / byName["apply_100_layers"].cost()},
	)
}

// worst is the one with the larger median; nil when one is empty.
func worst(a, b samples) samples {
	switch {
	case len(a) == 0 || len(b) == 0:
		return nil
	case a.median() > b.median():
		return a
	default:
		return b
	}
}

// table prints the figures for people.
func table(out io.Writer, reported []figure) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "name\tmedian\tmin\tmax\tn\tunit\tbaseline\tratio\tgoal\t")
	for _, f := range reported {
		digits := 0
		if f.Value < 10 {
			digits = 3
		}
		_, _ = fmt.Fprintf(w, "%s\t%.*f\t%.*f\t%.*f\t%d\t%s\t%.*f\t%.2f\t%s\t\n", f.Name, digits, f.Value,
			digits, f.spread.min(), digits, f.spread.max(), len(f.spread), f.Unit, digits, f.Baseline, f.Ratio, f.goal)
	}
	return w.Flush()
}

// write leaves the figures for machines.
func write(path string, reported []figure) error {
	content, err := json.MarshalIndent(reported, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, append(content, '\n'), 0o644))
}
