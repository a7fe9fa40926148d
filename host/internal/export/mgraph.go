package export

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// The names that mgraph-db knows its schemas by, and the aliases that stand for them in the text.
const (
	aliasValue = "@schema_mgraph_node_value"
	aliasEdge  = "@schema_mgraph_edge"
	aliasText  = "@str"
)

func mgraphTypes() map[string]string {
	return map[string]string{
		aliasValue: "mgraph_db.mgraph.schemas.Schema__MGraph__Node__Value.Schema__MGraph__Node__Value",
		aliasEdge:  "mgraph_db.mgraph.schemas.Schema__MGraph__Edge.Schema__MGraph__Edge",
		aliasText:  "builtins.str",
	}
}

// mgraph is MGraph JSON in the form that the library calls compressed: with aliases for the names of types.
type mgraph struct {
	Graph struct {
		Model struct {
			Data mgraphData `json:"data"`
		} `json:"model"`
	} `json:"graph"`
	Types map[string]string `json:"_type_registry"`
}

type mgraphData struct {
	GraphID string                `json:"graph_id"`
	Path    string                `json:"graph_path"`
	Data    *struct{}             `json:"graph_data"`
	Type    *string               `json:"graph_type"`
	Schemas *struct{}             `json:"schema_types"`
	Nodes   map[string]mgraphNode `json:"nodes"`
	Edges   map[string]mgraphEdge `json:"edges"`
}

// mgraphNode is a value node: the library drops every field that it does not know at the first load, and keeps the text of a
// value as it is. So all that there is to know of a node is JSON in its value.
type mgraphNode struct {
	ID   string      `json:"node_id"`
	Path string      `json:"node_path"`
	Data mgraphValue `json:"node_data"`
	Type string      `json:"node_type"`
}

type mgraphValue struct {
	Type  string `json:"value_type"`
	Value string `json:"value"`
	Key   string `json:"key"`
}

type mgraphEdge struct {
	ID    string      `json:"edge_id"`
	From  string      `json:"from_node_id"`
	To    string      `json:"to_node_id"`
	Path  *string     `json:"edge_path"`
	Data  *struct{}   `json:"edge_data"`
	Label mgraphLabel `json:"edge_label"`
	Type  string      `json:"edge_type"`
}

type mgraphLabel struct {
	Predicate string  `json:"predicate"`
	Incoming  *string `json:"incoming"`
	Outgoing  *string `json:"outgoing"`
}

// MGraph writes the graph as MGraph JSON: each node a value node that keeps its id, with its data as JSON text; each edge with its
// kind as predicate; and one more node for what there is to say of the whole.
func (g *Graph) MGraph() ([]byte, error) {
	var document mgraph
	document.Types = mgraphTypes()
	data := &document.Graph.Model.Data
	data.GraphID, data.Path = g.ID, mgraphPath(g.Kind, g.Name)
	data.Nodes = make(map[string]mgraphNode, len(g.Nodes)+1)
	data.Edges = make(map[string]mgraphEdge, len(g.Edges))
	for i := range g.Nodes {
		node := &g.Nodes[i]
		if err := data.add(node.ID, node.Kind, mgraphPath(node.Kind, node.Path...), node.Data); err != nil {
			return nil, err
		}
	}
	if err := data.add(g.freeID(data.Nodes), g.Kind, data.Path, g.About); err != nil {
		return nil, err
	}
	for i := range g.Edges {
		edge := &g.Edges[i]
		data.Edges[edge.ID] = mgraphEdge{
			ID: edge.ID, From: edge.From, To: edge.To, Label: mgraphLabel{Predicate: edge.Kind}, Type: aliasEdge,
		}
	}
	return json.Marshal(document)
}

func (d *mgraphData) add(id, kind, path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", kind, id, err)
	}
	d.Nodes[id] = mgraphNode{
		ID: id, Path: path, Data: mgraphValue{Type: aliasText, Value: string(text), Key: kind}, Type: aliasValue,
	}
	return nil
}

// freeID is an id for the node that speaks of the whole: always the same for a graph, and none of its nodes'.
func (g *Graph) freeID(taken map[string]mgraphNode) string {
	for n := 0; ; n++ {
		id := DeriveID("about", g.ID, fmt.Sprint(n))
		if _, is := taken[id]; !is {
			return id
		}
	}
}

// DeriveID makes an MGraph id that is always the same for these texts.
func DeriveID(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:4])
}

// maxPath is how long a path may be.
const maxPath = 512

// mgraphPath joins texts to a path. The library takes letters, digits and a few marks, and no slash.
func mgraphPath(kind string, texts ...string) string {
	path := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-.:[]", r):
			return r
		default:
			return '_'
		}
	}, strings.Join(append([]string{kind}, texts...), ":"))
	return path[:min(len(path), maxPath)]
}
