package provider

import (
	"encoding/json"

	"github.com/invopop/jsonschema"
)

// schema is the JSON Schema of a shape: names from `json` tags, rules from `jsonschema` and `jsonschema_description` tags.
func (s shape) schema() json.RawMessage {
	reflector := jsonschema.Reflector{Anonymous: true, DoNotReference: true, ExpandedStruct: true}
	raw, err := json.Marshal(reflector.ReflectFromType(s.goType))
	if err != nil {
		panic("a schema made from a Go type cannot be encoded: " + err.Error())
	}
	return raw
}
