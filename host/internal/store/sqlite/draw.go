package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// CreateGraph implements store.Graphs.
func (s *Store) CreateGraph(ctx context.Context, graph store.NewGraph) error {
	if err := graph.Check(); err != nil {
		return fault("create graph", err)
	}
	return s.write(ctx, "create graph", func(ctx context.Context, tx *sql.Tx) error { return s.insertGraph(ctx, tx, graph) })
}

// insertGraph stores a graph with what belongs to it. A deployment is made by its first graph.
func (s *Store) insertGraph(ctx context.Context, tx *sql.Tx, graph store.NewGraph) error {
	if err := useKey(ctx, tx, graph.Idempotency, false); err != nil {
		return err
	}
	g := &graph.Graph
	at := row.Nanos(g.CreatedAt)
	var deployment int64
	err := tx.QueryRowContext(ctx,
		`INSERT INTO deployments (tenant, id, sequence, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
		 ON CONFLICT (tenant, id) DO UPDATE SET
			sequence = sequence + excluded.sequence, updated_at = max(updated_at, excluded.updated_at)
		 RETURNING number`, g.Tenant, g.DeploymentID, truth(g.Kind == store.DeploymentGraph), at, at).Scan(&deployment)
	if err != nil {
		return err
	}
	if err := insertSpec(ctx, tx, deployment, g); err != nil {
		return err
	}
	for i := range graph.Subgraphs {
		if err := insertSpec(ctx, tx, deployment, &graph.Subgraphs[i]); err != nil {
			return err
		}
	}
	return s.draw(ctx, tx, deployment, graph.Resources)
}

func insertSpec(ctx context.Context, tx *sql.Tx, deployment int64, g *store.Graph) error {
	if err := mustBeFree(ctx, tx, g.ID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx,
		"INSERT INTO graphs (id, deployment, version, kind, created_at, created_by, spec) VALUES (?, ?, ?, ?, ?, ?, ?)",
		g.ID, deployment, g.Version, g.Kind, row.Nanos(g.CreatedAt), g.CreatedBy, []byte(g.Spec))
	return err
}

// mustBeFree answers ErrExists for a graph id that a spec graph or an execution graph has.
func mustBeFree(ctx context.Context, tx *sql.Tx, graphID string) error {
	var used bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM graphs WHERE id = ?1)
		OR EXISTS (SELECT 1 FROM runs WHERE exec_graph_id = ?1)`, graphID).Scan(&used)
	if err == nil && used {
		return fmt.Errorf("graph id: %w", store.ErrExists)
	}
	return err
}

// identity is what makes a logical resource itself in its deployment.
type identity struct{ path, resourceID, kind string }

// draw stores the resources that are new, and the placements that are new of any.
func (s *Store) draw(ctx context.Context, tx *sql.Tx, deployment int64, resources []store.Resource) error {
	nodes, err := drawn(ctx, tx, deployment)
	if err != nil {
		return err
	}
	b := s.in(ctx, tx)
	rows := inserter{exec: b.exec, one: addResource, many: addResources}
	for i := range resources {
		r := &resources[i]
		id := identity{r.Path, r.ResourceID, r.Type}
		if node, known := nodes[id]; known && node != r.NodeID {
			return fmt.Errorf("node id: %w", store.ErrExists)
		} else if known {
			continue
		}
		if err := rows.add(deployment, r.NodeID, len(nodes), r.Path, r.ResourceID, r.Type); err != nil {
			return err
		}
		nodes[id] = r.NodeID
	}
	if err := rows.flush(); err != nil {
		return err
	}
	return b.place(deployment, resources)
}

// place stores the placements that are new.
func (b *bound) place(deployment int64, resources []store.Resource) error {
	rows := inserter{exec: b.exec, one: addPlacement, many: addPlacements}
	for i := range resources {
		for k := range resources[i].Placements {
			p := &resources[i].Placements[k]
			state := p.State
			if state == "" {
				state = store.Planned
			}
			if err := rows.add(deployment, resources[i].NodeID, p.Region, p.Name, string(state), truth(p.Made), p.Identity,
				p.Account, p.ProviderVersion, p.GraphID, blob(p.Outputs)); err != nil {
				return err
			}
		}
	}
	return rows.flush()
}

// many is how many rows one statement inserts: most of what it costs to insert one is the way into SQLite and back.
const many = 32

func resourceRow(rows int) string {
	return "INSERT INTO logical_resources (deployment, node_id, drawn, path, resource_id, type) VALUES " +
		values("(?, ?, ?, ?, ?, ?)", rows)
}

func placementRow(rows int) string {
	return "INSERT INTO placements (deployment, node_id, region, name, state, made, identity, account, provider_version, graph_id," +
		" outputs) VALUES " + values("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows) + " ON CONFLICT DO NOTHING"
}

func values(row string, rows int) string {
	return strings.TrimSuffix(strings.Repeat(row+", ", rows), ", ")
}

// inserter inserts rows of one table, many by one statement and the last ones one by one.
type inserter struct {
	exec      func(query, ...any) error
	one, many query
	width     int
	waiting   []any
}

func (i *inserter) add(row ...any) error {
	i.width = len(row)
	i.waiting = append(i.waiting, row...)
	if len(i.waiting) < many*i.width {
		return nil
	}
	err := i.exec(i.many, i.waiting...)
	i.waiting = i.waiting[:0]
	return unique(err)
}

func (i *inserter) flush() error {
	for row := range slices.Chunk(i.waiting, max(i.width, 1)) {
		if err := i.exec(i.one, row...); err != nil {
			return unique(err)
		}
	}
	return nil
}

// unique is ErrExists for a row whose key is taken.
func unique(err error) error {
	if taken(err) {
		return store.ErrExists
	}
	return err
}

// drawn gives the node ids of a deployment.
func drawn(ctx context.Context, tx *sql.Tx, deployment int64) (map[identity]string, error) {
	rows, err := tx.QueryContext(ctx,
		"SELECT path, resource_id, type, node_id FROM logical_resources WHERE deployment = ?", deployment)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	nodes := map[identity]string{}
	for rows.Next() {
		var id identity
		var node string
		if err := rows.Scan(&id.path, &id.resourceID, &id.kind, &node); err != nil {
			return nil, err
		}
		nodes[id] = node
	}
	return nodes, rows.Err()
}
