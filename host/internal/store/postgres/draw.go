package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// CreateGraph implements store.Graphs.
func (s *Store) CreateGraph(ctx context.Context, graph store.NewGraph) error {
	if err := graph.Check(); err != nil {
		return fault("create graph", err)
	}
	return s.write(ctx, "create graph", func(ctx context.Context, tx pgx.Tx) error { return insertGraph(ctx, tx, graph) })
}

// insertGraph stores a graph with what belongs to it. A deployment is made by its first graph, and its row is locked from then on.
func insertGraph(ctx context.Context, tx pgx.Tx, graph store.NewGraph) error {
	if err := useKey(ctx, tx, graph.Idempotency, false); err != nil {
		return err
	}
	g := &graph.Graph
	counted := 0
	if g.Kind == store.DeploymentGraph {
		counted = 1
	}
	var deployment int64
	err := tx.QueryRow(ctx,
		`INSERT INTO deployments AS d (tenant, id, sequence, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
		 ON CONFLICT (tenant, id) DO UPDATE SET
			sequence = d.sequence + excluded.sequence, updated_at = greatest(d.updated_at, excluded.updated_at)
		 RETURNING number`, g.Tenant, g.DeploymentID, counted, row.Nanos(g.CreatedAt)).Scan(&deployment)
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
	return draw(ctx, tx, deployment, graph.Resources)
}

func insertSpec(ctx context.Context, tx pgx.Tx, deployment int64, g *store.Graph) error {
	if err := takeID(ctx, tx, g.ID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO graphs (id, deployment, version, kind, created_at, created_by, spec)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		g.ID, deployment, g.Version, g.Kind, row.Nanos(g.CreatedAt), g.CreatedBy, row.Present(g.Spec))
	return err
}

// takeID answers ErrExists for a graph id that a spec graph or an execution graph has.
func takeID(ctx context.Context, tx pgx.Tx, graphID string) error {
	done, err := tx.Exec(ctx, "INSERT INTO graph_ids (id) VALUES ($1) ON CONFLICT DO NOTHING", graphID)
	if err == nil && done.RowsAffected() == 0 {
		return fmt.Errorf("graph id: %w", store.ErrExists)
	}
	return err
}

// identity is what makes a logical resource itself in its deployment.
type identity struct{ path, resourceID, kind string }

// draw stores the resources that are new, and the placements that are new of any: all of them by two statements.
func draw(ctx context.Context, tx pgx.Tx, deployment int64, resources []store.Resource) error {
	if len(resources) == 0 {
		return nil
	}
	nodes, err := drawn(ctx, tx, deployment)
	if err != nil {
		return err
	}
	var fresh drawing
	var places placing
	for i := range resources {
		r := &resources[i]
		id := identity{r.Path, r.ResourceID, r.Type}
		node, known := nodes[id]
		if known && node != r.NodeID {
			return fmt.Errorf("node id: %w", store.ErrExists)
		}
		if !known {
			fresh.add(r, len(nodes))
			nodes[id] = r.NodeID
		}
		for k := range r.Placements {
			places.add(r.NodeID, &r.Placements[k])
		}
	}
	steps := &pgx.Batch{}
	fresh.queue(steps, deployment)
	places.queue(steps, deployment)
	return unique(tx.SendBatch(ctx, steps).Close())
}

// drawing are the columns of new resources.
type drawing struct {
	nodes, paths, resources, types []string
	drawn                          []int32
}

func (d *drawing) add(r *store.Resource, at int) {
	d.nodes, d.paths, d.resources = append(d.nodes, r.NodeID), append(d.paths, r.Path), append(d.resources, r.ResourceID)
	d.types, d.drawn = append(d.types, r.Type), append(d.drawn, int32(at))
}

func (d *drawing) queue(steps *pgx.Batch, deployment int64) {
	if len(d.nodes) == 0 {
		return
	}
	steps.Queue(`INSERT INTO logical_resources (deployment, node_id, drawn, path, resource_id, type)
		SELECT $1, n.* FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::text[]) n`,
		deployment, d.nodes, d.drawn, d.paths, d.resources, d.types)
}

// placing are the columns of placements.
type placing struct {
	nodes, regions, names, states, identities, accounts, versions, graphs []string
	made                                                                  []bool
	outputs                                                               [][]byte
}

func (p *placing) add(nodeID string, place *store.Placement) {
	state := place.State
	if state == "" {
		state = store.Planned
	}
	p.nodes, p.regions, p.names = append(p.nodes, nodeID), append(p.regions, place.Region), append(p.names, place.Name)
	p.states, p.made, p.identities = append(p.states, string(state)), append(p.made, place.Made), append(p.identities, place.Identity)
	p.accounts, p.versions = append(p.accounts, place.Account), append(p.versions, place.ProviderVersion)
	p.graphs, p.outputs = append(p.graphs, place.GraphID), append(p.outputs, blob(place.Outputs))
}

func (p *placing) queue(steps *pgx.Batch, deployment int64) {
	if len(p.nodes) == 0 {
		return
	}
	steps.Queue(`INSERT INTO placements (deployment, node_id, region, name, state, made, identity, account, provider_version, graph_id,
		outputs) SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[],
		$9::text[], $10::text[], $11::bytea[]) n ON CONFLICT DO NOTHING`, deployment, p.nodes, p.regions, p.names, p.states, p.made,
		p.identities, p.accounts, p.versions, p.graphs, p.outputs)
}

// drawn gives the node ids of a deployment.
func drawn(ctx context.Context, tx pgx.Tx, deployment int64) (map[identity]string, error) {
	nodes := map[identity]string{}
	rows, err := tx.Query(ctx, "SELECT path, resource_id, type, node_id FROM logical_resources WHERE deployment = $1", deployment)
	err = each(rows, err, func(rows pgx.Rows) error {
		var id identity
		var node string
		err := rows.Scan(&id.path, &id.resourceID, &id.kind, &node)
		nodes[id] = node
		return err
	})
	return nodes, err
}
