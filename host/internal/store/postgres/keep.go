package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// keep stores groups: what few of them have one by one, and then all the rest, each table's rows by one statement, all statements
// sent at once.
func keep(ctx context.Context, tx pgx.Tx, groups []*group, share int) error {
	send := &steps{}
	for _, g := range groups {
		for _, key := range g.keys {
			if err := useKey(ctx, tx, key, true); err != nil {
				return err
			}
		}
		for _, head := range g.heads {
			if err := moveHead(ctx, tx, g.run.deployment, head.GraphID, head.Previous); err != nil {
				return err
			}
			if err := repin(ctx, tx, g.run.deployment, head.Accounts); err != nil {
				return err
			}
		}
		if g.destroyed != nil {
			send.add(1, "UPDATE deployments SET destroyed = $1, updated_at = greatest(updated_at, $2) WHERE number = $3",
				*g.destroyed, g.run.UpdatedAt, g.run.deployment)
		}
	}
	for _, queue := range []func([]*group, *steps){events, runs, placements, logs, rollbackRecords} {
		queue(groups, send)
	}
	durations(groups, send, share)
	return send.send(ctx, tx)
}

// steps are statements that are sent together, each with the number of rows that it has to touch.
type steps struct {
	batch   pgx.Batch
	touched []int
}

func (s *steps) add(touches int, statement string, args ...any) {
	s.batch.Queue(statement, args...)
	s.touched = append(s.touched, touches)
}

func (s *steps) send(ctx context.Context, tx pgx.Tx) (err error) {
	if len(s.touched) == 0 {
		return nil
	}
	results := tx.SendBatch(ctx, &s.batch)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	for _, want := range s.touched {
		done, err := results.Exec()
		if err != nil {
			return err
		}
		if done.RowsAffected() != int64(want) {
			return fmt.Errorf("placement: %w", store.ErrNotFound)
		}
	}
	return nil
}

func events(groups []*group, to *steps) {
	var numbers, versions []int64
	var payloads [][]byte
	for _, g := range groups {
		for range g.versions {
			numbers = append(numbers, g.run.number)
		}
		versions, payloads = append(versions, g.versions...), append(payloads, g.payloads...)
	}
	if len(numbers) > 0 {
		to.add(len(numbers), "INSERT INTO events (run, version, payload) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])",
			numbers, versions, payloads)
	}
}

// runs writes how the runs stand. One that is at rest gives its lease up.
func runs(groups []*group, to *steps) {
	var numbers, versions, updated, completed []int64
	var statuses []string
	var resting []bool
	for _, g := range groups {
		if r := &g.run; g.changed {
			numbers, versions, statuses = append(numbers, r.number), append(versions, r.Version), append(statuses, string(r.Status))
			updated, completed = append(updated, r.UpdatedAt), append(completed, r.CompletedAt)
			resting = append(resting, !r.Status.Active())
		}
	}
	if len(numbers) > 0 {
		to.add(len(numbers), `UPDATE runs r SET version = w.version, status = w.status, updated_at = w.updated_at,
			completed_at = w.completed_at, owner = CASE WHEN w.rest THEN '' ELSE r.owner END,
			lease_until = CASE WHEN w.rest THEN NULL ELSE r.lease_until END,
			cancel_by = CASE WHEN w.rest THEN '' ELSE r.cancel_by END
			FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[])
				AS w (number, version, status, updated_at, completed_at, rest) WHERE r.number = w.number`,
			numbers, versions, statuses, updated, completed, resting)
	}
}

func placements(groups []*group, to *steps) {
	var deployments []int64
	var nodes, regions []string
	var states, identities, accounts, versions, graphs []*string
	var made, cleared []bool
	var outputs [][]byte
	for _, g := range groups {
		for _, p := range g.places {
			deployments, nodes, regions = append(deployments, g.run.deployment), append(nodes, p.NodeID), append(regions, p.Region)
			states, made, cleared = append(states, given(string(p.State))), append(made, p.Made), append(cleared, p.Cleared)
			identities, outputs = append(identities, given(p.Identity)), append(outputs, blob(p.Outputs))
			accounts, versions = append(accounts, given(p.Account)), append(versions, given(p.ProviderVersion))
			graphs = append(graphs, given(p.GraphID))
		}
	}
	if len(nodes) > 0 {
		to.add(len(nodes), `UPDATE placements p SET state = coalesce(w.state, p.state), made = p.made AND NOT w.cleared OR w.made,
			identity = coalesce(w.identity, CASE WHEN w.cleared THEN '' ELSE p.identity END),
			outputs = coalesce(w.outputs, CASE WHEN w.cleared THEN NULL ELSE p.outputs END),
			account = coalesce(w.account, p.account), provider_version = coalesce(w.provider_version, p.provider_version),
			graph_id = coalesce(w.graph_id, p.graph_id)
			FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::boolean[], $7::text[], $8::bytea[],
				$9::text[], $10::text[], $11::text[])
				AS w (deployment, node_id, region, state, made, cleared, identity, outputs, account, provider_version, graph_id)
			WHERE p.deployment = w.deployment AND p.node_id = w.node_id AND p.region = w.region`,
			deployments, nodes, regions, states, made, cleared, identities, outputs, accounts, versions, graphs)
	}
}

func logs(groups []*group, to *steps) {
	var numbers, at []int64
	var operations, levels []string
	var messages [][]byte
	for _, g := range groups {
		for _, l := range g.logs {
			numbers, operations, at = append(numbers, g.run.number), append(operations, l.Operation), append(at, row.Nanos(l.Line.At))
			levels, messages = append(levels, l.Line.Level), append(messages, []byte(l.Line.Message))
		}
	}
	if len(numbers) > 0 {
		to.add(len(numbers), `INSERT INTO logs (run, operation, at, level, message)
			SELECT run, operation, at, level, message FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bytea[])
				WITH ORDINALITY AS w (run, operation, at, level, message, place) ORDER BY place`,
			numbers, operations, at, levels, messages)
	}
}

func rollbackRecords(groups []*group, to *steps) {
	var numbers []int64
	var operations, formats []string
	var attempts []int32
	var data [][]byte
	for _, g := range groups {
		for _, r := range g.records {
			numbers, operations, attempts = append(numbers, g.run.number), append(operations, r.Operation), append(attempts, int32(r.Attempt))
			formats, data = append(formats, r.Format), append(data, row.Present(r.Data))
		}
	}
	if len(numbers) > 0 {
		to.add(len(numbers), `INSERT INTO rollback_records (run, operation, attempt, format, data)
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::bytea[])
			ON CONFLICT (run, operation, attempt) DO UPDATE SET format = excluded.format, data = excluded.data`,
			numbers, operations, attempts, formats, data)
	}
}

// durations adds up what all groups took, in one order, so that two hosts of one share do not wait for each other in a circle.
func durations(groups []*group, to *steps, share int) {
	sums := map[durationKey]duration{}
	for _, g := range groups {
		for key, d := range g.durations {
			sums[key] = duration{sums[key].count + d.count, sums[key].total + d.total}
		}
	}
	if len(sums) == 0 {
		return
	}
	var tenants, kinds, verbs []string
	var counts, totals []int64
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b durationKey) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.kind, b.kind), cmp.Compare(a.verb, b.verb))
	}) {
		tenants, kinds, verbs = append(tenants, key.tenant), append(kinds, key.kind), append(verbs, key.verb)
		counts, totals = append(counts, sums[key].count), append(totals, int64(sums[key].total))
	}
	to.add(len(sums), `INSERT INTO durations AS d (tenant, type, verb, share, count, total)
		SELECT tenant, type, verb, $6, count, total FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
			AS w (tenant, type, verb, count, total)
		ON CONFLICT (tenant, type, verb, share) DO UPDATE SET count = d.count + excluded.count, total = d.total + excluded.total`,
		tenants, kinds, verbs, counts, totals, share)
}
