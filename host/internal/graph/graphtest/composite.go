package graphtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// stackType is a function with its role: {"name", "runtime", "empty"}, and perhaps the bucket of its code.
func stackType() contract.ResourceType {
	return contract.ResourceType{
		Name: "cloud:stack", Placement: contract.Regional, Composite: true, Verbs: verbs(time.Second),
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
			"name": {"type": "string", "minLength": 1}, "runtime": {"type": "string"}, "empty": {"type": "boolean"}}}`),
		References: []contract.ReferenceRole{{Role: "code", Types: []string{"cloud:bucket"}}},
		Outputs:    outputs("arn", "role_arn"), SelfOutput: "arn",
	}
}

// siteType is two stacks, one after the other, and a bucket that both read: a composite of composites.
func siteType() contract.ResourceType {
	return contract.ResourceType{
		Name: "cloud:site", Placement: contract.Regional, Composite: true,
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
			"name": {"type": "string", "minLength": 1}}}`),
		Outputs: outputs("front", "back"),
	}
}

// vaultType is a secret for each of some repositories, all with one value.
func vaultType() contract.ResourceType {
	return contract.ResourceType{
		Name: "hub:vault", Placement: contract.Global, Composite: true,
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["token", "repos"], "properties": {
			"token": {"type": "string"}, "repos": {"type": "array", "items": {"type": "string"}}}}`),
		Sensitive: []string{"/token"},
	}
}

// Stacks is a configuration that becomes n resources: stacks of two parts, each behind the one ten before it.
func Stacks(n int) []byte {
	var out strings.Builder
	out.WriteString(`{"deployment_id": "bench", "resources": {`)
	for i := range max(1, n/3) {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(&out, `"s%d": {"type": "cloud:stack", "operation": "ensure", "properties": {"name": "s%d", "runtime": "go"}, "tags": {"team": "bench"}`, i, i)
		if i >= 10 {
			fmt.Fprintf(&out, `, "depends_on": ["s%d"]`, i-10)
		}
		out.WriteString(`}`)
	}
	out.WriteString(`}}`)
	return []byte(out.String())
}

// Expand says what the composites of the catalog consist of.
func Expand(request *contract.ExpandRequest) *contract.ExpandResult {
	var p struct {
		Name, Runtime string
		Empty         bool
		Repos         []string
	}
	if err := json.Unmarshal(request.Properties, &p); err != nil {
		return nil
	}
	switch request.Type {
	case "cloud:stack":
		return stack(p.Name, p.Runtime, p.Empty, request.Roles)
	case "cloud:site":
		return site(p.Name)
	case "hub:vault":
		return vault(p.Repos)
	}
	return nil
}

func stack(name, runtime string, empty bool, roles []string) *contract.ExpandResult {
	switch {
	case empty:
		return &contract.ExpandResult{}
	case runtime == "refused":
		d := contract.New(contract.KindInvalidInput, "is not offered here").Diagnostic
		d.Pointer = "/runtime"
		return &contract.ExpandResult{Diagnostics: []contract.Diagnostic{d}}
	}
	function := contract.ExpandedNode{
		LocalName: "fn", Type: "cloud:function", Properties: object("function_name", name, "runtime", runtime, "handler", "main"),
		References: map[string]string{"role": "role.arn"},
	}
	if len(roles) > 0 {
		function.References["code_bucket"] = contract.OwnRole + roles[0]
		function.Properties = json.RawMessage(strings.Replace(string(function.Properties), "{", `{"code": {"key": "k"}, `, 1))
	}
	return &contract.ExpandResult{
		Nodes:   []contract.ExpandedNode{{LocalName: "role", Type: "cloud:role", Properties: object("role_name", name+"-role")}, function},
		Outputs: map[string]string{"arn": "fn", "role_arn": "role.arn"},
	}
}

func site(name string) *contract.ExpandResult {
	stack := func(local string) contract.ExpandedNode {
		return contract.ExpandedNode{
			LocalName: local, Type: "cloud:stack", Properties: object("name", name+"-"+local, "runtime", "go"),
			References: map[string]string{"code": "code"},
		}
	}
	return &contract.ExpandResult{
		Nodes: []contract.ExpandedNode{
			stack("front"), stack("back"), {LocalName: "code", Type: "cloud:bucket", Properties: object("bucket_name", name)},
		},
		Edges:   []contract.ExpandedEdge{{From: "back", To: "front"}},
		Outputs: map[string]string{"front": "front", "back": "back.arn"},
	}
}

func vault(repos []string) *contract.ExpandResult {
	result := &contract.ExpandResult{}
	for i, repo := range repos {
		result.Nodes = append(result.Nodes, contract.ExpandedNode{
			LocalName: fmt.Sprintf("in-%d", i), Type: "hub:secret", Properties: object("repo", repo, "secret_name", "TOKEN"),
			SealedProperties: map[string]string{"/encrypted_value": "/token"},
		})
	}
	return result
}

// object writes texts by name as one JSON object.
func object(members ...string) json.RawMessage {
	texts := map[string]string{}
	for i := 0; i < len(members); i += 2 {
		texts[members[i]] = members[i+1]
	}
	written, _ := json.Marshal(texts) // texts always encode
	return written
}
