//go:build !race

package simulate_test

// usualSeeds are what a plain go test simulates.
const usualSeeds = 300
