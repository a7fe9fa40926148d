package postgres

import (
	"context"
	"embed"
	"io/fs"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versions is the table that goose writes, under a name of our own: another program may have one of its own beside it.
const versions = "mgraph_deploy_schema"

// migrate brings the schema up to date, each step in a transaction of its own.
func (s *Store) migrate(ctx context.Context, config *pgx.ConnConfig, options Options) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fault("migrate", err)
	}
	db := stdlib.OpenDB(*config)
	defer db.Close()
	steps, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true), goose.WithTableName(versions))
	if err != nil {
		return fault("migrate", err)
	}
	sources := steps.ListSources()
	known := sources[len(sources)-1].Version
	found, err := s.schema(ctx)
	if err != nil {
		return fault("migrate", err)
	}
	if found > known || (found < known && options.NoMigrate) {
		return fault("migrate", &store.SchemaError{Found: found, Known: known})
	}
	if found == known {
		return nil
	}
	return s.alone(ctx, func(ctx context.Context) error { return up(ctx, steps, options.Log) })
}

func up(ctx context.Context, steps *goose.Provider, log hclog.Logger) error {
	done, err := steps.Up(ctx)
	for _, step := range done {
		log.Info("store migrated", "schema", step.Source.Version)
	}
	return err
}

// alone runs do while no other host migrates: each holds the one row of a table meanwhile.
func (s *Store) alone(ctx context.Context, do func(context.Context) error) error {
	const table = "mgraph_deploy_migration"
	// Two that make the table at once: one of them is refused, and finds it made.
	for range 2 {
		if _, err := s.writer.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (one integer PRIMARY KEY)"); err != nil && !made(err) {
			return fault("migrate", err)
		}
	}
	if _, err := s.writer.Exec(ctx, "INSERT INTO "+table+" VALUES (1) ON CONFLICT DO NOTHING"); err != nil {
		return fault("migrate", err)
	}
	tx, err := s.writer.Begin(ctx)
	if err != nil {
		return fault("migrate", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, statement := range []string{
		"SET LOCAL idle_in_transaction_session_timeout = 0", "SELECT one FROM " + table + " FOR UPDATE",
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fault("migrate", err)
		}
	}
	return fault("migrate", do(ctx))
}

// schema is the version of the store's schema, 0 where there is none.
func (s *Store) schema(ctx context.Context) (version int64, err error) {
	var there bool
	if err := s.writer.QueryRow(ctx, "SELECT to_regclass('"+versions+"') IS NOT NULL").Scan(&there); err != nil || !there {
		return 0, err
	}
	err = s.writer.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+versions).Scan(&version)
	return version, err
}
