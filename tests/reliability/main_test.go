package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFiguresStandBetweenTheMarksAlone(t *testing.T) {
	written, err := between([]byte("before\n"+beginMark+"old\n"+endMark+"\nafter\n"), "new")
	require.NoError(t, err)
	require.Equal(t, "before\n"+beginMark+"\nnew\n"+endMark+"\nafter\n", string(written))
	for _, lost := range []string{"", beginMark, endMark, endMark + beginMark} {
		_, err := between([]byte(lost), "new")
		require.ErrorIs(t, err, errMarks)
	}
}

func TestEveryFigureIsTold(t *testing.T) {
	require.Empty(t, (&figures{}).table())
	f := &figures{Simulated: simulated{
		Seeds: 7, Counts: map[string]int{"host lost": 3}, Violations: map[string]int{"I4": 2},
	}}
	f.Planted.Planted = []caught{{"a mistake", "I2", 5}}
	f.Crashed = crashed{Cycles: 9, Kills: map[string]int{"host at intent": 4}, Violations: map[string]int{"orphan": 1}}
	table := f.table()
	for _, row := range []string{
		"7 seeds", "| host lost | 3 |", "| I1 | 0 |", "| I4 | 2 |", "| a mistake | I2 | 5 |", "9 cycles", "| host at intent | 4 |", "| orphan | 1 |",
	} {
		require.Contains(t, table, row)
	}
}
