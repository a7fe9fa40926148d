package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/Masterminds/semver/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// oldest is the first SQLite whose write-ahead log cannot be corrupted by a reset at the wrong moment.
var oldest = semver.MustParse("3.51.3")

// The settings of a connection that writes, and of one that reads.
const (
	common  = "_busy_timeout=5000&_foreign_keys=1&_dqs=0&_defensive=1&_error_rc=1"
	writing = common + "&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate" +
		"&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(67108864)"
	reading = common + "&_query_only=1"
)

func address(path, settings string) string {
	place := url.URL{Scheme: "file", Path: path, RawQuery: settings}
	return place.String()
}

// inspect proves, on the connection itself, what durability and integrity rest on.
func inspect(ctx context.Context, db *sql.DB) error {
	var version, journal string
	var synchronous, foreignKeys int
	for query, value := range map[string]any{
		"SELECT sqlite_version()": &version,
		"PRAGMA journal_mode":     &journal,
		"PRAGMA synchronous":      &synchronous,
		"PRAGMA foreign_keys":     &foreignKeys,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(value); err != nil {
			return fault("open", err)
		}
	}
	if err := safe(version); err != nil {
		return fault("open", err)
	}
	if journal != "wal" || synchronous != 2 || foreignKeys != 1 {
		return fault("open", fmt.Errorf("%w: journal_mode %s, synchronous %d, foreign_keys %d",
			store.ErrUnsafe, journal, synchronous, foreignKeys))
	}
	return nil
}

func safe(version string) error {
	found, err := semver.NewVersion(version)
	if err != nil {
		return fmt.Errorf("%w: its version is unreadable", store.ErrUnsafe)
	}
	if found.LessThan(oldest) {
		return fmt.Errorf("%w: version %s, needs %s", store.ErrUnsafe, found, oldest)
	}
	return nil
}

// damaged says that the file is not one SQLite can read.
func damaged(answer *sqlite.Error) bool {
	primary := answer.Code() & 0xff
	return primary == sqlite3.SQLITE_CORRUPT || primary == sqlite3.SQLITE_NOTADB
}

// constrained says that a row broke a rule of its table: its writer's fault, not the store's.
func constrained(err error) bool {
	var answer *sqlite.Error
	return errors.As(err, &answer) && answer.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
}

// taken says that a unique value is in use.
func taken(err error) bool {
	var answer *sqlite.Error
	return errors.As(err, &answer) &&
		(answer.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || answer.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
