//go:build race

package rig

const (
	// raceDetector says that this program watches for data races.
	raceDetector = true
	// Flavour tells the programs that Build makes apart from others.
	Flavour = "-race"
)
