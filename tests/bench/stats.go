package main

import "slices"

// samples are repeated measurements of one thing.
type samples []float64

func (s samples) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func (s samples) min() float64 { return slices.Min(s) }

func (s samples) max() float64 { return slices.Max(s) }
