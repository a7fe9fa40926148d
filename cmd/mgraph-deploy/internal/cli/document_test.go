package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestDocumentKeepsEveryByteButCredentials(t *testing.T) {
	mine := map[string]json.RawMessage{"aws": json.RawMessage(`{"k":1}`)}
	tests := []struct{ name, text, want string }{
		{"empty", ` {} `, `{"credentials":{"aws":{"k":1}}}`},
		{"none", `{"a": 1,  "a": 2}`, `{"credentials":{"aws":{"k":1}},"a": 1,  "a": 2}`},
		{"some", `{"a":1, "credentials" : {"x":{}} , "b":[ ]}`, `{"a":1, "credentials" : {"aws":{"k":1},"x":{}} , "b":[ ]}`},
		{"of another form", `{"credentials":7}`, `{"credentials":{"aws":{"k":1}},"credentials":7}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := parseDocument([]byte(test.text))
			require.NoError(t, err)
			with, err := d.with(mine)
			require.NoError(t, err)
			require.Equal(t, test.want, string(with))
			without, err := d.with(nil)
			require.NoError(t, err)
			require.Equal(t, strings.TrimSpace(test.text), string(without))
		})
	}
}

func TestDocumentSaysWhatItNeeds(t *testing.T) {
	d, err := parseDocument([]byte(`{"deployment_id":"demo","credentials":{"github":{}},"resources":{
		"a":{"type":"noop:thing"},"b":{"type":"aws:s3:bucket"},"c":{"type":"aws:iam:role"},"d":{"type":"github:repo"},"e":{"type":"odd"},"f":7}}`))
	require.NoError(t, err)
	require.Equal(t, "demo", d.DeploymentID)
	require.Equal(t, []string{"aws", "noop"}, d.needs(), "what is of another form is the host's to refuse")

	d, err = parseDocument([]byte(`{"resources":{"a":{"type":"noop:thing"},"b":{"type":"aws:s3:bucket"},"c":{"type":"aws:iam:role"}}}`))
	require.NoError(t, err)
	require.Equal(t, []string{"aws", "noop"}, d.needs())
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(twoThings))
	f.Add([]byte(`{"credentials":{"a":{}},"credentials":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := parseDocument(text)
		if err != nil {
			return
		}
		with, err := d.with(map[string]json.RawMessage{"aws": json.RawMessage(`{}`)})
		require.NoError(t, err)
		require.True(t, json.Valid(with), string(with))
	})
}

func TestTerminalIsNotSteered(t *testing.T) {
	require.Equal(t, "a [31mred  b", printable("a\x1b[31mred\r\nb"))
	require.Equal(t, "grün ✓", printable("grün ✓"))
}

func TestLinesSayWhatHappened(t *testing.T) {
	var out strings.Builder
	shown := &lines{out: &out, started: map[string]rest.Time{}}
	shown.begin(&rest.RunResult{RunID: "7ac40001", GraphID: "5bec1234"})
	for _, event := range []rest.Event{
		{Kind: rest.EventIntent, ResourceID: "a", Region: "eu-west-1", Attempt: 2, Operation: "1@eu-west-1"},
		{Kind: rest.EventProgress, ResourceID: "a", Message: "waiting"},
		{Kind: rest.EventEnded, ResourceID: "a", Status: "failed", Error: &rest.Diagnostic{Summary: "no\x1bway"}},
		{Kind: rest.EventChanged, Operations: []string{"2", "3"}, Status: "blocked"},
		{Kind: rest.EventRunChanged, RunStatus: "failed", Reason: "an operation failed"},
	} {
		shown.event(event)
	}
	require.Equal(t, `run 7ac40001 of graph 5bec1234
00:00:00 a@eu-west-1: begun, attempt 2
00:00:00 a: waiting
00:00:00 a: failed: no way
00:00:00 2 operations blocked
00:00:00 run failed: an operation failed
`, out.String())
}

func TestBarCountsAndEnds(t *testing.T) {
	var out buffer
	shown := &bar{out: &out, verb: "apply", running: map[string]string{}}
	shown.begin(&rest.RunResult{RunID: "7ac40001", Counts: rest.Counts{Total: 2}})
	shown.event(rest.Event{Kind: rest.EventIntent, Operation: "1", ResourceID: "a"})
	require.Equal(t, "a", shown.inFlight())
	shown.event(rest.Event{Kind: rest.EventEnded, Operation: "1", ResourceID: "a", Status: "completed"})
	shown.event(rest.Event{Kind: rest.EventEnded, Operation: "2", ResourceID: "b", Status: "failed", Error: &rest.Diagnostic{Summary: "no"}})
	require.Empty(t, shown.inFlight())
	shown.end()
	(&bar{}).end()
}
