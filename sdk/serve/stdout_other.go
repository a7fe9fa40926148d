//go:build !unix

package serve

import "os"

// divertStdout sends whatever Go code prints from now on to standard error, and gives the real standard output back.
func divertStdout() (*os.File, error) {
	real := os.Stdout
	os.Stdout = os.Stderr
	return real, nil
}

// closeOnExec has nothing to do where descriptors are not inherited.
func closeOnExec(uint64) {}
