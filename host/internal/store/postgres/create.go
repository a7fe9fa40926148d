package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// CreateRun implements store.Runs. The row of the deployment is locked first: of all that create a run of it one goes on.
func (s *Store) CreateRun(ctx context.Context, run store.NewRun) error {
	if err := run.Check(); err != nil {
		return fault("create run", err)
	}
	return s.write(ctx, "create run", func(ctx context.Context, tx pgx.Tx) error {
		if err := useKey(ctx, tx, run.Idempotency, false); err != nil {
			return err
		}
		for _, graph := range run.Graphs() {
			if err := insertGraph(ctx, tx, graph); err != nil {
				return err
			}
		}
		c := &creation{ctx: ctx, tx: tx, run: run}
		err := tx.QueryRow(ctx, "SELECT number, accounts FROM deployments WHERE tenant = $1 AND id = $2 FOR NO KEY UPDATE",
			run.Run.Tenant, run.Run.DeploymentID).Scan(&c.deployment, &c.accounts)
		if err != nil {
			return err
		}
		return c.do()
	})
}

// creation is one run being created, in one transaction.
type creation struct {
	ctx        context.Context
	tx         pgx.Tx
	run        store.NewRun
	deployment int64
	accounts   []byte
}

func (c *creation) do() error {
	for _, step := range []func() error{
		c.checkGraphs, c.yieldOrSupersede, c.mayBegin, c.moveHead, c.pinAccounts, c.insert,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (c *creation) checkGraphs() error {
	for _, id := range []string{c.run.Run.GraphID, c.run.Run.PlanGraphID} {
		var of int64
		err := c.tx.QueryRow(c.ctx, "SELECT deployment FROM graphs WHERE id = $1", id).Scan(&of)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && of != c.deployment {
			err = store.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("graph of the run: %w", err)
		}
	}
	return nil
}

// rival is an unfinished run of the deployment.
type rival struct {
	id              string
	number, version int64
	status          execution.RunStatus
}

// yieldOrSupersede gives way to an unfinished run of the deployment, or cancels one that waits if it may. A verification
// changes nothing: it neither gives way nor is in the way.
func (c *creation) yieldOrSupersede() error {
	if c.run.Run.Kind == execution.Verify {
		return nil
	}
	rivals, err := c.rivals()
	if err != nil {
		return err
	}
	for _, r := range rivals {
		if r.status.Active() {
			return &store.ActiveRunError{RunID: r.id}
		}
	}
	for _, r := range rivals {
		if !c.run.Supersede {
			return &store.ActiveRunError{RunID: r.id}
		}
		if err := c.supersede(r); err != nil {
			return err
		}
	}
	return nil
}

// rivals locks them: one that waits may be about to go on, on another host.
func (c *creation) rivals() (rivals []rival, err error) {
	rows, err := c.tx.Query(c.ctx, `SELECT id, number, version, status FROM runs
		WHERE deployment = $1 AND kind <> 'verify' AND status NOT IN ('completed', 'cancelled')
		ORDER BY number FOR NO KEY UPDATE`, c.deployment)
	err = each(rows, err, func(rows pgx.Rows) error {
		var r rival
		err := rows.Scan(&r.id, &r.number, &r.version, &r.status)
		rivals = append(rivals, r)
		return err
	})
	return rivals, err
}

// supersede ends a waiting run. The new token fences who may still hold it.
func (c *creation) supersede(r rival) error {
	event := row.Superseded(r.id, r.version, &c.run.Run)
	if err := c.event(r.number, &event); err != nil {
		return err
	}
	_, err := c.tx.Exec(c.ctx, `UPDATE runs SET version = $1, status = $2, updated_at = $3, completed_at = $3, owner = '',
		lease_until = NULL, cancel_by = '', token = token + 1 WHERE number = $4`,
		event.Version, string(event.RunStatus), row.Nanos(event.At), r.number)
	return err
}

// mayBegin counts the tenant's active runs, once those that yield have. The tenant's row is the last that is locked, so that those
// who create runs of other deployments wait for no more than this.
func (c *creation) mayBegin() error {
	if c.run.MaxActive <= 0 {
		return nil
	}
	_, err := c.tx.Exec(c.ctx, "INSERT INTO tenants (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id", c.run.Run.Tenant)
	if err != nil {
		return err
	}
	var active int
	err = c.tx.QueryRow(c.ctx, "SELECT count(*) FROM runs WHERE tenant = $1 AND status IN ('queued', 'running', 'cancelling')",
		c.run.Run.Tenant).Scan(&active)
	if err == nil && active >= c.run.MaxActive {
		err = store.ErrTooMany
	}
	return err
}

func (c *creation) moveHead() error {
	if c.run.Head == "" && c.run.PreviousHead == "" {
		return nil
	}
	return moveHead(c.ctx, c.tx, c.deployment, c.run.Head, c.run.PreviousHead)
}

// moveHead checks what the caller believes to be the head, and moves it to a graph where one is named. What has a new head is
// not destroyed any more. The deployment's row is locked already.
func moveHead(ctx context.Context, tx pgx.Tx, deployment int64, graphID, previous string) error {
	var head string
	err := tx.QueryRow(ctx, `SELECT coalesce(g.id, '') FROM deployments d LEFT JOIN graphs g ON g.number = d.head
		WHERE d.number = $1`, deployment).Scan(&head)
	if err != nil {
		return err
	}
	if head != previous {
		return fmt.Errorf("head: %w", store.ErrStale)
	}
	if graphID == "" {
		return nil
	}
	err = mustTouch(tx.Exec(ctx, `UPDATE deployments d SET destroyed = false, head = g.number
		FROM graphs g WHERE g.id = $1 AND g.deployment = d.number AND d.number = $2`, graphID, deployment))
	if err != nil {
		return fmt.Errorf("head: %w", err)
	}
	return nil
}

// repin puts other accounts in the place of those that are pinned.
func repin(ctx context.Context, tx pgx.Tx, deployment int64, accounts map[string]string) error {
	if len(accounts) == 0 {
		return nil
	}
	var text []byte
	err := tx.QueryRow(ctx, "SELECT accounts FROM deployments WHERE number = $1", deployment).Scan(&text)
	if err != nil {
		return err
	}
	if text, err = row.Repin(text, accounts); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE deployments SET accounts = $1 WHERE number = $2", text, deployment)
	return err
}

// pinAccounts keeps an account that is pinned; another one than the caller saw is a race that it lost.
func (c *creation) pinAccounts() error {
	accounts, err := row.Pin(c.accounts, c.run.Accounts)
	if err != nil {
		return err
	}
	_, err = c.tx.Exec(c.ctx, "UPDATE deployments SET accounts = $1, updated_at = greatest(updated_at, $2) WHERE number = $3",
		accounts, row.Nanos(c.run.Run.CreatedAt), c.deployment)
	return err
}

func (c *creation) insert() error {
	r := c.run.Run
	if err := takeID(c.ctx, c.tx, r.ExecGraphID); err != nil {
		return err
	}
	var number int64
	err := c.tx.QueryRow(c.ctx, `INSERT INTO runs (id, tenant, deployment, graph_id, plan_graph_id, exec_graph_id, kind,
		mode, status, started_by, created_at, updated_at, completed_at, version, lease_until, options)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, `+leaseEnd("$15")+`, $16) RETURNING number`,
		r.ID, r.Tenant, c.deployment, r.GraphID, r.PlanGraphID, r.ExecGraphID, string(r.Kind), r.Mode, string(r.Status), r.StartedBy,
		row.Nanos(r.CreatedAt), row.Nanos(r.UpdatedAt), row.Nanos(r.CompletedAt), c.run.Event.Version,
		c.run.Lease.Microseconds(), blob(r.Options)).Scan(&number)
	if answer := answerOf(err); answer != nil && answer.ConstraintName == oneActive {
		return errAgain // a run that waited was gone on with, on another host
	}
	if taken(err) {
		return fmt.Errorf("run id: %w", store.ErrExists)
	}
	if err != nil {
		return err
	}
	return c.event(number, &c.run.Event)
}

// event stores one event alone.
func (c *creation) event(run int64, event *execution.Event) error {
	e := row.NewEncoder()
	text, err := e.Encode(event)
	if err != nil {
		return err
	}
	_, err = c.tx.Exec(c.ctx, "INSERT INTO events (run, version, payload) VALUES ($1, $2, $3)", run, event.Version, e.Bytes(text))
	return err
}
