package github

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryPageNamesAllOfItsType holds docs/resources to what the types are.
func TestEveryPageNamesAllOfItsType(t *testing.T) {
	made, err := New("1.0.0")
	require.NoError(t, err)
	about, err := made.Describe(t.Context())
	require.NoError(t, err)
	for _, kind := range about.ResourceTypes {
		page := filepath.Join("..", "..", "docs", "resources", strings.ReplaceAll(kind.Name, ":", "-")+".md")
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		var schema struct{ Properties map[string]any }
		require.NoError(t, json.Unmarshal(kind.Schema, &schema))
		names := []string{kind.Name}
		for name := range schema.Properties {
			names = append(names, name)
		}
		for _, role := range kind.References {
			names = append(names, role.Role)
		}
		for _, output := range kind.Outputs {
			names = append(names, output.Name)
		}
		for _, name := range names {
			require.Contains(t, string(text), "`"+name+"`", page)
		}
	}
}
