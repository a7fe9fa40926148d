//go:build unix

package serve

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// divertStdout sends whatever is printed from now on, by Go or by anything under it, to standard error, and gives the real
// standard output back: there, a single stray line would break the handshake.
func divertStdout() (*os.File, error) {
	kept, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("keep standard output: %w", err)
	}
	if err := unix.Dup2(2, 1); err != nil {
		return nil, fmt.Errorf("divert standard output: %w", err)
	}
	real := os.NewFile(uintptr(kept), "stdout")
	os.Stdout = os.Stderr
	return real, nil
}

// closeOnExec keeps a descriptor from what the provider starts.
func closeOnExec(fd uint64) { unix.CloseOnExec(int(fd)) }
