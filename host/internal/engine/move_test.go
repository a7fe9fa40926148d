package engine_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// service is two regional things, one of which reads the other, a global one that reads a regional one, one that reads the global
// one as such, and one that has nothing to do with it.
const service = `{
	"base": {"type": "noop:regional", "operation": "ensure", "properties": {"value": "b"}},
	"app": {"type": "noop:regional", "operation": "ensure", "references": {"from": "base"}},
	"secret": {"type": "noop:thing", "operation": "ensure", "references": {"from": "app"}},
	"reader": {"type": "noop:thing", "operation": "ensure", "references": {"from": "secret"}},
	"deaf": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "d"}, "depends_on": ["app"]}
}`

func (h *house) move(request *rest.MoveRequest) *rest.RunResult {
	request.Credentials = noCredentials
	result, err := h.engine.Move(h.t.Context(), h.caller, request)
	require.NoError(h.t, err)
	return h.wait(result)
}

func (h *house) commit(graphID string) *rest.RunResult {
	result, err := h.engine.CommitMove(h.t.Context(), h.caller, graphID, &rest.MoveEndRequest{Credentials: noCredentials})
	require.NoError(h.t, err)
	return h.wait(result)
}

func (h *house) discard(graphID string) *rest.RunResult {
	result, err := h.engine.DiscardMove(h.t.Context(), h.caller, graphID, &rest.MoveEndRequest{Credentials: noCredentials})
	require.NoError(h.t, err)
	return h.wait(result)
}

func toTheWest() *rest.MoveRequest {
	return &rest.MoveRequest{DeploymentID: "app", FromRegion: "us-east-1", ToRegion: "eu-west-1"}
}

// thing is what stands in the provider's world.
type thing struct {
	ID     string            `json:"id"`
	Region string            `json:"region"`
	Value  string            `json:"value"`
	Labels map[string]string `json:"labels"`
}

// world gives what exists by resource id and region; nothing may be there twice.
func (h *house) things() map[string]thing {
	files, err := filepath.Glob(filepath.Join(h.world, "*", "*.json"))
	require.NoError(h.t, err)
	found := map[string]thing{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(h.t, err)
		var it thing
		require.NoError(h.t, json.Unmarshal(content, &it))
		key := strings.TrimSuffix(it.Labels[contract.LabelResourceID]+"@"+it.Region, "@")
		require.NotContains(h.t, found, key, "there twice")
		found[key] = it
	}
	return found
}

func (h *house) verified(graphID string) bool {
	result, err := h.engine.Verify(h.t.Context(), h.caller, &rest.VerifyRequest{GraphID: graphID, Credentials: noCredentials})
	require.NoError(h.t, err)
	return h.wait(result).Success
}

func (h *house) destroyedBy(request *rest.DestroyRequest) *rest.RunResult {
	request.Credentials = noCredentials
	result, err := h.engine.Destroy(h.t.Context(), h.caller, request)
	require.NoError(h.t, err)
	return h.wait(result)
}

// standsIn wants everything of the service once, all that is regional in one region, and what reads it reading it there.
func (h *house) standsIn(region string) {
	h.t.Helper()
	found := h.things()
	keys := []string{"base@" + region, "app@" + region, "secret", "reader", "deaf"}
	require.ElementsMatch(h.t, keys, slicesOf(maps.Keys(found)))
	require.Equal(h.t, found["base@"+region].ID, found["app@"+region].Value)
	require.Equal(h.t, found["app@"+region].ID, found["secret"].Value)
	require.Equal(h.t, found["secret"].ID, found["reader"].Value)
}

func slicesOf(keys func(func(string) bool)) (all []string) {
	for key := range keys {
		all = append(all, key)
	}
	return all
}

func TestMoveAndCommit(t *testing.T) {
	h := build(t)
	first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	require.True(t, first.Success)
	before := h.things()

	held := h.move(toTheWest())
	require.Equal(t, rest.RunPaused, held.Status, "%+v", held.FailedOperation)
	require.Equal(t, rest.MoveHeld, held.Move.Phase)
	require.Equal(t, first.GraphID, held.Move.PreviousGraphID)
	require.NotEqual(t, first.GraphID, held.GraphID)
	require.Equal(t, "/deploy/move/"+held.GraphID+"/commit", held.Next[0].Path)
	require.Equal(t, first.GraphID, h.head().HeadGraphID, "the head is the old one")
	there := h.things()
	require.Len(t, there, 7, "both are there")
	require.Equal(t, there["app@eu-west-1"].ID, there["secret"].Value, "what reads it reads the new one")
	require.Equal(t, before["reader"], there["reader"], "and what only reads the reader is left alone")
	require.Equal(t, held.GraphID, there["app@eu-west-1"].Labels[contract.LabelGraphID])
	require.Equal(t, before["app@us-east-1"].Labels[contract.LabelNodeID], there["app@eu-west-1"].Labels[contract.LabelNodeID])
	require.True(t, h.verified(held.GraphID))

	again := h.move(toTheWest())
	require.Equal(t, held, again, "asked for again it is the same move")
	require.Equal(t, held, h.move(&rest.MoveRequest{GraphID: held.GraphID}))

	done := h.commit(held.GraphID)
	require.True(t, done.Success, "%+v", done.FailedOperation)
	require.Equal(t, rest.MoveCommitted, done.Move.Phase)
	require.Empty(t, done.LeftOver)
	require.Equal(t, held.RunID, done.RunID)
	require.Equal(t, held.GraphID, h.head().HeadGraphID)
	h.standsIn("eu-west-1")
	require.True(t, h.verified(held.GraphID))

	require.Equal(t, done, h.commit(held.GraphID), "twice is once")
	require.Equal(t, done, h.move(toTheWest()))
	_, err := h.engine.DiscardMove(t.Context(), h.caller, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	applied := h.apply(&rest.ApplyRequest{GraphID: held.GraphID, Credentials: noCredentials})
	require.Equal(t, done, applied, "nothing is left to do")
}

// TestAfterAMove: the next version, another move back, history and destroy.
func TestAfterAMove(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	moved := h.move(&rest.MoveRequest{DeploymentID: "app", FromRegion: "us-east-1", ToRegion: "eu-west-1", DeleteAfterVerify: true})
	require.True(t, moved.Success, "%+v", moved.FailedOperation)
	require.Equal(t, rest.MoveCommitted, moved.Move.Phase)
	h.standsIn("eu-west-1")

	next := h.apply(&rest.ApplyRequest{Config: h.in(service, "eu-west-1")})
	require.True(t, next.Success)
	require.Empty(t, next.Warnings)
	require.Zero(t, next.Changed, "%v", next.Changes)

	back := h.move(&rest.MoveRequest{GraphID: next.GraphID, FromRegion: "eu-west-1", ToRegion: "us-east-1", DeleteAfterVerify: true})
	require.True(t, back.Success)
	h.standsIn("us-east-1")

	old := h.apply(&rest.ApplyRequest{Config: h.in(service, "eu-west-1")})
	require.True(t, old.Success)
	require.Contains(t, strings.Join(old.Warnings, "\n"), `resource "app" (noop:regional) is deployed in us-east-1 too`)
	require.Equal(t, 7, h.outside())

	history, err := h.engine.History(t.Context(), h.caller, "app", rest.ListQuery{})
	require.NoError(t, err)
	kinds := map[string]int{}
	for _, version := range history.Versions {
		kinds[version.Kind]++
	}
	require.Equal(t, map[string]int{"deployment": 5, "move": 2}, kinds)
	destroyed := h.destroyedBy(&rest.DestroyRequest{DeploymentID: "app"})
	require.True(t, destroyed.Success)
	require.Zero(t, h.outside(), "wherever the versions put it")
	_, err = h.engine.Move(t.Context(), h.caller, toTheWest())
	h.refused(engine.Conflict, err)
}

func TestDiscard(t *testing.T) {
	h := build(t)
	first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	before := h.things()
	held := h.move(toTheWest())
	undone := h.discard(held.GraphID)
	require.True(t, undone.Success, "%+v", undone.FailedOperation)
	require.Equal(t, rest.MoveDiscarded, undone.Move.Phase)
	require.Equal(t, first.GraphID, h.head().HeadGraphID)
	h.standsIn("us-east-1")
	require.Equal(t, before["app@us-east-1"], h.things()["app@us-east-1"])
	require.True(t, h.verified(first.GraphID))
	require.Equal(t, undone, h.discard(held.GraphID), "twice is once")

	_, err := h.engine.CommitMove(t.Context(), h.caller, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	_, err = h.engine.Move(t.Context(), h.caller, &rest.MoveRequest{GraphID: held.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	again := h.move(&rest.MoveRequest{GraphID: first.GraphID, FromRegion: "us-east-1", ToRegion: "eu-west-1", DeleteAfterVerify: true})
	require.True(t, again.Success)
	h.standsIn("eu-west-1")
}

// TestWhileHeld: nothing else is done to a deployment that is being moved, but by force; destroy covers both regions.
func TestWhileHeld(t *testing.T) {
	h := build(t)
	first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	held := h.move(toTheWest())
	_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	require.Equal(t, held.RunID, h.refused(engine.Conflict, err).RunID)
	_, err = h.engine.Move(t.Context(), h.caller, &rest.MoveRequest{DeploymentID: "app", FromRegion: "us-east-1", ToRegion: "ap-south-1", Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	_, err = h.engine.Continue(t.Context(), h.caller, &rest.ContinueRequest{GraphID: held.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: held.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	require.False(t, h.verified(first.GraphID), "what reads the new one is not as the old graph has it")
	destroyed := h.destroyedBy(&rest.DestroyRequest{GraphID: first.GraphID})
	require.True(t, destroyed.Success)
	require.Zero(t, h.outside())
	for _, end := range []func() (*rest.RunResult, error){
		func() (*rest.RunResult, error) {
			return h.engine.CommitMove(t.Context(), h.caller, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
		},
		func() (*rest.RunResult, error) {
			return h.engine.DiscardMove(t.Context(), h.caller, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
		},
	} {
		_, err = end()
		h.refused(engine.Conflict, err)
	}
}

func TestAMoveThatWasForcedAway(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	held := h.move(toTheWest())
	forced := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1"), Force: true})
	require.True(t, forced.Success)
	require.Contains(t, strings.Join(forced.Warnings, "\n"), held.RunID)
	found := h.things()
	require.Equal(t, found["app@us-east-1"].ID, found["secret"].Value, "the graph that was applied says so")
	require.Len(t, found, 7)
	moved := h.move(&rest.MoveRequest{DeploymentID: "app", FromRegion: "us-east-1", ToRegion: "eu-west-1", DeleteAfterVerify: true})
	require.True(t, moved.Success, "%+v", moved.FailedOperation)
	h.standsIn("eu-west-1")
}

// TestWhatIsNotEmptyIsLeftOver: so is what it depends on; the rest goes, and the move completes.
func TestWhatIsNotEmptyIsLeftOver(t *testing.T) {
	for _, byItself := range []bool{true, false} {
		h := build(t)
		h.apply(&rest.ApplyRequest{Config: h.in(`{
			"key": {"type": "noop:regional", "operation": "ensure"},
			"store": {"type": "noop:regional", "operation": "ensure", "properties": {"full": true}, "depends_on": ["key"]},
			"app": {"type": "noop:regional", "operation": "ensure", "references": {"from": "store"}},
			"other": {"type": "noop:regional", "operation": "ensure"}}`, "us-east-1")})
		request := toTheWest()
		request.DeleteAfterVerify = byItself
		moved := h.move(request)
		if !byItself {
			moved = h.commit(moved.GraphID)
		}
		require.True(t, moved.Success, "%+v", moved.FailedOperation)
		var left []string
		for _, it := range moved.LeftOver {
			left = append(left, it.ResourceID+"@"+it.Region+": "+it.Reason)
		}
		require.ElementsMatch(t, []string{"store@us-east-1: it is not empty", "key@us-east-1: something that depends on it was left over"}, left)
		require.ElementsMatch(t, []string{
			"key@us-east-1", "store@us-east-1", "key@eu-west-1", "store@eu-west-1", "app@eu-west-1", "other@eu-west-1",
		}, slicesOf(maps.Keys(h.things())))
		require.Equal(t, moved.GraphID, h.head().HeadGraphID)
		destroyed := h.destroyedBy(&rest.DestroyRequest{DeploymentID: "app"})
		require.True(t, destroyed.Success)
		require.Zero(t, h.outside(), "what was left is still known")
	}
}

func TestAMoveAsksForSealedPropertiesByName(t *testing.T) {
	h := build(t)
	sealed := h.seal("noop:regional#/secret", "s3cret")
	h.apply(&rest.ApplyRequest{Config: h.in(`{"app": {"type": "noop:regional", "operation": "ensure", "properties": {"secret": "`+sealed+`"}},
		"quiet": {"type": "noop:thing", "operation": "ensure", "properties": {"secret": "`+h.seal("noop:thing#/secret", "other")+`"}}}`, "us-east-1")})
	request := toTheWest()
	request.Credentials = noCredentials
	_, err := h.engine.Move(t.Context(), h.caller, request)
	problems := h.refused(engine.Invalid, err).Problems
	require.Len(t, problems, 1, "what is not touched is not asked for: %v", problems)
	require.Equal(t, "/sealed_properties/~1resources~1app~1properties~1secret", problems[0].Pointer)
	request.SealedProperties = map[string]string{"/resources/app/properties/secret": h.seal("noop:regional#/secret", "another")}
	_, err = h.engine.Move(t.Context(), h.caller, request)
	h.refused(engine.Invalid, err)
	request.SealedProperties["/resources/app/properties/secret"] = h.seal("noop:regional#/secret", "s3cret")
	held := h.move(request)
	require.Equal(t, rest.RunPaused, held.Status, "%+v", held.FailedOperation)
	require.True(t, h.commit(held.GraphID).Success)
	require.Equal(t, 2, h.outside())
}

func TestMovesThatAreRefused(t *testing.T) {
	h := build(t)
	_, err := h.engine.Move(t.Context(), h.caller, toTheWest())
	h.refused(engine.NotFound, err)
	first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	second := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	for name, c := range map[string]struct {
		change func(*rest.MoveRequest)
		kind   engine.ErrorKind
	}{
		"from nowhere":     {func(r *rest.MoveRequest) { r.FromRegion = "mars" }, engine.Invalid},
		"no region":        {func(r *rest.MoveRequest) { r.FromRegion = "" }, engine.Invalid},
		"to no region":     {func(r *rest.MoveRequest) { r.ToRegion = "here and there" }, engine.Invalid},
		"to where it is":   {func(r *rest.MoveRequest) { r.ToRegion = "us-east-1" }, engine.Invalid},
		"what is not":      {func(r *rest.MoveRequest) { r.Only = []string{"nothing"} }, engine.Invalid},
		"what cannot":      {func(r *rest.MoveRequest) { r.Only = []string{"secret", "deaf"}; r.FromRegion = "eu-west-1" }, engine.Invalid},
		"no credentials":   {func(r *rest.MoveRequest) { r.Credentials = nil }, engine.Invalid},
		"not the head":     {func(r *rest.MoveRequest) { r.GraphID = first.GraphID }, engine.Conflict},
		"no graph":         {func(r *rest.MoveRequest) { r.GraphID = "ffffffff" }, engine.NotFound},
		"not of this one":  {func(r *rest.MoveRequest) { r.GraphID = second.GraphID; r.DeploymentID = "web" }, engine.Invalid},
		"nothing is named": {func(r *rest.MoveRequest) { r.DeploymentID = "" }, engine.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			request := toTheWest()
			request.Credentials = noCredentials
			c.change(request)
			_, err := h.engine.Move(t.Context(), h.caller, request)
			h.refused(c.kind, err)
		})
	}
	for _, graphID := range []string{second.GraphID, "ffffffff"} {
		_, err = h.engine.CommitMove(t.Context(), h.caller, graphID, &rest.MoveEndRequest{Credentials: noCredentials})
		require.Error(t, err)
		_, err = h.engine.DiscardMove(t.Context(), h.caller, graphID, &rest.MoveEndRequest{Credentials: noCredentials})
		require.Error(t, err)
	}
	h.standsIn("us-east-1")
	runs, err := h.engine.Runs(t.Context(), h.caller, rest.RunsQuery{})
	require.NoError(t, err)
	require.Len(t, runs.Runs, 2, "nothing was stored")
}
