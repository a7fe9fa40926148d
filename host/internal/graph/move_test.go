package graph_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// service has a role, and regionally a bucket with an object and a function; two secrets read the function.
const service = `{"deployment_id": "app", "targets": [{"provider": "cloud", "regions": ["us", "eu"]}], "resources": {
	"role": {"type": "cloud:role", "properties": {"role_name": "runner"}},
	"bucket": {"type": "cloud:bucket", "properties": {"bucket_name": "code"}},
	"object": {"type": "cloud:object", "properties": {"key": "code.zip", "content": "x"}, "references": {"bucket": "bucket"}},
	"function": {"type": "cloud:function", "properties": {"function_name": "api", "runtime": "go", "handler": "h"},
		"references": {"role": "role", "code_bucket": "bucket", "code_key": "object"}},
	"secret": {"type": "hub:secret", "properties": {"repo": "r", "secret_name": "ARN"}, "references": {"value_from": "function@us.arn"}},
	"elsewhere": {"type": "hub:secret", "properties": {"repo": "r", "secret_name": "OTHER"}, "references": {"value_from": "function@eu.arn"}},
	"deaf": {"type": "hub:secret", "properties": {"repo": "r", "secret_name": "PLAIN", "encrypted_value": "BOX"}, "depends_on": ["function"]}
}}`

func builtFrom(t require.TestingT, document string) *graph.Spec {
	cfg := &rest.Config{}
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(document, "BOX", box)), cfg))
	built, problems := graph.Build(graph.Input{Config: cfg, Catalog: graphtest.NewCatalog(), NewID: graphtest.IDs(), GraphID: "aaaa0000", Version: "v1", Expand: graphtest.Expand})
	require.Empty(t, problems)
	return built.Spec
}

// deployed has everything of a spec in its place.
func deployed(spec *graph.Spec) graph.Places {
	places := graph.Places{}
	for _, node := range spec.Nodes {
		places[node.NodeID] = map[string]graph.Place{}
		for _, region := range node.Regions {
			places[node.NodeID][region] = graph.Place{Name: node.Names[region], There: true}
		}
	}
	return places
}

func moveOf(head *graph.Spec, from, to string) graph.MoveInput {
	ids := graphtest.IDs()
	return graph.MoveInput{
		Head: head, Catalog: graphtest.NewCatalog(), Places: deployed(head), From: from, To: to,
		GraphID: "bbbb0000", StepsID: "cccc0000", NewID: func() string { return "f" + ids()[1:] },
	}
}

// shown writes a derived node and its edges so that people can compare them.
func shown(spec *graph.Spec) (nodes, edges []string) {
	names := map[string]string{}
	for i := range spec.Nodes {
		node := &spec.Nodes[i]
		names[node.NodeID] = strings.TrimSuffix(string(node.Verb)+" "+node.ResourceID+"@"+node.Regions[0], "@")
		nodes = append(nodes, names[node.NodeID])
	}
	for _, edge := range spec.Edges {
		arrow := map[graph.EdgeType]string{graph.Dependency: " > ", graph.Pause: " | "}[edge.Type]
		edges = append(edges, names[edge.From]+arrow+names[edge.To])
	}
	slices.Sort(edges)
	return nodes, edges
}

func TestMove(t *testing.T) {
	head := builtFrom(t, service)
	moved, problems := graph.Move(moveOf(head, "us", "ap"))
	require.Empty(t, problems)
	nodes, edges := shown(moved.Steps)
	require.Equal(t, []string{
		"create bucket@ap", "create object@ap", "create function@ap", "ensure secret",
		"verify bucket@ap", "verify object@ap", "verify function@ap",
		"delete bucket@us", "delete object@us", "delete function@us",
	}, nodes)
	require.Equal(t, []string{
		"create bucket@ap > create function@ap", "create bucket@ap > create object@ap", "create bucket@ap > verify bucket@ap",
		"create function@ap > ensure secret", "create function@ap > verify function@ap",
		"create object@ap > create function@ap", "create object@ap > verify object@ap",
		"delete function@us > delete bucket@us", "delete function@us > delete object@us", "delete object@us > delete bucket@us",
		"ensure secret | delete function@us",
		"verify bucket@ap | delete bucket@us", "verify function@ap > ensure secret", "verify function@ap | delete function@us",
		"verify object@ap | delete object@us",
	}, edges)
	require.Equal(t, "cccc0000", moved.Steps.GraphID)
	require.Equal(t, "bbbb0000", moved.Steps.Of)
	labels := moved.Steps.Labels(&moved.Steps.Nodes[8], "o")
	require.Equal(t, "bbbb0000", labels[contract.LabelGraphID], "what is made says the graph that callers know")
	require.Equal(t, moved.Target.Nodes[2].NodeID, labels[contract.LabelNodeID])

	require.Len(t, moved.Steps.Context, 1, "what is referred to and not touched")
	require.Equal(t, "role", moved.Steps.Context[0].ResourceID)
	require.Equal(t, "ap", moved.Steps.Nodes[3].References["value_from"].Region)
	require.Equal(t, "us", moved.Steps.Nodes[9].References["code_bucket"].Region, "a deletion reads where it deletes")
}

func TestMoveTarget(t *testing.T) {
	head := builtFrom(t, service)
	before, _ := json.Marshal(head)
	moved, problems := graph.Move(moveOf(head, "us", "ap"))
	require.Empty(t, problems)
	after, _ := json.Marshal(head)
	require.JSONEq(t, string(before), string(after), "the head is as it was")
	target := moved.Target
	require.Equal(t, "aaaa0000", target.BasedOn)
	require.Equal(t, head.Edges, target.Edges)
	bucket := target.Node("bucket")
	require.Equal(t, []string{"ap", "eu"}, bucket.Regions, "the new region stands where the old one stood")
	require.Equal(t, map[string]string{
		"ap": "code-" + bucket.NodeID + "-ap", "eu": "code-" + bucket.NodeID + "-eu",
	}, bucket.Names, "the name without a region is taken as long as both are there")
	require.Equal(t, map[string]string{"ap": "api", "eu": "api"}, target.Node("function").Names)
	require.Equal(t, graph.Reference{
		Text: "function@ap.arn", NodeID: target.Node("function").NodeID, Output: "arn", Region: "ap", Property: "/value",
	}, target.Node("secret").References["value_from"])
	require.Equal(t, head.Node("elsewhere"), target.Node("elsewhere"))

	back := moveOf(target, "ap", "us")
	back.Places[bucket.NodeID]["us"] = graph.Place{Name: "code-" + bucket.NodeID}
	again, problems := graph.Move(back)
	require.Empty(t, problems)
	require.Equal(t, "code-"+bucket.NodeID, again.Target.Node("bucket").Names["us"], "a name that is on record is the name")
}

// TestMoveKeepsWhatItMust: what an earlier move left is not in the way, what cannot be deleted stays and is told.
func TestMoveKeepsWhatItMust(t *testing.T) {
	head := builtFrom(t, service)
	in := moveOf(head, "us", "ap")
	bucket := head.Node("bucket").NodeID
	in.Places[bucket]["ap"] = graph.Place{Name: "left", There: true}
	in.Places[bucket]["us"] = graph.Place{Name: "code-" + bucket, There: true, Stays: "not ours"}
	moved, problems := graph.Move(in)
	require.Empty(t, problems)
	nodes, _ := shown(moved.Steps)
	require.Equal(t, "ensure bucket@ap", nodes[0])
	require.NotContains(t, nodes, "delete bucket@us")
	require.Equal(t, "left", moved.Steps.Nodes[0].Names["ap"])
	require.Equal(t, []graph.Stay{{NodeID: bucket, Region: "us", Reason: "not ours"}}, moved.Stays)
	require.Contains(t, slices.Collect(resourceIDs(moved.Steps.Context)), "bucket", "deletions read it")
}

func resourceIDs(nodes []graph.Node) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, node := range nodes {
			if !yield(node.ResourceID) {
				return
			}
		}
	}
}

func TestMoveOnlySome(t *testing.T) {
	document := strings.Replace(service, `"us", "eu"`, `"us"`, 1)
	document = strings.Replace(document, "function@eu", "function", 1)
	in := moveOf(builtFrom(t, document), "us", "ap")
	in.Only = []string{"object"}
	moved, problems := graph.Move(in)
	require.Empty(t, problems)
	nodes, edges := shown(moved.Steps)
	require.Equal(t, []string{
		"create bucket@ap", "create object@ap", "ensure function@us", "verify bucket@ap", "verify object@ap",
		"delete bucket@us", "delete object@us",
	}, nodes, "what it needs moves with it; what reads it is repointed; secrets read the function as such, which stays what it is")
	require.Contains(t, edges, "ensure function@us | delete object@us")
	require.Equal(t, []string{"us"}, moved.Target.Node("function").Regions)
}

// TestMoveComposite: the parts move like any others; the composite is there for what is sealed, and gives the new outputs.
func TestMoveComposite(t *testing.T) {
	head := builtFrom(t, `{"deployment_id": "app", "targets": [{"provider": "cloud", "regions": ["us"]}], "resources": {
		"stack": {"type": "cloud:stack", "properties": {"name": "web", "runtime": "go"}},
		"other": {"type": "cloud:bucket", "properties": {"bucket_name": "other"}},
		"secret": {"type": "hub:secret", "properties": {"repo": "r", "secret_name": "ARN"}, "references": {"value_from": "stack.arn"}}}}`)
	in := moveOf(head, "us", "ap")
	in.Only = []string{"stack"}
	moved, problems := graph.Move(in)
	require.Empty(t, problems)
	ids := slices.Collect(resourceIDs(moved.Steps.Nodes))
	require.Equal(t, []string{"stack.fn", "secret", "stack.fn", "stack.fn", "stack"}, ids, "%v", ids)
	require.Equal(t, []string{"ap"}, moved.Target.Node("stack.fn").Regions)
	require.Equal(t, []string{"us"}, moved.Target.Node("other").Regions)
	undone := graph.Unmove(head, moved.Target, moved.Steps, "dddd0000", in.NewID, func(*graph.Node) bool { return true })
	require.Equal(t, []string{"secret", "stack.fn"}, slices.Collect(resourceIDs(undone.Nodes)))
}

// TestMoveToAnotherAccount: what a provider has goes as a whole, what has no region too; it has ids of its own there, since both
// are there for a while.
func TestMoveToAnotherAccount(t *testing.T) {
	head := builtFrom(t, service)
	in := moveOf(head, "us", "ap")
	in.Accounts = map[string]bool{"cloud": true}
	in.Away = map[string]string{head.Node("role").NodeID: "eeee0001"}
	moved, problems := graph.Move(in)
	require.Empty(t, problems)
	nodes, edges := shown(moved.Steps)
	require.Equal(t, []string{
		"create role", "create bucket@ap", "create bucket@eu", "create object@ap", "create object@eu", "create function@ap", "create function@eu",
		"ensure secret", "ensure elsewhere",
		"verify role", "verify bucket@ap", "verify bucket@eu", "verify object@ap", "verify object@eu", "verify function@ap", "verify function@eu",
		"delete role", "delete bucket@us", "delete bucket@eu", "delete object@us", "delete object@eu", "delete function@us", "delete function@eu",
	}, nodes)
	require.Contains(t, edges, "verify function@eu | delete function@eu")
	require.Contains(t, edges, "ensure elsewhere | delete function@eu")
	require.Contains(t, edges, "create role > create function@eu")
	require.Contains(t, edges, "delete function@eu > delete role")
	target := moved.Target
	require.Equal(t, "eeee0001", target.Node("role").NodeID)
	for i, node := range target.Nodes {
		moves := node.Provider() == "cloud"
		require.Equal(t, moves, node.NodeID != head.Nodes[i].NodeID, node.ResourceID)
	}
	bucket := target.Node("bucket")
	require.Equal(t, []string{"ap", "eu"}, bucket.Regions)
	require.Equal(t, "code-"+bucket.NodeID, bucket.Names["ap"], "the id tells the names apart")
	require.Equal(t, target.Node("function").NodeID, target.Node("secret").References["value_from"].NodeID)
	require.Equal(t, target.Node("role").NodeID, target.Node("function").References["role"].NodeID)
	for _, node := range moved.Steps.Nodes {
		require.Equal(t, node.Provider() == "cloud" && node.Verb != contract.VerbDelete, node.Away, "%s %s", node.Verb, node.ResourceID)
	}
	undone := graph.Unmove(head, target, moved.Steps, "dddd0000", in.NewID, func(*graph.Node) bool { return true })
	nodes, edges = shown(undone)
	require.Equal(t, []string{
		"ensure secret", "ensure elsewhere", "delete role", "delete bucket@ap", "delete bucket@eu", "delete object@ap", "delete object@eu",
		"delete function@ap", "delete function@eu",
	}, nodes)
	require.Contains(t, edges, "ensure elsewhere > delete function@eu")
	for _, node := range undone.Nodes {
		require.Equal(t, node.Verb == contract.VerbDelete, node.Away)
	}
	in.Only = []string{"role"}
	_, problems = graph.Move(in)
	require.Equal(t, []graph.Problem{{Pointer: "/only", Message: "what goes to another account goes as a whole"}}, problems)
	in.Only, in.From, in.To, in.Places = nil, "", "", nil
	_, problems = graph.Move(in)
	require.Equal(t, []graph.Problem{{Pointer: "/to_credentials", Message: "there is nothing that could move from there"}}, problems)
}

func TestMoveThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*graph.MoveInput)
		want   []graph.Problem
	}{
		"same": {func(in *graph.MoveInput) { in.To = "us" }, []graph.Problem{{Pointer: "/to_region", Message: "is the region that things are to leave"}}},
		"no regions": {func(in *graph.MoveInput) { in.From, in.To = "", "e u" }, []graph.Problem{
			{Pointer: "/from_region", Message: "must be 1 to 64 letters, digits, '_' or '-'"}, {Pointer: "/to_region", Message: "must be 1 to 64 letters, digits, '_' or '-'"}}},
		"unknown": {func(in *graph.MoveInput) { in.From = "mars" }, []graph.Problem{{Pointer: "/from_region", Message: "there is nothing that could move from there"}}},
		"gone":    {func(in *graph.MoveInput) { in.Places = nil }, []graph.Problem{{Pointer: "/from_region", Message: "there is nothing that could move from there"}}},
		"there": {func(in *graph.MoveInput) { in.To = "eu" }, []graph.Problem{
			{Pointer: "/to_region", Message: "bucket is there already"}, {Pointer: "/to_region", Message: "object is there already"}, {Pointer: "/to_region", Message: "function is there already"}}},
		"only": {func(in *graph.MoveInput) { in.Only = []string{"role", "what"} }, []graph.Problem{
			{Pointer: "/only/1", Message: "is no resource of this graph"}}},
		"only the role": {func(in *graph.MoveInput) { in.Only = []string{"role"} }, []graph.Problem{
			{Pointer: "/from_region", Message: "there is nothing that could move from there"}}},
		"region by region": {func(in *graph.MoveInput) { in.Only = []string{"bucket"}; in.From, in.To = "eu", "ap" }, []graph.Problem{
			{Pointer: "/only", Message: "object reads bucket region by region, and has to move with it"},
			{Pointer: "/from_region", Message: "object is identified by a value of bucket, and cannot be given another one"},
			{Pointer: "/only", Message: "function reads bucket region by region, and has to move with it"}}},
		"a name": {func(in *graph.MoveInput) { in.To = "a-region-with-a-name-that-is-quite-long-for-a-bucket" }, []graph.Problem{
			{Pointer: "/to_region", Message: "bucket gives a name of 66 characters with the suffix that tells resources apart: this type takes 63 there"}}},
		"exact": {func(in *graph.MoveInput) {
			node := in.Head.Node("bucket")
			node.Exact, node.Names = true, map[string]string{"us": "code", "eu": "code2"}
			in.Places[node.NodeID]["us"] = graph.Place{Name: "code", There: true}
		}, []graph.Problem{{Pointer: "/to_region", Message: "bucket has an exact name, which no two places can have at once"}}},
	} {
		t.Run(name, func(t *testing.T) {
			in := moveOf(builtFrom(t, service), "us", "ap")
			c.change(&in)
			_, problems := graph.Move(in)
			require.Equal(t, c.want, problems)
		})
	}
}

func TestUnmove(t *testing.T) {
	head := builtFrom(t, service)
	in := moveOf(head, "us", "ap")
	in.Places[head.Node("object").NodeID]["ap"] = graph.Place{There: true}
	moved, problems := graph.Move(in)
	require.Empty(t, problems)
	undone := graph.Unmove(head, moved.Target, moved.Steps, "dddd0000", in.NewID, func(*graph.Node) bool { return true })
	nodes, edges := shown(undone)
	require.Equal(t, []string{"ensure secret", "delete bucket@ap", "delete function@ap"}, nodes, "what was there before stays")
	require.Equal(t, []string{"delete function@ap > delete bucket@ap", "ensure secret > delete function@ap"}, edges)
	require.Equal(t, "us", undone.Nodes[0].References["value_from"].Region)
	require.Equal(t, "aaaa0000", undone.Of)
	require.NotEmpty(t, undone.Context)

	undone = graph.Unmove(head, moved.Target, moved.Steps, "dddd0000", in.NewID, func(node *graph.Node) bool { return node.ResourceID == "bucket" })
	nodes, _ = shown(undone)
	require.Equal(t, []string{"delete bucket@ap"}, nodes, "what was never begun needs nothing")
}
