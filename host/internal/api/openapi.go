package api

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// fieldDocs are the comments of package rest, by type and by "Type.field": TestFieldDocsAreFresh writes them with -update.
//
//go:embed fielddocs.json
var fieldDocs []byte

const apiDescription = "Deploys resources across providers from one JSON document. Secrets arrive sealed to the provider that needs " +
	"them, and only that provider opens them. Errors are problem+json (RFC 9457); their types are explained under /problems."

func humaConfig(version string) huma.Config {
	format := huma.Format{Marshal: encode, Unmarshal: json.Unmarshal}
	components := &huma.Components{
		Schemas: schemas(),
		SecuritySchemes: map[string]*huma.SecurityScheme{
			"bearer": {Type: "http", Scheme: "bearer", Description: "An API key"},
			"header": {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "An API key"},
		},
	}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:    "3.1.0",
			Info:       &huma.Info{Title: "MGraph Deploy", Version: version, Description: apiDescription},
			Components: components,
			Security:   []map[string][]string{{"bearer": {}}, {"header": {}}},
		},
		// huma looks "json" up for every type that ends in +json.
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	}
	config.RejectUnknownQueryParameters = true
	return config
}

// schemas knows how the types look in JSON that write themselves.
func schemas() huma.Registry {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[rest.Time](), reflect.TypeFor[time.Time]())
	registry.RegisterTypeAlias(reflect.TypeFor[rest.Resources](), reflect.TypeFor[map[string]rest.Resource]())
	registry.RegisterTypeAlias(reflect.TypeFor[rest.Dependency](), reflect.TypeFor[dependencySchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[problem](), reflect.TypeFor[rest.Problem]())
	return registry
}

// dependencySchema is that of rest.Dependency: a resource id, or an object.
type dependencySchema struct{}

type longDependency struct {
	Resource string `json:"resource"`
	EdgeType string `json:"edge_type,omitempty" enum:"dependency,pause,end"`
}

// Schema implements huma.SchemaProvider.
func (dependencySchema) Schema(registry huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString}, registry.Schema(reflect.TypeFor[longDependency](), true, "Dependency"),
	}}
}

// commonErrors can come from every route that needs a key.
var commonErrors = []rest.Kind{rest.KindUnauthorized, rest.KindNotAcceptable, rest.KindInternal}

// complete adds to an operation, before it is registered, what follows from the route.
func (s *server) complete(r *route) {
	kinds := append([]rest.Kind{}, r.errors...)
	if isPublic(&r.Operation) {
		kinds = append(kinds, rest.KindNotAcceptable, rest.KindInternal)
	} else {
		kinds = append(kinds, commonErrors...)
	}
	if needsOperator(&r.Operation) {
		kinds = append(kinds, rest.KindForbidden)
	}
	for _, kind := range kinds {
		r.Operation.Errors = append(r.Operation.Errors, pageOf(kind).Status)
	}
}

// document adds what huma does not see: the body, which is read by us, and the examples.
func (s *server) document(r route) {
	item := s.api.OpenAPI().Paths[r.Path]
	operation := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodDelete: item.Delete,
	}[r.Method]
	if r.request != nil {
		operation.RequestBody = s.requestBody(r.request)
	}
	success := operation.Responses[strconv.Itoa(max(r.DefaultStatus, http.StatusOK))]
	if r.example == nil || success == nil {
		return
	}
	s.documentAnswer(operation, success, r.example)
	if r.long {
		operation.Responses["202"] = &huma.Response{
			Description: "Accepted: the run goes on", Headers: success.Headers, Content: success.Content,
		}
	}
}

func (s *server) requestBody(example any) *huma.RequestBody {
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(example), true, "Empty")
	return &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema, Example: example}},
	}
}

func (s *server) documentAnswer(operation *huma.Operation, success *huma.Response, example any) {
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(example), true, operation.OperationID)
	success.Content = map[string]*huma.MediaType{"application/json": {Schema: schema, Example: example}}
	offered, _ := operation.Metadata[metaProduces].([]string)
	for _, other := range offered {
		if success.Content[other] == nil {
			success.Content[other] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
	}
}

// openAPI writes the document out, once all routes are in it.
func (s *server) openAPI() ([]byte, error) {
	if err := describeSchemas(s.api.OpenAPI().Components.Schemas.Map()); err != nil {
		return nil, err
	}
	s.openAnswers()
	admitNull(s.api.OpenAPI().Components.Schemas)
	return json.Marshal(s.api.OpenAPI())
}

// admitNull says of objects that are always there whether there is anything to say or not that they can be null: huma does not.
func admitNull(registry huma.Registry) {
	for name, schema := range registry.Map() {
		described := registry.TypeFromRef("#/components/schemas/" + name)
		for i := range described.NumField() {
			field := described.Field(i)
			property, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Type.Kind() != reflect.Pointer || options != "" || schema.Properties[property].Ref == "" {
				continue
			}
			reference := *schema.Properties[property]
			schema.Properties[property] = &huma.Schema{
				Description: reference.Description, AnyOf: []*huma.Schema{{Ref: reference.Ref}, {Type: "null"}},
			}
		}
	}
}

// describeSchemas gives each schema and each property its comment.
func describeSchemas(schemas map[string]*huma.Schema) error {
	docs := map[string]string{}
	if err := json.Unmarshal(fieldDocs, &docs); err != nil {
		return err
	}
	for name, schema := range schemas {
		schema.Description = docs[name]
		for property, field := range schema.Properties {
			if text := docs[name+"."+property]; text != "" && field.Description == "" {
				field.Description = text
			}
		}
	}
	return nil
}

// openAnswers lets answers grow: only what callers send is closed to unknown fields.
func (s *server) openAnswers() {
	document := s.api.OpenAPI()
	sent := map[string]bool{}
	for _, item := range document.Paths {
		if item.Post != nil && item.Post.RequestBody != nil {
			reach(document.Components.Schemas, item.Post.RequestBody.Content["application/json"].Schema, sent)
		}
	}
	for name, schema := range document.Components.Schemas.Map() {
		if !sent[name] && schema.AdditionalProperties == false {
			schema.AdditionalProperties = nil
		}
	}
}

// reach notes the names of all schemas that one leads to.
func reach(registry huma.Registry, schema *huma.Schema, seen map[string]bool) {
	if schema == nil {
		return
	}
	if schema.Ref != "" {
		name := strings.TrimPrefix(schema.Ref, "#/components/schemas/")
		if !seen[name] {
			seen[name] = true
			reach(registry, registry.SchemaFromRef(schema.Ref), seen)
		}
		return
	}
	for _, property := range schema.Properties {
		reach(registry, property, seen)
	}
	reach(registry, schema.Items, seen)
	if values, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		reach(registry, values, seen)
	}
	for _, choice := range append(schema.OneOf, schema.AnyOf...) {
		reach(registry, choice, seen)
	}
}
