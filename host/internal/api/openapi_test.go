package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

var update = flag.Bool("update", false, "write fielddocs.json and docs/problems.md anew")

const restSources = "../../../sdk/rest/*.go"

// TestFieldDocsAreFresh: the OpenAPI document says of each field what the comment in package rest says.
func TestFieldDocsAreFresh(t *testing.T) {
	want, err := json.MarshalIndent(commentsOf(t), "", "\t")
	require.NoError(t, err)
	want = append(want, '\n')
	if *update {
		require.NoError(t, os.WriteFile("fielddocs.json", want, 0o644))
	}
	have, err := os.ReadFile("fielddocs.json")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, have), "run: go test ./host/internal/api -run Fresh -update")
}

// commentsOf reads the comments of the types that the document has.
func commentsOf(t *testing.T) map[string]string {
	docs := map[string]string{}
	served, _ := openAPI(t)
	files, err := filepath.Glob(restSources)
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			types, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range types.Specs {
				if one, ok := spec.(*ast.TypeSpec); ok && served.Components.Schemas[one.Name.Name] != nil {
					docs[one.Name.Name] = oneLine(types.Doc)
					commentFields(docs, one)
				}
			}
		}
	}
	maps.DeleteFunc(docs, func(_, text string) bool { return text == "" })
	return docs
}

func commentFields(docs map[string]string, one *ast.TypeSpec) {
	fields, ok := one.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range fields.Fields.List {
		if field.Tag != nil {
			name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
			docs[one.Name.Name+"."+name] = oneLine(field.Doc)
		}
	}
}

func oneLine(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}

// document is what the tests look at of the OpenAPI document.
type document struct {
	OpenAPI    string                          `json:"openapi"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string            `json:"operationId"`
	Summary     string            `json:"summary"`
	Tags        []string          `json:"tags"`
	RequestBody *answer           `json:"requestBody"`
	Responses   map[string]answer `json:"responses"`
	Security    []any             `json:"security"`
	Parameters  []map[string]any  `json:"parameters"`
}

type answer struct {
	Content map[string]struct {
		Schema  any `json:"schema"`
		Example any `json:"example"`
	} `json:"content"`
}

func openAPI(t *testing.T) (document, string) {
	reply := serve(t).do(t, "GET", "/openapi.json", "")
	require.Equal(t, "application/openapi+json", reply.Header.Get("Content-Type"))
	var read document
	require.NoError(t, json.Unmarshal([]byte(reply.body), &read))
	return read, reply.body
}

func TestEveryRouteIsDocumentedWhole(t *testing.T) {
	read, text := openAPI(t)
	require.Equal(t, "3.1.0", read.OpenAPI)
	seen := map[string]bool{}
	for path, methods := range read.Paths {
		for method, one := range methods {
			name := method + " " + path
			require.NotEmpty(t, one.OperationID, name)
			require.False(t, seen[one.OperationID], "operationId twice: "+one.OperationID)
			seen[one.OperationID] = true
			require.NotEmpty(t, one.Summary, name)
			require.NotEmpty(t, one.Tags, name)
			require.Equal(t, method == "post", one.RequestBody != nil, name)
			require.Contains(t, one.Responses, "500", name)
			for _, parameter := range one.Parameters {
				require.NotEmpty(t, parameter["description"], name)
			}
			holdExamples(t, text, name, one)
		}
	}
	require.Greater(t, len(seen), 25)
}

// holdExamples holds each example of an operation against its schema.
func holdExamples(t *testing.T, text, name string, one operation) {
	answers := maps.Clone(one.Responses)
	if one.RequestBody != nil {
		answers["request"] = *one.RequestBody
	}
	for status, answer := range answers {
		content, ok := answer.Content["application/json"]
		if status == "204" {
			continue
		}
		if status == "request" || status < "300" {
			require.True(t, ok, name+" "+status)
			require.NotNil(t, content.Example, name+" "+status)
			require.NoError(t, schemaOf(t, text, content.Schema).Validate(content.Example), name+" "+status)
		} else {
			require.Contains(t, answer.Content, "application/problem+json", name+" "+status)
		}
	}
}

func schemaOf(t *testing.T, document string, schema any) *jsonschema.Schema {
	whole, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	require.NoError(t, err)
	whole.(map[string]any)["asked"] = schema
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, compiler.AddResource("openapi.json", whole))
	compiled, err := compiler.Compile("openapi.json#/asked")
	require.NoError(t, err)
	return compiled
}

func TestRequestsAreClosedAndAnswersOpen(t *testing.T) {
	read, _ := openAPI(t)
	closed := func(name string) bool {
		return read.Components.Schemas[name].(map[string]any)["additionalProperties"] == false
	}
	require.True(t, closed("ApplyRequest"))
	require.True(t, closed("Config"))
	require.True(t, closed("Resource"))
	require.False(t, closed("RunResult"))
	require.False(t, closed("Problem"))
	description := read.Components.Schemas["RunResult"].(map[string]any)["properties"].(map[string]any)["cache_id"].(map[string]any)["description"]
	require.Contains(t, description, "mirror")
}

func TestHealthNeedsNoKeyInTheDocument(t *testing.T) {
	_, text := openAPI(t)
	require.Contains(t, text, `"operationId":"health","responses"`)
	var raw map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &raw))
	health := raw["paths"].(map[string]any)["/info/health"].(map[string]any)["get"].(map[string]any)
	require.Equal(t, []any{}, health["security"])
}

func TestDocsPageNeedsNothingFromOutside(t *testing.T) {
	h := serve(t)
	reply := h.do(t, "GET", "/docs", "")
	require.Equal(t, "text/html; charset=utf-8", reply.Header.Get("Content-Type"))
	require.Contains(t, reply.Header.Get("Content-Security-Policy"), "default-src 'none'")
	for _, reference := range regexp.MustCompile(`(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)`).FindAllStringSubmatch(reply.body, -1) {
		require.Regexp(t, `^[/#]`, reference[1], "only the host's own")
	}
	require.NotContains(t, reply.body, "<script")
	read, _ := openAPI(t)
	for path := range read.Paths {
		require.Contains(t, reply.body, "<code>"+path+"</code>")
	}
}

func TestEveryProblemTypeHasAPage(t *testing.T) {
	h := serve(t)
	index := h.do(t, "GET", "/problems", "")
	for _, kind := range rest.Kinds() {
		require.Contains(t, index.body, "/problems/"+string(kind))
		page := h.do(t, "GET", "/problems/"+string(kind), "")
		require.Equal(t, 200, page.StatusCode, kind)
		require.Contains(t, page.body, "What to do")
	}
}

// TestProblemsDocumentIsFresh: docs/problems.md says what the pages say.
func TestProblemsDocumentIsFresh(t *testing.T) {
	const path = "../../../docs/problems.md"
	want := problemsDocument(t)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(have), "run: go test ./host/internal/api -run Fresh -update")
}

var paragraphs = regexp.MustCompile(`(?s)<h1>(.*?)</h1>\s*<p>(.*?)</p>\s*<p>(.*?)</p>.*?</h2>\s*<p>(.*?)</p>`)

func problemsDocument(t *testing.T) string {
	h := serve(t)
	var out strings.Builder
	out.WriteString("# Problems\n\nEvery error of the REST API is `application/problem+json` (RFC 9457). `type` is `/problems/{kind}`, and the " +
		"host\nserves the same text there. Written by a test from the table in `host/internal/api/problem.go`.\n")
	plain := strings.NewReplacer("<code>", "`", "</code>", "`", "&#39;", "'", "&#34;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">")
	for _, kind := range rest.Kinds() {
		parts := paragraphs.FindStringSubmatch(h.do(t, "GET", "/problems/"+string(kind), "").body)
		require.NotNil(t, parts, kind)
		for i := range parts {
			parts[i] = plain.Replace(parts[i])
		}
		out.WriteString("\n## " + parts[1] + "\n\n" + parts[2] + "\n\n" + parts[3] + "\n\n**What to do.** " + parts[4] + "\n")
	}
	return out.String()
}
