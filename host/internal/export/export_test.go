package export_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/export"
)

func sample() *export.Graph {
	return &export.Graph{
		ID: "5bec1234", Name: `a"b`, Kind: "spec", About: map[string]string{"version": "v1"},
		Nodes: []export.Node{
			{ID: "1111aaaa", Kind: "resource", Path: []string{"role"}, Lines: []string{"role", "cloud:role"}, Data: map[string]string{"node_id": "1111aaaa"}},
			{ID: "2222bbbb", Kind: "resource", Path: []string{"a/b c"}, Lines: []string{"api", `cloud:<"x">`, "a, b"}, Data: map[string]string{"text": `"q" / é`}},
		},
		Edges: []export.Edge{
			{ID: "3333cccc", From: "1111aaaa", To: "2222bbbb", Kind: "dependency", Plain: true},
			{ID: "4444dddd", From: "1111aaaa", To: "2222bbbb", Kind: "pause"},
		},
	}
}

func TestPictures(t *testing.T) {
	require.Equal(t, `digraph "a\"b" {
  rankdir=LR;
  node [shape=box];
  "1111aaaa" [label="role\ncloud:role"];
  "2222bbbb" [label="api\ncloud:<\"x\">\na, b"];
  "1111aaaa" -> "2222bbbb";
  "1111aaaa" -> "2222bbbb" [style=dashed, label="pause"];
}
`, string(sample().DOT()))
	require.Equal(t, `flowchart LR
  n1111aaaa["role<br/>cloud:role"]
  n2222bbbb["api<br/>cloud:#lt;#quot;x#quot;#gt;<br/>a, b"]
  n1111aaaa --> n2222bbbb
  n1111aaaa -. "pause" .-> n2222bbbb
`, string(sample().Mermaid()))
}

func TestWhatHoldsOthersIsABoxAroundThem(t *testing.T) {
	node := func(id string, holds int) export.Node { return export.Node{ID: id, Lines: []string{id}, Holds: holds} }
	g := &export.Graph{
		Name: "g", Nodes: []export.Node{node("a", 0), node("b", 3), node("c", 1), node("d", 0), node("e", 0), node("f", 0), node("h", 1), node("i", 0)},
		Edges: []export.Edge{{From: "a", To: "d", Plain: true}},
	}
	require.Equal(t, `flowchart LR
  na["a"]
  subgraph nb["b"]
    subgraph nc["c"]
      nd["d"]
    end
    ne["e"]
  end
  nf["f"]
  subgraph nh["h"]
    ni["i"]
  end
  na --> nd
`, string(g.Mermaid()))
	dot := string(g.DOT())
	require.Contains(t, dot, `
  subgraph "cluster_b" {
    label="b";
    subgraph "cluster_c" {
      label="c";
      "d" [label="d"];
    }
    "e" [label="e"];
  }
  "f" [label="f"];
`)
	require.Equal(t, strings.Count(dot, "{"), strings.Count(dot, "}"))
}

// The forms that a line of a node may have: one string, and nothing behind it that could be read as more.
var (
	dotNode     = regexp.MustCompile(`^  "[0-9a-f]{8}" \[label="((?:[^"\\]|\\.)*)"\];$`)
	mermaidNode = regexp.MustCompile(`^  n[0-9a-f]{8}\["([^"` + "`" + `%&]*)"\]$`)
	entity      = regexp.MustCompile(`#(35|amp|quot|96|lt|gt|37);`)
)

var (
	unDOT     = strings.NewReplacer(`\\`, `\`, `\"`, `"`, "&amp;", "&", `\n`, "\n")
	unMermaid = map[string]string{"35": "#", "amp": "&", "quot": `"`, "96": "`", "lt": "<", "gt": ">", "37": "%"}
)

// TestNoTextBreaksAPicture: whatever a resource or a region is called, a picture has the lines that it must have, and says the text.
func TestNoTextBreaksAPicture(t *testing.T) {
	hostile := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("\\\"#&;`%{}[]<>\n\r\t|-.>")), 0, 20, -1))
	rapid.Check(t, func(t *rapid.T) {
		first, second := hostile.Draw(t, "first"), hostile.Draw(t, "second")
		g := sample()
		g.Name = hostile.Draw(t, "name")
		g.Nodes[0].Lines = []string{first, second}
		want := seen(first) + "\n" + seen(second)

		dot := strings.Split(string(g.DOT()), "\n")
		require.Len(t, dot, 9, "%q", dot)
		found := dotNode.FindStringSubmatch(dot[3])
		require.NotNil(t, found, "%q", dot[3])
		require.Equal(t, want, unDOT.Replace(found[1]))
		require.Regexp(t, `^digraph "(?:[^"\\]|\\.)*" \{$`, dot[0])

		mermaid := strings.Split(string(g.Mermaid()), "\n")
		require.Len(t, mermaid, 6, "%q", mermaid)
		found = mermaidNode.FindStringSubmatch(mermaid[1])
		require.NotNil(t, found, "%q", mermaid[1])
		lines := strings.Split(found[1], "<br/>")
		for i, line := range lines {
			require.NotContains(t, line, "<")
			lines[i] = entity.ReplaceAllStringFunc(line, func(code string) string { return unMermaid[strings.Trim(code, "#;")] })
		}
		require.Equal(t, want, strings.Join(lines, "\n"))
	})
}

// seen is what of a text can be seen.
func seen(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

func TestMGraph(t *testing.T) {
	text, err := sample().MGraph()
	require.NoError(t, err)
	var read struct {
		Graph struct{ Model struct{ Data map[string]any } }
		Types map[string]string `json:"_type_registry"`
	}
	require.NoError(t, json.Unmarshal(text, &read))
	data := read.Graph.Model.Data
	require.Equal(t, "5bec1234", data["graph_id"])
	nodes, edges := data["nodes"].(map[string]any), data["edges"].(map[string]any)
	require.Len(t, nodes, 3, "two nodes, and one that speaks of the whole")
	require.Len(t, edges, 2)
	require.Equal(t, map[string]any{
		"node_id": "2222bbbb", "node_path": "resource:a_b_c", "node_type": "@schema_mgraph_node_value",
		"node_data": map[string]any{"value_type": "@str", "key": "resource", "value": `{"text":"\"q\" / é"}`},
	}, nodes["2222bbbb"])
	require.Equal(t, map[string]any{
		"edge_id": "4444dddd", "from_node_id": "1111aaaa", "to_node_id": "2222bbbb", "edge_path": nil, "edge_data": nil,
		"edge_label": map[string]any{"predicate": "pause", "incoming": nil, "outgoing": nil}, "edge_type": "@schema_mgraph_edge",
	}, edges["4444dddd"])
	for _, node := range nodes {
		require.Contains(t, read.Types, node.(map[string]any)["node_type"])
	}
}

// TestMGraphHoldsTheRulesOfTheLibrary: ids, keys, paths and predicates have the forms that it loads, whatever a graph holds.
func TestMGraphHoldsTheRulesOfTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := sample()
		g.Name, g.Nodes[0].Path = rapid.String().Draw(t, "name"), []string{rapid.String().Draw(t, "path")}
		text, err := g.MGraph()
		require.NoError(t, err)
		var read struct {
			Graph struct {
				Model struct {
					Data struct {
						Nodes map[string]struct {
							ID   string                      `json:"node_id"`
							Path string                      `json:"node_path"`
							Data struct{ Value, Key string } `json:"node_data"`
						}
					}
				}
			}
		}
		require.NoError(t, json.Unmarshal(text, &read))
		values := map[string]bool{}
		for id, node := range read.Graph.Model.Data.Nodes {
			require.Regexp(t, `^[0-9a-f]{8}$`, id)
			require.Equal(t, id, node.ID)
			require.Regexp(t, `^[A-Za-z0-9_.:\[\]-]{1,512}$`, node.Path)
			require.False(t, values[node.Data.Key+"\x00"+node.Data.Value], "value and key are unique")
			values[node.Data.Key+"\x00"+node.Data.Value] = true
		}
	})
}
