package document

import (
	"encoding/json"
	"fmt"
)

// Fill puts values at pointers of one JSON object, making the objects between where they are missing. What stands at a pointer
// is replaced; what is no object and stands in the way is an error.
func Fill(object json.RawMessage, values map[string]json.RawMessage) (json.RawMessage, error) {
	if len(values) == 0 {
		return object, nil
	}
	members := map[string]json.RawMessage{}
	if len(object) > 0 {
		if err := json.Unmarshal(object, &members); err != nil {
			return nil, fmt.Errorf("fill: what is to be filled is no object")
		}
	}
	if members == nil { // null
		members = map[string]json.RawMessage{}
	}
	nested := map[string]map[string]json.RawMessage{}
	for pointer, value := range values {
		segments := Split(pointer)
		if len(segments) == 1 {
			members[segments[0]] = value
			continue
		}
		inner := nested[segments[0]]
		if inner == nil {
			inner = map[string]json.RawMessage{}
			nested[segments[0]] = inner
		}
		inner[pointer[1+len(escape.Replace(segments[0])):]] = value
	}
	for name, inner := range nested {
		filled, err := Fill(members[name], inner)
		if err != nil {
			return nil, err
		}
		members[name] = filled
	}
	return json.Marshal(members)
}
