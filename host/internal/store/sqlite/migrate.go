package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hashicorp/go-hclog"
	"github.com/pressly/goose/v3"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a SQLite file as this program's: "MGPD".
const applicationID = 1296519236

// ErrForeign: the file is a SQLite database of another program.
var ErrForeign = errors.New("not a database of this program")

// migrate brings the schema up to date, each step in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB, options Options) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fault("migrate", err)
	}
	steps, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fault("migrate", err)
	}
	sources := steps.ListSources()
	known := sources[len(sources)-1].Version
	found, err := schema(ctx, db)
	if err != nil {
		return fault("migrate", err)
	}
	if found > known || (found < known && options.NoMigrate) {
		return fault("migrate", &store.SchemaError{Found: found, Known: known})
	}
	if found == known {
		return nil
	}
	return fault("migrate", up(ctx, db, steps, options.Log))
}

func up(ctx context.Context, db *sql.DB, steps *goose.Provider, log hclog.Logger) error {
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	done, err := steps.Up(ctx)
	for _, step := range done {
		log.Info("store migrated", "schema", step.Source.Version)
	}
	return err
}

// schema is the version of the store's schema, 0 for an empty file.
func schema(ctx context.Context, db *sql.DB) (version int64, err error) {
	var tables, id int64
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, err
	}
	if id != applicationID {
		return 0, ErrForeign
	}
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&version)
	return version, err
}
