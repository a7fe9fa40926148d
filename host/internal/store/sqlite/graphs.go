package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

const selectDeployment = `SELECT d.tenant, d.id, coalesce(g.id, ''), coalesce(g.version, ''), d.destroyed, d.accounts, d.sequence,
	d.created_at, d.updated_at FROM deployments d LEFT JOIN graphs g ON g.number = d.head `

func scanDeployment(scan func(...any) error) (store.Deployment, error) {
	var d store.Deployment
	var accounts sql.RawBytes
	if err := scan(&d.Tenant, &d.ID, &d.HeadGraphID, &d.HeadVersion, &d.Destroyed, &accounts, &d.Sequence,
		row.Into(&d.CreatedAt), row.Into(&d.UpdatedAt)); err != nil {
		return d, err
	}
	if json.Unmarshal(accounts, &d.Accounts) != nil {
		return d, store.ErrDamaged
	}
	return d, nil
}

// Deployment implements store.Graphs.
func (s *Store) Deployment(ctx context.Context, tenant, deploymentID string) (d store.Deployment, err error) {
	found := false
	err = s.rows(ctx, "deployment", func(rows *sql.Rows) error {
		found = true
		d, err = scanDeployment(rows.Scan)
		return err
	}, selectDeployment+"WHERE d.tenant = ? AND d.id = ?", tenant, deploymentID)
	if err == nil && !found {
		err = fault("deployment", store.ErrNotFound)
	}
	return d, err
}

// Deployments implements store.Graphs.
func (s *Store) Deployments(ctx context.Context, tenant string, page store.Page) ([]store.Deployment, error) {
	after, err := s.position(ctx, "deployments", tenant, page.After)
	if err != nil {
		return nil, err
	}
	var list []store.Deployment
	err = s.rows(ctx, "deployments", func(rows *sql.Rows) error {
		d, err := scanDeployment(rows.Scan)
		list = append(list, d)
		return err
	}, selectDeployment+"WHERE d.tenant = ? AND d.number < ? ORDER BY d.number DESC LIMIT ?", tenant, after, limit(page.Limit))
	return list, err
}

// Graph implements store.Graphs.
func (s *Store) Graph(ctx context.Context, tenant, graphID string) (store.Graph, error) {
	var g store.Graph
	var spec []byte
	err := s.reader.QueryRowContext(ctx,
		`SELECT d.tenant, g.id, d.id, g.version, g.kind, g.created_at, g.created_by, g.spec
		 FROM graphs g JOIN deployments d ON d.number = g.deployment WHERE g.id = ? AND d.tenant = ?`, graphID, tenant).
		Scan(&g.Tenant, &g.ID, &g.DeploymentID, &g.Version, &g.Kind, row.Into(&g.CreatedAt), &g.CreatedBy, &spec)
	g.Spec = spec
	return g, fault("graph", err)
}

// GraphsOf implements store.Graphs.
func (s *Store) GraphsOf(ctx context.Context, tenant, deploymentID string, page store.Page) ([]store.Graph, error) {
	after := int64(newest)
	if page.After != "" {
		err := s.reader.QueryRowContext(ctx, `SELECT g.number FROM graphs g JOIN deployments d ON d.number = g.deployment
			WHERE d.tenant = ? AND d.id = ? AND g.id = ?`, tenant, deploymentID, page.After).Scan(&after)
		if err != nil {
			return nil, fault("graphs", err)
		}
	}
	var list []store.Graph
	err := s.rows(ctx, "graphs", func(rows *sql.Rows) error {
		var g store.Graph
		err := rows.Scan(&g.Tenant, &g.ID, &g.DeploymentID, &g.Version, &g.Kind, row.Into(&g.CreatedAt), &g.CreatedBy)
		list = append(list, g)
		return err
	}, `SELECT d.tenant, g.id, d.id, g.version, g.kind, g.created_at, g.created_by
		FROM graphs g JOIN deployments d ON d.number = g.deployment
		WHERE d.tenant = ? AND d.id = ? AND g.kind <> ? AND g.number < ? ORDER BY g.number DESC LIMIT ?`,
		tenant, deploymentID, store.SubgraphKind, after, limit(page.Limit))
	return list, err
}

const selectResources = `SELECT r.resource_id, r.path, r.type, r.node_id, p.region, p.name, p.state, p.made, p.identity, p.account,
	p.provider_version, p.graph_id, p.outputs
	FROM deployments d JOIN logical_resources r ON r.deployment = d.number
	LEFT JOIN placements p ON p.deployment = r.deployment AND p.node_id = r.node_id
	WHERE d.tenant = ? AND d.id = ? ORDER BY r.drawn, p.region`

// Resources implements store.Graphs.
func (s *Store) Resources(ctx context.Context, tenant, deploymentID string) ([]store.Resource, error) {
	var list row.Resources
	err := s.rows(ctx, "resources", func(rows *sql.Rows) error {
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
	err = s.reader.QueryRowContext(ctx, "SELECT number FROM "+table+" WHERE tenant = ? AND id = ?", tenant, id).Scan(&number)
	return number, fault(table, err)
}
