package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

func TestSettings(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{})
	require.NoError(t, err)
	defer s.Close()
	for name, want := range map[string][2]string{ // of the writer, of a reader
		"synchronous":     {"2", "2"},
		"journal_mode":    {"wal", "wal"},
		"foreign_keys":    {"1", "1"},
		"busy_timeout":    {"5000", "5000"},
		"query_only":      {"0", "1"},
		"integrity_check": {"ok", "ok"},
	} {
		for i, db := range []*sql.DB{s.writer, s.reader} {
			var value string
			require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value))
			require.Equal(t, want[i], value, name)
		}
	}
	_, err = s.reader.ExecContext(t.Context(), "DELETE FROM meta")
	require.Error(t, err, "a reader must not write")
}

func TestVersionOfSQLite(t *testing.T) {
	for version, ok := range map[string]bool{
		"3.51.3": true, "3.52.0": true, "4.0.0": true, "3.51.2": false, "3.9.99": false, "": false, "new": false,
	} {
		if ok {
			require.NoError(t, safe(version), version)
		} else {
			require.ErrorIs(t, safe(version), store.ErrUnsafe, version)
		}
	}
}

// inspect refuses a connection that would acknowledge what is not on the disk.
func TestUnsafeSettingsAreRefused(t *testing.T) {
	for name, settings := range map[string]string{
		"synchronous":  common + "&_journal_mode=WAL&_synchronous=NORMAL",
		"journal":      common + "&_journal_mode=DELETE&_synchronous=FULL",
		"foreign keys": "_journal_mode=WAL&_synchronous=FULL",
	} {
		db, err := connect(filepath.Join(t.TempDir(), fileName), settings, 1)
		require.NoError(t, err)
		require.ErrorIs(t, inspect(t.Context(), db), store.ErrUnsafe, name)
		require.NoError(t, db.Close())
	}
}

// A caller that goes away does not leave a write half done.
func TestTransactionsAreNotCutOff(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{})
	require.NoError(t, err)
	defer s.Close()
	ctx, leave := context.WithCancel(t.Context())
	require.NoError(t, s.write(ctx, "test", func(ctx context.Context, tx *sql.Tx) error {
		leave()
		_, err := tx.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ('a', 'b')")
		return err
	}))
	var value string
	require.NoError(t, s.reader.QueryRowContext(t.Context(), "SELECT value FROM meta WHERE name = 'a'").Scan(&value))
}

// edit changes a store's file behind its back.
func edit(t *testing.T, dir string, statements ...string) {
	db, err := connect(filepath.Join(dir, fileName), writing, 1)
	require.NoError(t, err)
	for _, statement := range statements {
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

func openAndClose(ctx context.Context, dir string, options Options) error {
	s, err := Open(ctx, dir, options)
	if err != nil {
		return err
	}
	return s.Close()
}

func TestMigrationsAreAppliedOnce(t *testing.T) {
	dir := t.TempDir()
	schemaOf := func() (text string) {
		db, err := connect(filepath.Join(dir, fileName), reading, 1)
		require.NoError(t, err)
		defer db.Close()
		require.NoError(t, db.QueryRowContext(t.Context(),
			"SELECT group_concat(sql) || (SELECT count(*) FROM goose_db_version) FROM sqlite_schema").Scan(&text))
		return text
	}
	require.NoError(t, openAndClose(t.Context(), dir, Options{}))
	first := schemaOf()
	require.NoError(t, openAndClose(t.Context(), dir, Options{}))
	require.NoError(t, openAndClose(t.Context(), dir, Options{NoMigrate: true}))
	require.Equal(t, first, schemaOf())

	// A program that was killed before the first step leaves a file that the next one finishes.
	torn := t.TempDir()
	require.NoError(t, prepareFile(filepath.Join(torn, fileName)))
	edit(t, torn, "PRAGMA application_id = 1296519236", "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT,"+
		" version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)")
	require.NoError(t, openAndClose(t.Context(), torn, Options{}))
}

func TestOtherSchemasAreRefused(t *testing.T) {
	dir := t.TempDir()
	var schema *store.SchemaError
	require.ErrorAs(t, openAndClose(t.Context(), dir, Options{NoMigrate: true}), &schema)
	require.Equal(t, int64(0), schema.Found)
	require.ErrorContains(t, schema, "start the host once")

	require.NoError(t, openAndClose(t.Context(), dir, Options{}))
	edit(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	for _, options := range []Options{{}, {NoMigrate: true}} {
		err := openAndClose(t.Context(), dir, options)
		require.ErrorAs(t, err, &schema)
		require.Equal(t, int64(999), schema.Found)
		require.ErrorContains(t, err, "newer program")
	}

	foreign := t.TempDir()
	require.NoError(t, prepareFile(filepath.Join(foreign, fileName)))
	edit(t, foreign, "CREATE TABLE recipes (name TEXT)")
	require.ErrorIs(t, openAndClose(t.Context(), foreign, Options{}), ErrForeign)
}

func TestDamagedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	require.NoError(t, os.WriteFile(path, []byte("this is not a database, nor will it ever be one"), 0o600))
	require.ErrorIs(t, openAndClose(t.Context(), dir, Options{}), store.ErrDamaged)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), "nor will it ever be", "what is refused is left as it is")

	dir = t.TempDir()
	path = filepath.Join(dir, fileName)
	require.NoError(t, openAndClose(t.Context(), dir, Options{}))
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	info, err := file.Stat()
	require.NoError(t, err)
	garbage := make([]byte, info.Size()-4096)
	for i := range garbage {
		garbage[i] = 0x5a
	}
	_, err = file.WriteAt(garbage, 4096)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.ErrorIs(t, openAndClose(t.Context(), dir, Options{}), store.ErrDamaged)
}
