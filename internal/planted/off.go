//go:build !planted

package planted

// Is says whether a fault is in the program: never.
func Is(Bug) bool { return false }
