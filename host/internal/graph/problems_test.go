package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
)

const canary = "CANARY-7f3a"

// TestProblems plants the canary in strings that are refused: it stands in no problem, unless it is a key.
func TestProblems(t *testing.T) {
	role := `"type": "cloud:role", "properties": {"role_name": "x"}`
	function := `"type": "cloud:function", "properties": {"function_name": "f", "runtime": "go", "handler": "h", "role": "arn:x"`
	two := func(r string) string {
		return `{"deployment_id": "d", "resources": {"a": {` + role + `}, "r": {` + r + `}}}`
	}
	around := func(fields string) string { return `{` + fields + `, "resources": {"a": {` + role + `}}}` }
	long := strings.Repeat("x", 70)
	wantID := "must be 1 to 64 letters, digits, '_' or '-'"
	for name, c := range map[string]struct {
		body     string
		problems []string
	}{
		// the deployment
		"deployment id":        {around(`"deployment_id": "` + canary + `!"`), []string{"/config/deployment_id: " + wantID}},
		"empty deployment id":  {around(`"deployment_id": ""`), []string{"/config/deployment_id: " + wantID}},
		"long deployment id":   {around(`"deployment_id": "` + long + `"`), []string{"/config/deployment_id: " + wantID}},
		"long version":         {around(`"deployment_id": "d", "version": "` + canary + long + `"`), []string{"/config/version: must have at most 64 characters, none of them a control character"}},
		"control in version":   {around(`"deployment_id": "d", "version": "` + canary + `\n"`), []string{"/config/version: must have at most 64 characters, none of them a control character"}},
		"negative timeout":     {around(`"deployment_id": "d", "timeout_seconds": -1`), []string{"/config/timeout_seconds: must be a number of seconds from 0 to 2592000 (30 days)"}},
		"no resources":         {`{"deployment_id": "d", "resources": {}}`, []string{"/config/resources: must have at least one resource"}},
		"unknown credentials":  {around(`"deployment_id": "d", "credentials": {"azure": {"k": "` + canary + `"}}`), []string{"/config/credentials/azure: no provider of this name is installed"}},
		"no credentials":       {around(`"deployment_id": "d", "credentials": {"cloud": "` + canary + `"}`), []string{"/config/credentials/cloud: must be an object"}},
		"unknown provider":     {around(`"deployment_id": "d", "providers": {"azure": {"version": "` + canary + `"}}`), []string{"/config/providers/azure: no provider of this name is installed"}},
		"region of credential": {`{"deployment_id": "d", "credentials": {"cloud": {"region": "` + canary + `/"}}, "resources": {"r": {"type": "cloud:bucket", "properties": {"bucket_name": "b"}}}}`, []string{"/config/credentials/cloud/region: " + wantID}},
		// targets
		"target provider":  {around(`"deployment_id": "d", "targets": [{"provider": "` + canary + `"}]`), []string{"/config/targets/0/provider: no provider of this name is installed"}},
		"target twice":     {around(`"deployment_id": "d", "targets": [{"provider": "cloud"}, {"provider": "cloud"}]`), []string{"/config/targets/1/provider: an earlier target is for the same provider"}},
		"target empty":     {around(`"deployment_id": "d", "targets": [{"provider": "cloud", "regions": []}]`), []string{"/config/targets/0/regions: must have at least one region, or be left out"}},
		"target regions":   {around(`"deployment_id": "d", "targets": [{"provider": "cloud", "regions": ["a", "` + canary + `.", "a", ""]}]`), []string{"/config/targets/0/regions/1: " + wantID, "/config/targets/0/regions/2: stands there twice", "/config/targets/0/regions/3: " + wantID}},
		"too many regions": {around(`"deployment_id": "d", "targets": [{"provider": "cloud", "regions": [` + strings.TrimSuffix(strings.Repeat(`"r",`, 65), ",") + `]}]`), []string{"/config/targets/0/regions: must have at most 64 regions"}},
		// a resource
		"resource id":       {`{"deployment_id": "d", "resources": {"a b": {` + role + `}}}`, []string{"/config/resources/a b: a resource id " + wantID}},
		"unknown type":      {one(`"type": "` + canary + `:x"`), []string{"/config/resources/r/type: no installed provider offers this type"}},
		"type of provider":  {one(`"type": "cloud:` + canary + `"`), []string{"/config/resources/r/type: no installed provider offers this type"}},
		"composite":         {one(`"type": "cloud:stack"`), []string{"/config/resources/r/properties/name: is required"}},
		"verb":              {one(role + `, "operation": "` + canary + `"`), []string{"/config/resources/r/operation: this type offers create, update, ensure, delete, verify"}},
		"naming":            {one(role + `, "naming": "` + canary + `"`), []string{`/config/resources/r/naming: must be "exact", or be left out`}},
		"timeout":           {one(role + `, "timeout_seconds": 1e9`), []string{"/config/resources/r/timeout_seconds: must be a number of seconds from 0 to 2592000 (30 days)"}},
		"a name too long":   {one(`"type": "cloud:role", "properties": {"role_name": "` + canary + long + `"}`), []string{"/config/resources/r/properties/role_name: gives a name of 81 characters: this type takes 64"}},
		"with its suffix":   {one(`"type": "cloud:bucket", "properties": {"bucket_name": "` + strings.Repeat("b", 60) + `"}`), []string{"/config/resources/r/properties/bucket_name: gives a name of 69 characters with the suffix that tells resources apart: this type takes 63"}},
		"characters":        {one(`"type": "cloud:role", "properties": {"role_name": "` + canary + ` x"}`), []string{`/config/resources/r/properties/role_name: gives a name that does not match [\w+=,.@-]+`}},
		"exact, everywhere": {`{"deployment_id": "d", "targets": [{"provider": "cloud", "regions": ["x", "y"]}], "resources": {"r": {"type": "cloud:bucket", "naming": "exact", "properties": {"bucket_name": "bbb"}}}}`, []string{"/config/resources/r/properties/bucket_name: gives a physical name that another resource, or another region, has too"}},
		"same name":         {two(role), []string{"/config/resources/r/properties/role_name: gives a physical name that another resource, or another region, has too"}},
		// tags
		"reserved tags":  {one(role + `, "tags": {"mgraph:x": "` + canary + `", "AWS:y": "` + canary + `"}`), []string{"/config/resources/r/tags/AWS:y: keys that begin with mgraph: or aws: are reserved", "/config/resources/r/tags/mgraph:x: keys that begin with mgraph: or aws: are reserved"}},
		"long tags":      {one(role + `, "tags": {"` + strings.Repeat("k", 129) + `": "x", "v": "` + canary + strings.Repeat(long, 4) + `", "": "x", "p": "` + canary + `<"}`), []string{"/config/resources/r/tags/: must have a key", "/config/resources/r/tags: must have a key of at most 128 characters", `/config/resources/r/tags/p: must have a value that matches [\w .:/=+@-]*`, "/config/resources/r/tags/v: must have a value of at most 256 characters"}},
		"tags key chars": {one(role + `, "tags": {"a<": "x"}`), []string{`/config/resources/r/tags/a<: must have a key that matches [\w .:/=+@-]*`}},
		"too many tags":  {one(`"type": "cloud:object", "properties": {"key": "k"}, "tags": {"a": "1", "b": "2", "c": "3"}`), []string{`/config/resources/r/properties/bucket: is required, here or by the reference "bucket"`, "/config/resources/r/tags: this type takes 7 tags, 5 of them ours"}},
		"no tags at all": {one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "encrypted_value": "` + box + `"}, "tags": {"a": "` + canary + `"}`), []string{"/config/resources/r/tags: this type takes no tags"}},
		// dependencies
		"unknown dependency": {one(role + `, "depends_on": ["` + canary + `"]`), []string{"/config/resources/r/depends_on/0: names no resource of this configuration"}},
		"on itself":          {one(role + `, "depends_on": ["r"], "references": {}`), []string{"/config/resources/r/depends_on/0: names the resource itself"}},
		"twice":              {two(`"type": "cloud:role", "properties": {"role_name": "y"}, "depends_on": ["a", {"resource": "a", "edge_type": "end"}]`), []string{"/config/resources/r/depends_on/1: names a resource that stands there before"}},
		"edge type":          {two(`"type": "cloud:role", "properties": {"role_name": "y"}, "depends_on": [{"resource": "a", "edge_type": "` + canary + `"}]`), []string{"/config/resources/r/depends_on/0/edge_type: must be dependency, pause or end"}},
		// references
		"no role":           {two(`"type": "cloud:role", "properties": {"role_name": "y"}, "references": {"role": "a"}`), []string{"/config/resources/r/references/role: is not a reference that this type takes"}},
		"other role":        {two(function + `}, "references": {"owner": "a"}`), []string{"/config/resources/r/references/owner: is not a reference that this type takes: it takes role, code_bucket, code_key, after"}},
		"no such resource":  {two(function + `}, "references": {"after": "` + canary + `.arn"}`), []string{"/config/resources/r/references/after: names no resource of this configuration"}},
		"refers to itself":  {two(function + `}, "references": {"after": "r.arn"}`), []string{"/config/resources/r/references/after: names the resource itself"}},
		"no form":           {two(function + `}, "references": {"after": "a."}`), []string{`/config/resources/r/references/after: must be "resource", "resource.output" or "resource@region.output"`}},
		"empty region":      {two(function + `}, "references": {"after": "a@.arn"}`), []string{`/config/resources/r/references/after: must be "resource", "resource.output" or "resource@region.output"`}},
		"empty":             {two(function + `}, "references": {"after": ""}`), []string{`/config/resources/r/references/after: must be "resource", "resource.output" or "resource@region.output"`}},
		"output":            {two(function + `}, "references": {"after": "a.` + canary + `"}`), []string{"/config/resources/r/references/after: names an output that cloud:role does not have: it has arn, role_id"}},
		"region of global":  {two(function + `}, "references": {"after": "a@` + canary + `.arn"}`), []string{"/config/resources/r/references/after: names a region of a resource that has none"}},
		"region not there":  {`{"deployment_id": "d", "resources": {"b": {"type": "cloud:bucket", "properties": {"bucket_name": "b"}}, "r": {` + function + `}, "references": {"after": "b@` + canary + `.arn"}}}}`, []string{"/config/resources/r/references/after: names a region that the resource is not in"}},
		"type in the role":  {`{"deployment_id": "d", "resources": {"b": {"type": "cloud:bucket", "properties": {"bucket_name": "b"}}, "r": {"type": "cloud:function", "properties": {"function_name": "f", "runtime": "go", "handler": "h"}, "references": {"role": "b"}}}}`, []string{"/config/resources/r/references/role: must name a resource of type cloud:role"}},
		"nothing stands":    {`{"deployment_id": "d", "resources": {"s": {"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "encrypted_value": "` + box + `"}}, "r": {"type": "hub:secret", "properties": {"repo": "a", "secret_name": "T"}, "references": {"value_from": "s"}}}}`, []string{"/config/resources/r/references/value_from: must name an output: nothing stands for a hub:secret as such"}},
		"written too":       {two(function + `}, "references": {"role": "a"}`), []string{`/config/resources/r/properties/role: is filled by the reference "role", and may not be written too`}},
		"by reference only": {one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "value": "` + canary + `"}`), []string{`/config/resources/r/properties/value: may only be filled by the reference "value_from"`}},
		// properties
		"no object":         {one(`"type": "cloud:role", "properties": ["` + canary + `"]`), []string{"/config/resources/r/properties: must be an object"}},
		"required":          {one(`"type": "cloud:role"`), []string{"/config/resources/r/properties/role_name: is required"}},
		"unknown property":  {one(`"type": "cloud:role", "properties": {"role_name": "x", "nope/": "` + canary + `"}`), []string{"/config/resources/r/properties/nope~1: is not a property of this type"}},
		"wrong types":       {one(`"type": "cloud:role", "properties": {"role_name": 1, "path": {"a": "` + canary + `"}, "trust": null}`), []string{"/config/resources/r/properties/path: must be of type string", "/config/resources/r/properties/role_name: must be of type string", "/config/resources/r/properties/trust: must be of type object"}},
		"empty text":        {one(`"type": "cloud:role", "properties": {"role_name": ""}`), []string{"/config/resources/r/properties/role_name: must have at least 1 characters"}},
		"limits":            {one(`"type": "cloud:role", "properties": {"role_name": "x", "sessions": 13}`), []string{"/config/resources/r/properties/sessions: must be at most 12"}},
		"other limits":      {one(`"type": "cloud:role", "properties": {"role_name": "x", "sessions": 0}`), []string{"/config/resources/r/properties/sessions: must be at least 1"}},
		"whole numbers":     {one(`"type": "cloud:role", "properties": {"role_name": "x", "sessions": 1.5}`), []string{"/config/resources/r/properties/sessions: must be of type integer"}},
		"multiples":         {one(function + `, "memory_size": 200}`), []string{"/config/resources/r/properties/memory_size: must be a multiple of 64"}},
		"large numbers":     {one(`"type": "cloud:role", "properties": {"role_name": "x", "sessions": 1e999}`), []string{"/config/resources/r/properties: the number is too large"}},
		"choices":           {one(`"type": "cloud:role", "properties": {"role_name": "x", "kind": "` + canary + `"}`), []string{"/config/resources/r/properties/kind: must be one of service, person"}},
		"an element":        {one(`"type": "cloud:role", "properties": {"role_name": "x", "policies": ["a", 7]}`), []string{"/config/resources/r/properties/policies/1: must be of type string"}},
		"unique":            {one(`"type": "cloud:role", "properties": {"role_name": "x", "policies": ["` + canary + `", "` + canary + `"]}`), []string{"/config/resources/r/properties/policies: must not have one element twice"}},
		"pattern":           {one(`"type": "cloud:function", "properties": {"function_name": "f", "runtime": "go", "handler": "h", "role": "` + canary + `"}`), []string{"/config/resources/r/properties/role: must match ^arn:"}},
		"names of members":  {one(function + `, "environment": {"lower": "` + canary + `"}}`), []string{"/config/resources/r/properties: has a property whose name is not allowed"}},
		"neither":           {one(function + `, "source": {}}`), []string{"/config/resources/r/properties/source: fits none of the forms that are allowed here"}},
		"nearest":           {one(function + `, "source": {"zip": 7}}`), []string{"/config/resources/r/properties/source/zip: must be of type string"}},
		"both":              {one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "encrypted_value": "` + box + `", "value": "` + canary + `"}`), []string{`/config/resources/r/properties/value: may only be filled by the reference "value_from"`, "/config/resources/r/properties: fits more than one of the forms that exclude each other"}},
		"half by reference": {`{"deployment_id": "d", "resources": {"b": {"type": "cloud:bucket", "properties": {"bucket_name": "b"}}, "r": {` + function + `}, "references": {"code_bucket": "b"}}}}`, []string{`/config/resources/r/properties/code/key: is required, here or by the reference "code_key"`}},
		// sealed values
		"not sealed":     {one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "encrypted_value": "` + canary + `"}`), []string{"/config/resources/r/properties/encrypted_value: must be a value sealed to the provider's public key, in standard base64"}},
		"not even text":  {one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "encrypted_value": {"a": "` + canary + `"}}`), []string{"/config/resources/r/properties/encrypted_value: must be of type string", "/config/resources/r/properties/encrypted_value: must be a value sealed to the provider's public key, in standard base64"}},
		"too short":      {one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "encrypted_value": "Q0FOQVJZ"}`), []string{"/config/resources/r/properties/encrypted_value: must be a value sealed to the provider's public key, in standard base64"}},
		"nothing sealed": {one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S"}`), []string{"/config/resources/r/properties: fits none of the forms that are allowed here"}},
	} {
		t.Run(name, func(t *testing.T) {
			built, problems := graph.Build(inputOf(t, c.body))
			require.Equal(t, c.problems, texts(problems))
			require.Nil(t, built)
			require.NotContains(t, fmt.Sprint(problems), canary)
		})
	}
}

func TestCycles(t *testing.T) {
	node := func(id, on string) string {
		return fmt.Sprintf(`"%s": {"type": "cloud:function", "properties": {"function_name": "%s", "runtime": "go", "handler": "h", "role": "arn:x"}, %s}`, id, id, on)
	}
	body := func(nodes ...string) string {
		return `{"deployment_id": "d", "resources": {` + strings.Join(nodes, ",") + `}}`
	}
	for name, c := range map[string]struct {
		body     string
		problems []string
	}{
		"two":           {body(node("a", `"depends_on": ["b"]`), node("b", `"depends_on": ["a"]`)), []string{"/config/resources/a/depends_on/0: closes a cycle: a -> b -> a"}},
		"by references": {body(node("a", `"references": {"after": "c"}`), node("b", `"depends_on": ["a"]`), node("c", `"depends_on": ["b"]`)), []string{"/config/resources/a/references/after: closes a cycle: a -> b -> c -> a"}},
		"two of them":   {body(node("a", `"depends_on": ["b"]`), node("b", `"depends_on": ["a"]`), node("c", `"depends_on": ["a", "d"]`), node("d", `"depends_on": [{"resource": "c", "edge_type": "pause"}]`)), []string{"/config/resources/a/depends_on/0: closes a cycle: a -> b -> a", "/config/resources/c/depends_on/1: closes a cycle: c -> d -> c"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := graph.Build(inputOf(t, c.body))
			require.Equal(t, c.problems, texts(problems))
		})
	}
	t.Run("a long one", func(t *testing.T) {
		var nodes []string
		for i := range 500 {
			nodes = append(nodes, node(fmt.Sprintf("n%d", i), fmt.Sprintf(`"depends_on": ["n%d"]`, (i+1)%500)))
		}
		_, problems := graph.Build(inputOf(t, body(nodes...)))
		require.Len(t, problems, 1)
		require.Contains(t, problems[0].Message, "(480 more) -> n0")
	})
}

func TestAllProblemsAtOnceInTheOrderOfTheDocument(t *testing.T) {
	_, problems := graph.Build(inputOf(t, `{"deployment_id": "", "resources": {
		"a": {"type": "cloud:role", "depends_on": ["b", "x"], "tags": {"aws:a": ""}},
		"b": {"type": "nope:x", "depends_on": ["a"], "timeout_seconds": -1},
		"c": {"type": "cloud:role", "operation": "fly", "properties": {"role_name": 3}}}}`))
	require.Equal(t, []string{
		"/config/deployment_id: must be 1 to 64 letters, digits, '_' or '-'",
		"/config/resources/a/depends_on/1: names no resource of this configuration",
		"/config/resources/a/properties/role_name: is required",
		"/config/resources/a/tags/aws:a: keys that begin with mgraph: or aws: are reserved",
		"/config/resources/a/depends_on/0: closes a cycle: a -> b -> a",
		"/config/resources/b/timeout_seconds: must be a number of seconds from 0 to 2592000 (30 days)",
		"/config/resources/b/type: no installed provider offers this type",
		"/config/resources/c/operation: this type offers create, update, ensure, delete, verify",
		"/config/resources/c/properties/role_name: must be of type string",
	}, texts(problems))
}

func TestKnownResourceOfAnotherType(t *testing.T) {
	in := inputOf(t, one(`"type": "cloud:role", "properties": {"role_name": "x"}`))
	in.Known = []graph.KnownResource{{ResourceID: "r", Type: "cloud:bucket", NodeID: "00000009"}}
	_, problems := graph.Build(in)
	require.Equal(t, []string{"/config/resources/r/type: this deployment has a resource of this id already, of the type cloud:bucket"}, texts(problems))
}

// TestSealedPropertiesProblems: they stand beside the config, and so do their pointers.
func TestSealedPropertiesProblems(t *testing.T) {
	in := inputOf(t, one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S", "encrypted_value": "`+box+`"}`))
	in.SealedProperties = map[string]string{
		"/resources/r/properties/encrypted_value": box, "/resources/r/properties/note": canary, "/resources/r": canary,
	}
	_, problems := graph.Build(in)
	require.Equal(t, []string{
		"/config/resources/r/properties/encrypted_value: is given here and in sealed_properties",
		"/sealed_properties/~1resources~1r: " + misplaced,
		"/sealed_properties/~1resources~1r~1properties~1note: " + misplaced,
	}, texts(problems))
	require.NotContains(t, fmt.Sprint(problems), canary)

	in = inputOf(t, one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S"}`))
	in.SealedProperties = map[string]string{"/resources/r/properties/encrypted_value": canary}
	_, problems = graph.Build(in)
	require.Equal(t, []string{
		"/sealed_properties/~1resources~1r~1properties~1encrypted_value: must be a value sealed to the provider's public key, in standard base64",
	}, texts(problems))
}

func TestProblemsAreBounded(t *testing.T) {
	var resources []string
	for i := range 3000 {
		resources = append(resources, fmt.Sprintf(`"r%d": {"type": "x"}`, i))
	}
	_, problems := graph.Build(inputOf(t, `{"deployment_id": "d", "resources": {`+strings.Join(resources, ",")+`}}`))
	require.Len(t, problems, graph.MaxProblems)
}

// TestSizeIsBounded: regions multiply what a small document says.
func TestSizeIsBounded(t *testing.T) {
	in := inputOf(t, `{"deployment_id": "d", "resources": {"a": {"type": "cloud:role", "properties": {"role_name": "a"}}}}`)
	in.Config.Targets = append(in.Config.Targets, target("cloud", 64))
	in.Config.Resources = nil
	for i := range 2000 {
		in.Config.Resources = append(in.Config.Resources, bucket(i))
	}
	_, problems := graph.Build(in)
	require.Equal(t, []string{
		"/config/targets: resources times regions make more than 100000 operations, or more than 1000000 dependencies between them",
	}, texts(problems))
}

// TestFaultyTypes: what a provider declares wrongly is said where the type is used.
func TestFaultyTypes(t *testing.T) {
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			in := inputOf(t, one(`"type": "cloud:role", "properties": {"role_name": "x"}`))
			in.Catalog = faulty(fault.change)
			_, problems := graph.Build(in)
			require.Equal(t, []string{"/config/resources/r/type: its provider declares " + fault.message}, texts(problems))
		})
	}
}
