package conformance_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/conformance"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

// asProvider makes the test binary the provider that is judged.
const asProvider = "CONFORMANCE_TEST_PROVIDER"

func TestMain(m *testing.M) {
	if os.Getenv(asProvider) != "" {
		serve.MainVersion("1.2.3", noop.New)
	}
	if flaw := os.Getenv(asFlawed); flaw != "" {
		serveFlawed(flaw)
	}
	goleak.VerifyTestMain(m)
}

func TestNoop(t *testing.T) {
	dir := t.TempDir()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string]any{"value": "another", "secret": "another property secret"}
	conformance.Run(t, conformance.Target{
		Binary: executable, Env: []string{asProvider + "=yes", noWait},
		Settings:    map[string]any{"dir": filepath.Join(dir, "things")},
		Credentials: map[string]any{"token": "token", "encrypted_secret": "a credential secret"},
		Region:      "eu-west-1",
		Cases: []conformance.Case{
			{Type: "noop:thing", Properties: map[string]any{"name": "data", "value": "one", "secret": "a property secret"}, Changed: changed},
			{Type: "noop:regional", Properties: map[string]any{"value": "one"}, Changed: map[string]any{"value": "two"},
				References: map[string]any{"from": "one"}},
			{Type: "noop:named", Properties: map[string]any{"name": "data", "value": "one"}, Changed: map[string]any{"value": "two"}},
		},
		Composites: []conformance.Case{
			{Type: "noop:stack", Properties: map[string]any{"value": "one", "size": 4}, References: map[string]any{"from": "one"}},
			{Type: "noop:stack", Properties: map[string]any{"size": 0}},
			{Type: "noop:site", Properties: map[string]any{}},
		},
		Count: func() (int, error) { return noop.Count(filepath.Join(dir, "things")) },
	})
}
