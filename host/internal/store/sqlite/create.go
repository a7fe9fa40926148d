package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// CreateRun implements store.Runs.
func (s *Store) CreateRun(ctx context.Context, run store.NewRun) error {
	if err := run.Check(); err != nil {
		return fault("create run", err)
	}
	return s.write(ctx, "create run", func(ctx context.Context, tx *sql.Tx) error {
		if err := useKey(ctx, tx, run.Idempotency, false); err != nil {
			return err
		}
		for _, graph := range run.Graphs() {
			if err := s.insertGraph(ctx, tx, graph); err != nil {
				return err
			}
		}
		c := &creation{bound: s.in(ctx, tx), run: run}
		err := tx.QueryRowContext(ctx, "SELECT number FROM deployments WHERE tenant = ? AND id = ?",
			run.Run.Tenant, run.Run.DeploymentID).Scan(&c.deployment)
		if err != nil {
			return err
		}
		return c.do()
	})
}

// creation is one run being created, in one transaction.
type creation struct {
	*bound
	run        store.NewRun
	deployment int64
}

func (c *creation) do() error {
	for _, step := range []func() error{c.checkGraphs, c.yieldOrSupersede, c.mayBegin, c.moveHead, c.pinAccounts, c.insert} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (c *creation) checkGraphs() error {
	for _, id := range []string{c.run.Run.GraphID, c.run.Run.PlanGraphID} {
		var of int64
		err := c.tx.QueryRowContext(c.ctx, "SELECT deployment FROM graphs WHERE id = ?", id).Scan(&of)
		if err == nil && of != c.deployment {
			err = store.ErrNotFound
		}
		if err != nil {
			return fault("graph of the run", err)
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
		if r.status.Active() || !c.run.Supersede {
			return &store.ActiveRunError{RunID: r.id}
		}
	}
	for _, r := range rivals {
		if err := c.supersede(r); err != nil {
			return err
		}
	}
	return nil
}

// rivals gives active ones first: those are the ones to name.
func (c *creation) rivals() ([]rival, error) {
	rows, err := c.tx.QueryContext(c.ctx, `SELECT id, number, version, status FROM runs
		WHERE deployment = ? AND kind <> 'verify' AND status NOT IN ('completed', 'cancelled')
		ORDER BY status NOT IN ('queued', 'running', 'cancelling'), number`, c.deployment)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var rivals []rival
	for rows.Next() {
		var r rival
		if err := rows.Scan(&r.id, &r.number, &r.version, &r.status); err != nil {
			return nil, err
		}
		rivals = append(rivals, r)
	}
	return rivals, rows.Err()
}

// supersede ends a waiting run as any end of a run is told: by an event. The new token fences who may still hold it.
func (c *creation) supersede(r rival) error {
	run := c.run.Run
	event := row.Superseded(r.id, r.version, &run)
	if err := c.event(r.number, &event); err != nil {
		return err
	}
	at := row.Nanos(run.CreatedAt)
	if err := c.exec(updateRun, event.Version, string(event.RunStatus), at, at, 1, r.number); err != nil {
		return err
	}
	_, err := c.tx.ExecContext(c.ctx, "UPDATE runs SET token = token + 1 WHERE number = ?", r.number)
	return err
}

// mayBegin counts the tenant's active runs, once those that yield have.
func (c *creation) mayBegin() error {
	if c.run.MaxActive <= 0 {
		return nil
	}
	var active int
	err := c.tx.QueryRowContext(c.ctx, "SELECT count(*) FROM runs WHERE tenant = ? AND status IN ('queued', 'running', 'cancelling')",
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
// not destroyed any more.
func moveHead(ctx context.Context, tx *sql.Tx, deployment int64, graphID, previous string) error {
	var head string
	err := tx.QueryRowContext(ctx, `SELECT coalesce(g.id, '') FROM deployments d LEFT JOIN graphs g ON g.number = d.head
		WHERE d.number = ?`, deployment).Scan(&head)
	if err != nil {
		return err
	}
	if head != previous {
		return fmt.Errorf("head: %w", store.ErrStale)
	}
	if graphID == "" {
		return nil
	}
	result, err := tx.ExecContext(ctx, `UPDATE deployments SET destroyed = 0, head = g.number
		FROM graphs g WHERE g.id = ? AND g.deployment = deployments.number AND deployments.number = ?`, graphID, deployment)
	return fault("head", mustTouch(result, err))
}

// repin puts other accounts in the place of those that are pinned.
func repin(ctx context.Context, tx *sql.Tx, deployment int64, accounts map[string]string) error {
	if len(accounts) == 0 {
		return nil
	}
	var text []byte
	err := tx.QueryRowContext(ctx, "SELECT accounts FROM deployments WHERE number = ?", deployment).Scan(&text)
	if err != nil {
		return err
	}
	if text, err = row.Repin(text, accounts); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE deployments SET accounts = ? WHERE number = ?", string(text), deployment)
	return err
}

// pinAccounts keeps an account that is pinned; another one than the caller saw is a race that it lost.
func (c *creation) pinAccounts() error {
	var text []byte
	err := c.tx.QueryRowContext(c.ctx, "SELECT accounts FROM deployments WHERE number = ?", c.deployment).Scan(&text)
	if err != nil {
		return err
	}
	if text, err = row.Pin(text, c.run.Accounts); err != nil {
		return err
	}
	_, err = c.tx.ExecContext(c.ctx, "UPDATE deployments SET accounts = ?, updated_at = max(updated_at, ?) WHERE number = ?",
		string(text), row.Nanos(c.run.Run.CreatedAt), c.deployment)
	return err
}

func (c *creation) insert() error {
	r := c.run.Run
	if err := mustBeFree(c.ctx, c.tx, r.ExecGraphID); err != nil {
		return err
	}
	result, err := c.tx.ExecContext(c.ctx, `INSERT INTO runs (id, tenant, deployment, graph_id, plan_graph_id, exec_graph_id, kind,
		mode, status, started_by, created_at, updated_at, completed_at, version, lease_until, options)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Tenant, c.deployment, r.GraphID, r.PlanGraphID, r.ExecGraphID, string(r.Kind), r.Mode, string(r.Status),
		r.StartedBy, row.Nanos(r.CreatedAt), row.Nanos(r.UpdatedAt), row.Nanos(r.CompletedAt), c.run.Event.Version, leaseUntil(c.run.Lease), blob(r.Options))
	if taken(err) {
		return fmt.Errorf("run id: %w", store.ErrExists)
	}
	if err != nil {
		return err
	}
	number, err := result.LastInsertId()
	if err != nil {
		return err
	}
	return c.event(number, &c.run.Event)
}
