//go:build race

package simulate

// usualSeeds are what a plain go test simulates: the race detector makes each some ten times slower.
const usualSeeds = 40
