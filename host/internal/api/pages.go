package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/julienschmidt/httprouter"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

//go:embed pages.html
var pagesHTML string

// The pages use nothing but what is in them.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveDocumentation serves the OpenAPI document, a page that shows it, and a page for each kind of problem. All of it is
// made once; none of it needs a key.
func (s *server) serveDocumentation(router *httprouter.Router) error {
	document, err := s.openAPI()
	if err != nil {
		return err
	}
	pages, err := template.New("pages").Funcs(template.FuncMap{"code": codeSpans}).Parse(pagesHTML)
	if err != nil {
		return err
	}
	router.GET("/openapi.json", fixed("/openapi.json", "application/openapi+json", document))
	docs, err := render(pages, "docs", s.reference())
	if err != nil {
		return err
	}
	router.GET("/docs", fixed("/docs", "text/html; charset=utf-8", docs))
	return s.serveProblems(router, pages)
}

func (s *server) serveProblems(router *httprouter.Router, pages *template.Template) error {
	index, err := render(pages, "problems", kindPages())
	if err != nil {
		return err
	}
	router.GET("/problems", fixed("/problems", "text/html; charset=utf-8", index))
	texts := map[rest.Kind]httprouter.Handle{}
	for _, page := range kindPages() {
		text, err := render(pages, "problem", page)
		if err != nil {
			return err
		}
		texts[page.Kind] = fixed("/problems/{kind}", "text/html; charset=utf-8", text)
	}
	router.GET("/problems/:kind", func(w http.ResponseWriter, r *http.Request, params httprouter.Params) {
		page, known := texts[rest.Kind(params.ByName("kind"))]
		if !known {
			newProblem(rest.KindNotFound, "there is no such kind of problem: see /problems").write(w, r)
			return
		}
		page(w, r, params)
	})
	return nil
}

func fixed(route, contentType string, content []byte) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		exchangeOf(r.Context()).route = route
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Security-Policy", pagePolicy)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content)
	}
}

func render(pages *template.Template, name string, data any) ([]byte, error) {
	var out bytes.Buffer
	err := pages.ExecuteTemplate(&out, name, data)
	return out.Bytes(), err
}

// codeSpans shows `this` as code.
func codeSpans(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(text, "`") {
		escaped := template.HTMLEscapeString(part)
		if i%2 == 1 {
			escaped = "<code>" + escaped + "</code>"
		}
		out.WriteString(escaped)
	}
	return template.HTML(out.String()) // #nosec G203: every part was escaped
}

// reference is the OpenAPI document as the page shows it.
type reference struct {
	Title, Version, Description string
	Operations                  []shownOperation
	Schemas                     []shownSchema
}

type shownOperation struct {
	*huma.Operation
	Request, Answer string
	Problems        []kindPage
}

type shownSchema struct {
	Name, Description string
	Properties        []shownProperty
}

type shownProperty struct {
	Name, Type, Link, Description string
	Required                      bool
}

func (s *server) reference() reference {
	document := s.api.OpenAPI()
	page := reference{Title: document.Info.Title, Version: document.Info.Version, Description: document.Info.Description}
	for _, item := range document.Paths {
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if operation != nil {
				page.Operations = append(page.Operations, shown(operation))
			}
		}
	}
	slices.SortFunc(page.Operations, func(a, b shownOperation) int {
		return strings.Compare(a.Tags[0]+a.Path+a.Method, b.Tags[0]+b.Path+b.Method)
	})
	for name, schema := range document.Components.Schemas.Map() {
		page.Schemas = append(page.Schemas, shownSchemaOf(name, schema))
	}
	slices.SortFunc(page.Schemas, func(a, b shownSchema) int { return strings.Compare(a.Name, b.Name) })
	return page
}

func shown(operation *huma.Operation) shownOperation {
	one := shownOperation{Operation: operation}
	if operation.RequestBody != nil {
		one.Request = indented(operation.RequestBody.Content["application/json"].Example)
	}
	for _, status := range []string{"200", "201"} {
		if answer := operation.Responses[status]; answer != nil && answer.Content["application/json"] != nil {
			one.Answer = indented(answer.Content["application/json"].Example)
		}
	}
	for _, page := range kindPages() {
		if slices.Contains(operation.Errors, page.Status) {
			one.Problems = append(one.Problems, page)
		}
	}
	return one
}

func indented(value any) string {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

func shownSchemaOf(name string, schema *huma.Schema) shownSchema {
	one := shownSchema{Name: name, Description: schema.Description}
	for property, field := range schema.Properties {
		kind, link := typeName(field)
		one.Properties = append(one.Properties, shownProperty{
			Name: property, Type: kind, Link: link, Description: field.Description,
			Required: slices.Contains(schema.Required, property),
		})
	}
	slices.SortFunc(one.Properties, func(a, b shownProperty) int { return strings.Compare(a.Name, b.Name) })
	return one
}

// typeName says a schema in a word or two, and which schema it leads to.
func typeName(schema *huma.Schema) (text, link string) {
	values, isMap := schema.AdditionalProperties.(*huma.Schema)
	switch {
	case len(schema.AnyOf) > 0:
		return typeName(schema.AnyOf[0])
	case schema.Ref != "":
		name := strings.TrimPrefix(schema.Ref, "#/components/schemas/")
		return name, name
	case schema.Items != nil:
		text, link = typeName(schema.Items)
		return "list of " + text, link
	case isMap:
		text, link = typeName(values)
		return "map of " + text, link
	case schema.Format == "date-time":
		return "time", ""
	case schema.Type == "":
		return "any", ""
	default:
		return schema.Type, ""
	}
}
