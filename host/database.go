package host

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/postgres"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
)

// Database says where the store is: "sqlite", or empty, for a file in the data directory, which the host then has to itself; or the
// URL of a PostgreSQL database, which hosts share. It prints without what the URL may hold of a secret.
type Database string

// SQLite is the database that is a file in the data directory.
const SQLite Database = "sqlite"

// ErrDatabase says that a Database is neither of the two.
var ErrDatabase = errors.New(`the store must be "sqlite" or a URL that begins with postgres://`)

// String names the database, without the user, the password and the settings of a URL.
func (d Database) String() string {
	if d.local() {
		return string(SQLite)
	}
	address, err := url.Parse(string(d))
	if err != nil {
		return "postgres://***"
	}
	return address.Scheme + "://" + address.Host + address.EscapedPath()
}

// GoString is String.
func (d Database) GoString() string { return d.String() }

// MarshalText is String.
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Check answers ErrDatabase.
func (d Database) Check() error {
	if d.local() || strings.HasPrefix(string(d), "postgres://") || strings.HasPrefix(string(d), "postgresql://") {
		return nil
	}
	return ErrDatabase
}

// Password says whether the URL holds one, as far as can be told: what cannot be read may hold anything.
func (d Database) Password() bool {
	address, err := url.Parse(string(d))
	if err != nil {
		return true
	}
	_, given := address.User.Password()
	query := address.Query()
	return given || query.Has("password") || query.Has("sslpassword")
}

func (d Database) local() bool { return d == "" || d == SQLite }

// open opens the store, and gives the length of the leases on its runs: none for one that the host has to itself.
func (d Database) open(ctx context.Context, options *Options) (s store.Store, lease time.Duration, err error) {
	if err := d.Check(); err != nil {
		return nil, 0, err
	}
	log := options.Log.Named("store")
	if d.local() {
		file, err := sqlite.Open(ctx, options.DataDir, sqlite.Options{Log: log})
		if err != nil {
			return nil, 0, err
		}
		return file, 0, nil
	}
	database, err := postgres.Open(ctx, string(d), postgres.Options{Log: log})
	if err != nil {
		return nil, 0, err
	}
	return database, cmp.Or(options.Lease, engine.DefaultLease), nil
}
