package rig

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Process is a provider process of a host.
type Process struct {
	PID      int
	Provider string
}

// Kill ends it as a power cut would. The host reaps it.
func (p Process) Kill() error { return syscall.Kill(p.PID, syscall.SIGKILL) }

// executablePrefix is how providers' executables are named.
const executablePrefix = "mgraph-provider-"

// Providers are the provider processes that the host has started and that live.
func (h *Host) Providers() []Process {
	if !h.Running() {
		return nil
	}
	var found []Process
	for _, pid := range children(h.PID()) {
		path, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
		name, isProvider := strings.CutPrefix(filepath.Base(path), executablePrefix)
		if err == nil && isProvider {
			found = append(found, Process{PID: pid, Provider: strings.TrimSuffix(name, " (deleted)")})
		}
	}
	return found
}

// children are the processes whose parent this is, zombies left out.
func children(parent int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var found []int
	for _, path := range stats {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		// pid (name) state ppid ...; a name may hold anything, also brackets.
		rest := bytes.Fields(content[bytes.LastIndexByte(content, ')')+1:])
		if len(rest) < 2 || string(rest[0]) == "Z" || string(rest[1]) != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
