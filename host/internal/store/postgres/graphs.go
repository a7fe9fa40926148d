package postgres

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

const selectDeployment = `SELECT d.tenant, d.id, coalesce(g.id, ''), coalesce(g.version, ''), d.destroyed, d.accounts, d.sequence,
	d.created_at, d.updated_at FROM deployments d LEFT JOIN graphs g ON g.number = d.head `

func scanDeployment(from pgx.Row) (store.Deployment, error) {
	var d store.Deployment
	var accounts []byte
	if err := from.Scan(&d.Tenant, &d.ID, &d.HeadGraphID, &d.HeadVersion, &d.Destroyed, &accounts, &d.Sequence,
		row.Into(&d.CreatedAt), row.Into(&d.UpdatedAt)); err != nil {
		return d, err
	}
	if json.Unmarshal(accounts, &d.Accounts) != nil {
		return d, store.ErrDamaged
	}
	return d, nil
}

// Deployment implements store.Graphs.
func (s *Store) Deployment(ctx context.Context, tenant, deploymentID string) (store.Deployment, error) {
	d, err := scanDeployment(s.ask(ctx, selectDeployment+"WHERE d.tenant = $1 AND d.id = $2", tenant, deploymentID))
	return d, read("deployment", err)
}

// Deployments implements store.Graphs.
func (s *Store) Deployments(ctx context.Context, tenant string, page store.Page) ([]store.Deployment, error) {
	after, err := s.position(ctx, "deployments", tenant, page.After)
	if err != nil {
		return nil, err
	}
	var list []store.Deployment
	err = s.rows(ctx, "deployments", func(rows pgx.Rows) error {
		d, err := scanDeployment(rows)
		list = append(list, d)
		return err
	}, selectDeployment+"WHERE d.tenant = $1 AND d.number < $2 ORDER BY d.number DESC LIMIT $3", tenant, after, limit(page.Limit))
	return list, err
}

// Graph implements store.Graphs.
func (s *Store) Graph(ctx context.Context, tenant, graphID string) (store.Graph, error) {
	var g store.Graph
	var spec []byte
	err := s.row(ctx, "graph", `SELECT d.tenant, g.id, d.id, g.version, g.kind, g.created_at, g.created_by, g.spec
		FROM graphs g JOIN deployments d ON d.number = g.deployment WHERE g.id = $1 AND d.tenant = $2`, []any{graphID, tenant},
		&g.Tenant, &g.ID, &g.DeploymentID, &g.Version, &g.Kind, row.Into(&g.CreatedAt), &g.CreatedBy, &spec)
	g.Spec = spec
	return g, err
}

// GraphsOf implements store.Graphs.
func (s *Store) GraphsOf(ctx context.Context, tenant, deploymentID string, page store.Page) ([]store.Graph, error) {
	after := int64(newest)
	if page.After != "" {
		err := s.row(ctx, "graphs", `SELECT g.number FROM graphs g JOIN deployments d ON d.number = g.deployment
			WHERE d.tenant = $1 AND d.id = $2 AND g.id = $3`, []any{tenant, deploymentID, page.After}, &after)
		if err != nil {
			return nil, err
		}
	}
	var list []store.Graph
	err := s.rows(ctx, "graphs", func(rows pgx.Rows) error {
		var g store.Graph
		err := rows.Scan(&g.Tenant, &g.ID, &g.DeploymentID, &g.Version, &g.Kind, row.Into(&g.CreatedAt), &g.CreatedBy)
		list = append(list, g)
		return err
	}, `SELECT d.tenant, g.id, d.id, g.version, g.kind, g.created_at, g.created_by
		FROM graphs g JOIN deployments d ON d.number = g.deployment
		WHERE d.tenant = $1 AND d.id = $2 AND g.kind <> $3 AND g.number < $4 ORDER BY g.number DESC LIMIT $5`,
		tenant, deploymentID, store.SubgraphKind, after, limit(page.Limit))
	return list, err
}

const selectResources = `SELECT r.resource_id, r.path, r.type, r.node_id, p.region, p.name, p.state, p.made, p.identity, p.account,
	p.provider_version, p.graph_id, p.outputs
	FROM deployments d JOIN logical_resources r ON r.deployment = d.number
	LEFT JOIN placements p ON p.deployment = r.deployment AND p.node_id = r.node_id
	WHERE d.tenant = $1 AND d.id = $2 ORDER BY r.drawn, p.region`

// Resources implements store.Graphs.
func (s *Store) Resources(ctx context.Context, tenant, deploymentID string) ([]store.Resource, error) {
	var list row.Resources
	err := s.rows(ctx, "resources", func(rows pgx.Rows) error {
		return list.Add(rows)
	}, selectResources, tenant, deploymentID)
	return list, err
}

// newest is a place before every row, for lists that go from the newest number down.
const newest = 1<<63 - 1

// position is the number of a row that a page comes after.
func (s *Store) position(ctx context.Context, table, tenant, id string) (number int64, err error) {
	if id == "" {
		return newest, nil
	}
	err = s.row(ctx, table, "SELECT number FROM "+table+" WHERE tenant = $1 AND id = $2", []any{tenant, id}, &number)
	return number, err
}
