//go:build !race

package simulate

// usualSeeds are what a plain go test simulates.
const usualSeeds = 300
