package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// oldest is the first server that draws random ids by itself.
const oldest = 130000

const (
	connectTimeout = 10 * time.Second
	// idleInTransaction ends the transaction of a host that stopped in the middle of one: what it has locked is waited for.
	idleInTransaction = "10s"
)

func parse(address string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fault("open", err)
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"application_name": "mgraph-deploy", "idle_in_transaction_session_timeout": idleInTransaction,
		"default_transaction_isolation": "read committed", "timezone": "UTC",
	} {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
	return config, nil
}

// inspect proves, on a connection itself, what durability rests on.
func (s *Store) inspect(ctx context.Context) error {
	var version int
	var commit, encoding string
	var standby bool
	err := s.writer.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('synchronous_commit'),
		current_setting('server_encoding'), pg_is_in_recovery()`).Scan(&version, &commit, &encoding, &standby)
	if err != nil {
		return fault("open", err)
	}
	why := ""
	switch {
	case version < oldest:
		why = fmt.Sprintf("server version %d, needs %d", version/10000, oldest/10000)
	case standby:
		why = "this server is a standby: name the primary"
	case commit == "off":
		why = "synchronous_commit is off: what is acknowledged would not be on the disk"
	case encoding != "UTF8":
		why = "the encoding of the database is not UTF8"
	default:
		return nil
	}
	return fault("open", fmt.Errorf("%w: %s", store.ErrUnsafe, why))
}

// Standing implements store.Registry.
func (s *Store) Standing(ctx context.Context) (store.Standing, error) {
	standing := store.Standing{Kind: "postgres"}
	var commit, names, fsync string
	var replicas int
	err := s.row(ctx, "standing", `SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
		current_setting('fsync'), (SELECT count(*) FROM pg_stat_replication)`, nil, &commit, &names, &fsync, &replicas)
	if err != nil {
		return standing, err
	}
	switch {
	case fsync == "off":
		standing.Loss = "fsync is off: a crash of the server can lose what was acknowledged"
	case names == "" && replicas > 0:
		standing.Loss = "replicas follow asynchronously: a failover can lose what was acknowledged"
	case names == "":
		standing.Loss = "there is no synchronous standby: a failover to a replica or a backup can lose what was acknowledged"
	case commit == "local":
		standing.Loss = "synchronous_commit is local: a failover can lose what was acknowledged"
	case commit == "remote_write":
		standing.Loss = "synchronous_commit is remote_write: a failover to a standby whose machine crashed can lose what was acknowledged"
	}
	return standing, nil
}
