package e2e_test

import (
	"database/sql"
	"net/url"
	"path/filepath"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // to count rows in the host's own database file
)

// rows counts what is stored, table by table, beside the host.
func (s *site) rows() map[string]int {
	s.Helper()
	address := url.URL{
		Scheme: "file", Path: filepath.Join(s.DataDir, "mgraph-deploy.db"), RawQuery: "mode=ro&_pragma=busy_timeout(5000)",
	}
	db, err := sql.Open("sqlite", address.String())
	require.NoError(s, err)
	defer func() { _ = db.Close() }()
	counts := map[string]int{}
	for _, table := range []string{"deployments", "graphs", "logical_resources", "placements", "runs", "events", "logs", "api_keys"} {
		var count int
		require.NoError(s, db.QueryRowContext(s.ctx, "SELECT count(*) FROM "+table).Scan(&count))
		counts[table] = count
	}
	return counts
}
