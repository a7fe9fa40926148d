package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/postgres"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

func openAndClose(ctx context.Context, address string, options postgres.Options) error {
	s, err := postgres.Open(ctx, address, options)
	if err != nil {
		return err
	}
	return s.Close()
}

// Hosts that start at once over an empty database make one store of it.
func TestHostsThatStartAtOnceMakeOneStore(t *testing.T) {
	address := pgserver.Shared(t).Schema(t)
	results := make([]error, 6)
	var wait sync.WaitGroup
	for i := range results {
		wait.Go(func() { results[i] = openAndClose(t.Context(), address, postgres.Options{}) })
	}
	wait.Wait()
	for _, err := range results {
		require.NoError(t, err)
	}
	require.NoError(t, openAndClose(t.Context(), address, postgres.Options{NoMigrate: true}))
}

func TestOtherSchemasAreRefused(t *testing.T) {
	server := pgserver.Shared(t)
	address := server.Schema(t)
	var schema *store.SchemaError
	require.ErrorAs(t, openAndClose(t.Context(), address, postgres.Options{NoMigrate: true}), &schema)
	require.Equal(t, int64(0), schema.Found)
	s := open(t, address)
	require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO mgraph_deploy_schema (version_id, is_applied) VALUES (999, true)")
		return err
	}))
	require.NoError(t, s.Close())
	for _, options := range []postgres.Options{{}, {NoMigrate: true}} {
		err := openAndClose(t.Context(), address, options)
		require.ErrorAs(t, err, &schema)
		require.Equal(t, int64(999), schema.Found)
		require.ErrorContains(t, err, "newer program")
	}
}

// What would acknowledge and not keep is refused, and what a failover could lose is said.
func TestDurabilityIsChecked(t *testing.T) {
	address := pgserver.Shared(t).Schema(t)
	err := openAndClose(t.Context(), address+"&synchronous_commit=off", postgres.Options{})
	require.ErrorIs(t, err, store.ErrUnsafe)
	require.ErrorContains(t, err, "synchronous_commit is off")
	for _, setting := range []string{"on", "local", "remote_write", "remote_apply"} {
		s := open(t, address+"&synchronous_commit="+setting)
		standing, err := s.Standing(t.Context())
		require.NoError(t, err)
		require.Equal(t, "postgres", standing.Kind)
		require.Contains(t, standing.Loss, "fsync is off", "the tests' server does not sync")
		require.NoError(t, s.Close())
	}
}

// A server that syncs keeps through a crash what was acknowledged, and says what a failover could lose.
func TestACrashOfTheServerLosesNothing(t *testing.T) {
	server, err := pgserver.Start(t.Context(), pgserver.Options{Fsync: true})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	address := server.Schema(t)
	s := open(t, address)
	defer s.Close()
	standing, err := s.Standing(t.Context())
	require.NoError(t, err)
	require.Contains(t, standing.Loss, "no synchronous standby")

	run := begin(t, s, 1, 10, time.Hour)
	for range 20 {
		commit(t, s, run.write(), run.write())
	}
	require.NoError(t, server.Crash(t.Context()))
	events, err := s.Events(t.Context(), "run-1", 0, 0)
	require.NoError(t, err, "what changes nothing is asked again on a connection that is made anew")
	require.Len(t, events, 41)
	commit(t, s, run.write())

	require.NoError(t, server.Exec(t.Context(), "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"))
	for setting, loss := range map[string]string{"local": "is local", "remote_write": "is remote_write", "on": "", "remote_apply": ""} {
		require.Eventually(t, func() bool {
			other := open(t, address+"&synchronous_commit="+setting)
			defer other.Close()
			standing, err := other.Standing(t.Context())
			require.NoError(t, err)
			return strings.Contains(standing.Loss, loss) && (standing.Loss == "") == (loss == "")
		}, time.Minute, 10*time.Millisecond, setting)
	}
	// No commit ends any more before a standby has it.
	require.NoError(t, server.Exec(t.Context(), "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"))
}

// A server that is not there is told from a store that is wrong: whoever asks is to ask again.
func TestAServerThatIsGoneIsSaidToBe(t *testing.T) {
	server, err := pgserver.Start(t.Context(), pgserver.Options{})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	if !server.Ours() {
		t.Skip("the server is not ours to end")
	}
	s := open(t, server.URL)
	defer s.Close()
	run := begin(t, s, 1, 1, time.Hour)
	server.Stop()
	for range 3 { // on a connection that broke, and on none
		_, err = s.Events(t.Context(), "run-1", 0, 0)
		require.ErrorIs(t, err, store.ErrUnavailable)
		_, err = s.Commit(t.Context(), []store.Write{run.write()})
		require.ErrorIs(t, err, store.ErrUnavailable)
	}
}

// No error shows the password, whatever is wrong.
func TestPasswordsAreNotShown(t *testing.T) {
	const canary = "c4n4ry-p4ssw0rd"
	right, err := url.Parse(pgserver.Shared(t).URL)
	require.NoError(t, err)
	for name, address := range map[string]string{
		"wrong password": fmt.Sprintf("postgres://mgraph:%s@%s/postgres", canary, right.Host),
		"nobody there":   fmt.Sprintf("postgres://mgraph:%s@127.0.0.1:1/postgres?connect_timeout=2", canary),
		"no such port":   fmt.Sprintf("postgres://mgraph:%s@127.0.0.1:99999/postgres", canary),
		"no such option": fmt.Sprintf("postgres://mgraph:%s@127.0.0.1/postgres?sslmode=%s", canary, "magic"),
		"not a URL":      fmt.Sprintf("postgres://mgraph:%s@127.0.0.1/%%zz", canary),
		"settings":       fmt.Sprintf("host=127.0.0.1 port=1 user=mgraph password=%s sslmode=magic", canary),
		"no host":        fmt.Sprintf("postgres://mgraph:%s@[::1/postgres", canary),
	} {
		err := openAndClose(t.Context(), address, postgres.Options{})
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), canary, name)
		require.NotContains(t, fmt.Sprintf("%+v", err), canary, name)
	}
}
