package row

import (
	"database/sql"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// Scanner is one row of an answer.
type Scanner interface{ Scan(fields ...any) error }

// instant reads a stored time into a field.
type instant struct{ to *time.Time }

// Into reads a stored time into a field.
func Into(field *time.Time) sql.Scanner { return instant{field} }

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	n, _ := value.(int64)
	*i.to = Time(n)
	return nil
}

// Present is data that is there, though it may be empty.
func Present(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// SelectRun selects runs.
const SelectRun = `SELECT r.id, r.tenant, d.id, r.graph_id, r.plan_graph_id, r.exec_graph_id, r.kind, r.mode, r.status, r.started_by,
	r.created_at, r.updated_at, r.completed_at, r.version, r.options, r.cancel_by FROM runs r JOIN deployments d ON d.number = r.deployment `

// ScanRun reads what SelectRun selects.
func ScanRun(from Scanner) (store.Run, error) {
	var r store.Run
	var options []byte
	err := from.Scan(&r.ID, &r.Tenant, &r.DeploymentID, &r.GraphID, &r.PlanGraphID, &r.ExecGraphID, &r.Kind, &r.Mode, &r.Status,
		&r.StartedBy, instant{&r.CreatedAt}, instant{&r.UpdatedAt}, instant{&r.CompletedAt}, &r.Version, &options, &r.CancelBy)
	r.Options = options
	return r, err
}

// SelectKey selects what KeyFields are for.
const SelectKey = "SELECT name, tenant, role, hash, created_at FROM api_keys "

// KeyFields are where a row of SelectKey goes.
func KeyFields(key *store.APIKey) []any {
	return []any{&key.Name, &key.Tenant, &key.Role, &key.Hash, instant{&key.CreatedAt}}
}

// Resources gathers resources from rows that hold one placement each, or none.
type Resources []store.Resource

// Add reads the next row. Those of one resource follow each other.
func (l *Resources) Add(from Scanner) error {
	var r store.Resource
	var region, name, state, identity, account, version, graph *string
	var made *bool
	var outputs []byte
	err := from.Scan(&r.ResourceID, &r.Path, &r.Type, &r.NodeID, &region, &name, &state, &made, &identity, &account,
		&version, &graph, &outputs)
	if err != nil {
		return err
	}
	if n := len(*l); n == 0 || (*l)[n-1].NodeID != r.NodeID {
		*l = append(*l, r)
	}
	if region != nil {
		last := &(*l)[len(*l)-1]
		last.Placements = append(last.Placements, store.Placement{
			Region: *region, Name: *name, State: store.PlacementState(*state), Made: *made, Identity: *identity, Account: *account,
			ProviderVersion: *version, GraphID: *graph, Outputs: outputs,
		})
	}
	return nil
}
