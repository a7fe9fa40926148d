package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAFewCycles runs the program itself on what needs no stand-in; CI runs many more, against moto, by make crash.
func TestAFewCycles(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the host")
	}
	var out bytes.Buffer
	require.Zero(t, run([]string{"-target", "noop", "-cycles", "4", "-lanes", "3", "-seed", "1"}, &out), "%s", &out)
	require.Contains(t, out.String(), "7 cycles ", "an undisturbed one comes first in each lane")
	for _, store := range []string{storeSQLite, storePostgres, storeShared} {
		require.Regexp(t, `cycle +0  `+store+` `, out.String())
	}
}

func TestWhatCannotBeRunIsRefused(t *testing.T) {
	for _, arguments := range []string{"-target mars", "-store cloud", "-victim nobody", "-store sqlite -victim database", "-store postgres -victim freeze", "-cycles 0", "-lanes 0", "-unknown"} {
		var out bytes.Buffer
		require.Equal(t, 2, run(strings.Fields(arguments), &out), arguments)
	}
}

// TestTheTapTellsOfOneRequest: the n-th that changes something, and on which side of the stand-in it is.
func TestTheTapTellsOfOneRequest(t *testing.T) {
	for _, where := range []side{sideBefore, sideAfter, sideLate} {
		t.Run(string(where), func(t *testing.T) {
			var did []string
			stand := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				did = append(did, r.Method+r.URL.Path)
				w.WriteHeader(http.StatusTeapot)
			})
			requests := &tap{}
			handler := requests.watch("aws", stand)
			ask := func(method, path, body string) int {
				r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
				if body != "" {
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				return w.Code
			}
			requests.arm(2, where, func(provider string) { did = append(did, "told of "+provider) })
			ask("GET", "/read", "")
			ask("POST", "/list", "Action=ListRoles")
			ask("PUT", "/first", "")
			require.NotContains(t, did, "told of aws")
			require.Equal(t, http.StatusTeapot, ask("POST", "/second", "Action=CreateRole"))
			last := []string{"told of aws", "POST/second"}
			if where == sideAfter {
				last = []string{"POST/second", "told of aws"}
			}
			require.Equal(t, last, did[len(did)-2:])
			ask("PUT", "/third", "")
			require.Equal(t, "PUT/third", did[len(did)-1], "it tells once")
			require.Equal(t, 3, requests.writes())
		})
	}
}
