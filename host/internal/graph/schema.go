package graph

import (
	"bytes"
	"errors"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schemas remembers compiled JSON Schemas by their text. It is safe for use by several goroutines at once. It only grows: it
// holds as many as the installed providers have types.
type Schemas struct {
	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
}

// Len is how many there are.
func (s *Schemas) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.compiled)
}

// Allow says whether a schema takes these properties; a schema that does not compile takes none.
func (s *Schemas) Allow(schema, properties []byte) bool {
	compiled, err := s.compile(schema)
	if err != nil || compiled == nil {
		return err == nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(properties))
	return err == nil && compiled.Validate(value) == nil
}

// compile gives nil for an empty text: everything is valid then.
func (s *Schemas) compile(text []byte) (*jsonschema.Schema, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema, ok := s.compiled[string(text)]; ok {
		return schema, nil
	}
	schema, err := compileSchema(text)
	if err != nil {
		return nil, err
	}
	if s.compiled == nil {
		s.compiled = map[string]*jsonschema.Schema{}
	}
	s.compiled[string(text)] = schema
	return schema, nil
}

// schemaURL names the schema inside the compiler; nothing is ever read from there.
const schemaURL = "mgraph:properties"

func compileSchema(text []byte) (*jsonschema.Schema, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(schemaURL, parsed); err != nil {
		return nil, err
	}
	return compiler.Compile(schemaURL)
}

// noLoader lets no schema pull in another: neither files nor the network.
type noLoader struct{}

var errNoLoader = errors.New("a schema may not refer to another one")

func (noLoader) Load(string) (any, error) { return nil, errNoLoader }
