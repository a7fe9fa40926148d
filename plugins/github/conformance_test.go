package github

import (
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/conformance"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
)

// TestConformance holds the provider, as a process of its own, to the rules of the protocol. GitHub never shows a value, so that
// a changed one cannot be seen by Verify: there are no changed properties here.
func TestConformance(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	fake := githubfake.New(githubfake.Options{})
	fake.AddToken(githubfake.Token{Value: token, Login: "me", Scopes: []string{"repo"}})
	require.NoError(t, fake.AddRepo(githubfake.Repo{Owner: "my-org", Name: "my-app", Private: true}))
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	conformance.Run(t, conformance.Target{
		Binary: executable, Env: []string{asProvider + "=yes"},
		Settings:    map[string]any{"endpoint": server.URL},
		Credentials: map[string]any{"encrypted_pat": token},
		Cases: []conformance.Case{{
			Type:       "github:secret:repo",
			Properties: map[string]any{"owner": "my-org", "repo": "my-app", "secret_name": "A_SECRET", "encrypted_value": secret},
		}},
		Count: func() (int, error) { return len(fake.Secrets("my-org", "my-app")), nil },
	})
}
