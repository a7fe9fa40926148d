package api

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{"", "*/*", "text/event-stream, application/json;q=0.5", ";;", "a/b;q=NaN", "application/*;q=0,*/*"} {
		f.Add(seed)
	}
	offers := []string{eventStreamType, "application/json"}
	f.Fuzz(func(t *testing.T, accept string) {
		chosen, ok := negotiate([]string{accept}, offers)
		require.True(t, chosen == "" || ok && slices.Contains(offers, chosen))
	})
}

func FuzzPrefer(f *testing.F) {
	for _, seed := range []string{"", "respond-async, wait=10", `wait="5"`, "wait=99999999999999999999", "wait=9227000000", "wait=-1,,=", "WAIT=1;x=y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		wanted := preferenceOf([]string{header})
		require.LessOrEqual(t, wanted.wait, maxWait)
		require.True(t, wanted.wait >= 0 || wanted.wait == -1)
	})
}

func TestNegotiation(t *testing.T) {
	offers := []string{eventStreamType, "application/json"}
	for accept, want := range map[string]string{
		"":                 "",
		"*/*":              eventStreamType,
		"application/json": "application/json",
		"application/*":    "application/json",
		"text/event-stream;q=0.1, application/json;q=0.2": "application/json",
		"*/*;q=0.5, application/json":                     "application/json",
		"text/event-stream;q=0, */*":                      "application/json",
		"APPLICATION/JSON; charset=utf-8":                 "application/json",
	} {
		chosen, ok := negotiate([]string{accept}, offers)
		require.True(t, ok, accept)
		require.Equal(t, want, chosen, accept)
	}
}
