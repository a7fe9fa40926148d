//go:build race

package simulate_test

// usualSeeds are what a plain go test simulates: the race detector makes each some ten times slower.
const usualSeeds = 40
