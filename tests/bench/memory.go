package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// peakMemory is the largest resident size, in MB of 10^6 bytes, that a process and its children have had, summed. It reads
// /proc, which is Linux's alone.
func peakMemory(pid int) (float64, error) {
	children, err := childrenOf(pid)
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, each := range append(children, pid) {
		peak, err := peakOf(each)
		if err != nil {
			return 0, err
		}
		total += peak
	}
	return total, nil
}

func peakOf(pid int) (float64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("peak memory: %w", err)
	}
	for line := range bytes.Lines(content) {
		if value, ok := strings.CutPrefix(string(line), "VmHWM:"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kilobytes * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("peak memory: the status of process %d does not say", pid)
}

func childrenOf(pid int) ([]int, error) {
	statuses, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, path := range statuses {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it is gone
		}
		if child, parent, ok := parseStat(content); ok && parent == pid {
			children = append(children, child)
		}
	}
	return children, nil
}

// parseStat reads a process and its parent: "12 (a name) S 3 ...", where the name may hold anything.
func parseStat(content []byte) (pid, parent int, ok bool) {
	end := bytes.LastIndexByte(content, ')')
	words := bufio.NewScanner(bytes.NewReader(content[end+1:]))
	words.Split(bufio.ScanWords)
	number, _, _ := strings.Cut(string(content), " ")
	pid, err := strconv.Atoi(number)
	if err != nil || end < 0 || !words.Scan() || !words.Scan() {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(words.Text())
	return pid, parent, err == nil
}
