package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// CreateGraph implements store.Graphs.
func (s *Store) CreateGraph(ctx context.Context, graph store.NewGraph) error {
	return s.write(ctx, "create graph", func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.insertGraph(ctx, tx, graph)
		return err
	})
}

// insertGraph answers the number of the graph's deployment, which is made by its first graph.
func (s *Store) insertGraph(ctx context.Context, tx *sql.Tx, graph store.NewGraph) (deployment int64, err error) {
	g := graph.Graph
	if err := mustBeFree(ctx, tx, g.ID); err != nil {
		return 0, err
	}
	at := nanos(g.CreatedAt)
	err = tx.QueryRowContext(ctx,
		`INSERT INTO deployments (tenant, id, sequence, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
		 ON CONFLICT (tenant, id) DO UPDATE SET
			sequence = sequence + excluded.sequence, updated_at = max(updated_at, excluded.updated_at)
		 RETURNING number`, g.Tenant, g.DeploymentID, truth(g.Kind == store.DeploymentGraph), at, at).Scan(&deployment)
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO graphs (id, deployment, version, kind, created_at, created_by, spec) VALUES (?, ?, ?, ?, ?, ?, ?)",
		g.ID, deployment, g.Version, g.Kind, at, g.CreatedBy, []byte(g.Spec)); err != nil {
		return 0, err
	}
	return deployment, s.draw(ctx, tx, deployment, graph.Resources)
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
	drawn, err := drawn(ctx, tx, deployment)
	if err != nil {
		return err
	}
	insert := s.prepared.in(ctx, tx)
	for i := range resources {
		r := &resources[i]
		id := identity{r.Path, r.ResourceID, r.Type}
		node, known := drawn[id]
		if known && node != r.NodeID {
			return fmt.Errorf("node id: %w", store.ErrExists)
		}
		if !known {
			if err := insert.resource(deployment, len(drawn), r); err != nil {
				return err
			}
			drawn[id] = r.NodeID
		}
		for k := range r.Placements {
			if err := insert.placement(deployment, r.NodeID, &r.Placements[k]); err != nil {
				return err
			}
		}
	}
	return nil
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
