package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// model is what a deployment should be after the commands that were given, in fair weather. Its resources stand in a chain, so
// that it is certain what a failure keeps from happening.
type model struct {
	sim *simulation
	t   *rapid.T
	// there holds what exists outside, by resource id.
	there map[string]string
	// graphs are those that were applied, with what they ask for and how their run stands; head is the last.
	graphs    map[string]*modelGraph
	applied   []string
	head      string
	destroyed bool
	d         *deployment
}

type modelGraph struct {
	resources []resource
	failed    bool
	at        int // where it failed: what is before is done
}

// TestCommandsDoWhatTheModelSays gives random commands to an engine and to the model of it, and compares after each.
func TestCommandsDoWhatTheModelSays(t *testing.T) {
	lab, err := NewLab(t.Context(), t.TempDir())
	require.NoError(t, err)
	dir := memory(t)
	synctest.Test(t, func(t *testing.T) {
		n := 0
		rapid.Check(undated{t}, func(rt *rapid.T) {
			n++
			s := lab.simulation(1, filepath.Join(dir, fmt.Sprint(n)))
			require.NoError(rt, os.Mkdir(s.dir, 0o700))
			s.chance.quiet()
			require.NoError(rt, s.open(t.Context()))
			defer func() {
				require.NoError(rt, s.bury())
				s.followers.Wait()
			}()
			m := &model{sim: s, t: rt, there: map[string]string{}, graphs: map[string]*modelGraph{}, d: &deployment{id: "app", kept: map[string]map[string]secret{}}}
			rt.Repeat(map[string]func(*rapid.T){
				"apply": m.apply, "apply again": m.again, "destroy": m.destroy, "verify": m.verify, "restart": m.restart, "": m.compare,
			})
		})
	})
}

// undated is a test without a deadline, which must not be asked for in virtual time.
type undated struct{ testing.TB }

var ids = []string{"a", "b", "c"}

// apply posts a chain of resources, each with a verb.
func (m *model) apply(t *rapid.T) {
	n := rapid.IntRange(1, len(ids)).Draw(t, "length")
	m.d.resources = nil
	for i, id := range ids[:n] {
		r := resource{
			id: id, kind: []string{"sim:net", "sim:entry", "sim:net"}[i], name: id,
			verb:  rapid.SampledFrom([]string{"create", "update", "ensure", "ensure", "delete", "verify"}).Draw(t, "verb"),
			value: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value"),
		}
		if i > 0 {
			r.after = []rest.Dependency{{Resource: ids[i-1]}}
		}
		m.d.resources = append(m.d.resources, r)
	}
	cfg, boxes := m.sim.config(m.d)
	result, err := m.sim.host.engine.Apply(context.Background(), m.sim.caller, &rest.ApplyRequest{Config: cfg, SealedProperties: boxes})
	require.NoError(t, err)
	g := &modelGraph{resources: m.d.resources}
	m.graphs[result.GraphID], m.head, m.destroyed = g, result.GraphID, false
	m.applied = append(m.applied, result.GraphID)
	m.perform(g)
	m.same(t, g, m.ended(t, result))
}

// perform does what is left of a graph, up to a failure.
func (m *model) perform(g *modelGraph) {
	for g.failed = false; g.at < len(g.resources); g.at++ {
		r := &g.resources[g.at]
		value, exists := m.there[r.id]
		switch {
		case r.verb == "create" && exists, r.verb == "update" && !exists, r.verb == "verify" && (!exists || value != r.value):
			g.failed = true
			return
		case r.verb == "delete":
			delete(m.there, r.id)
		default:
			m.there[r.id] = r.value
		}
	}
}

func (m *model) ended(t *rapid.T, begun *rest.RunResult) *rest.RunResult {
	require.NoError(t, m.sim.host.engine.Wait(context.Background(), m.sim.caller, begun.RunID))
	result, err := m.sim.host.engine.Result(context.Background(), m.sim.caller, begun.RunID)
	require.NoError(t, err)
	return result
}

func (m *model) same(t *rapid.T, g *modelGraph, result *rest.RunResult) {
	status := map[bool]string{false: rest.RunCompleted, true: rest.RunFailed}[g.failed]
	require.Equal(t, status, result.Status, "%+v", result.FailedOperation)
	require.Equal(t, g.at, result.Completed, "completed")
	if g.failed {
		require.Equal(t, g.resources[g.at].id, result.FailedOperation.ResourceID)
		require.Equal(t, len(g.resources)-g.at-1, result.Blocked, "blocked")
	}
}

// again goes on with any graph there ever was.
func (m *model) again(t *rapid.T) {
	graphID := m.drawGraph(t)
	result, err := m.sim.host.engine.Apply(context.Background(), m.sim.caller, &rest.ApplyRequest{GraphID: graphID, Credentials: m.sim.credentials()})
	g := m.graphs[graphID]
	switch {
	case m.destroyed || graphID != m.head:
		m.refused(t, engine.Conflict, err)
		return
	case g.failed:
		m.perform(g)
	}
	require.NoError(t, err)
	m.same(t, g, m.ended(t, result))
}

func (m *model) drawGraph(t *rapid.T) string {
	if len(m.graphs) == 0 {
		t.Skip("nothing was applied")
	}
	return rapid.SampledFrom(m.applied).Draw(t, "graph")
}

func (m *model) destroy(t *rapid.T) {
	result, err := m.sim.host.engine.Destroy(context.Background(), m.sim.caller, &rest.DestroyRequest{DeploymentID: m.d.id, Credentials: m.sim.credentials()})
	if m.head == "" {
		m.refused(t, engine.NotFound, err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, rest.RunCompleted, m.ended(t, result).Status)
	m.there, m.destroyed = map[string]string{}, true
}

func (m *model) verify(t *rapid.T) {
	graphID := m.drawGraph(t)
	result, err := m.sim.host.engine.Verify(context.Background(), m.sim.caller, &rest.VerifyRequest{GraphID: graphID, Credentials: m.sim.credentials()})
	require.NoError(t, err)
	success := true
	for _, r := range m.graphs[graphID].resources {
		if r.verb != "delete" {
			success = success && m.there[r.id] == r.value
		}
	}
	require.Equal(t, success, m.ended(t, result).Success)
}

// restart kills the host while it does nothing, and has another take its place.
func (m *model) restart(t *rapid.T) {
	m.sim.host.die()
	require.NoError(t, m.sim.revive(context.Background()))
}

func (m *model) refused(t *rapid.T, kind engine.ErrorKind, err error) {
	var refused *engine.Error
	require.True(t, errors.As(err, &refused), "%v", err)
	require.Equal(t, kind, refused.Kind)
}

// compare holds the world against the model.
func (m *model) compare(t *rapid.T) {
	found := map[string]string{}
	for _, item := range m.sim.world.Items() {
		found[item.Made.Resource] = item.Value
	}
	require.Equal(t, m.there, found)
	require.Empty(t, m.sim.found)
}
