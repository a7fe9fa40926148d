package rig

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrFaulty says that the log of a host holds what no host should ever have to say.
var ErrFaulty = errors.New("the host's log tells of a fault")

// faults are what a program says when it, not its caller, is at fault.
var faults = []string{"WARNING: DATA RACE", "panic", "fatal error:"}

// CheckLog looks for races, panics and the like in all that the host and its providers have logged so far.
func (h *Host) CheckLog() error {
	file, err := os.Open(h.LogPath())
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for number := 1; lines.Scan(); number++ {
		for _, fault := range faults {
			if strings.Contains(lines.Text(), fault) {
				return fmt.Errorf("%w: %q in line %d of %s", ErrFaulty, fault, number, h.LogPath())
			}
		}
	}
	return lines.Err()
}
