package rest

import (
	"bytes"
	"encoding/json"
	"errors"
)

// MarshalJSON writes one object, in order.
func (r Resources) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, resource := range r {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeMember(&out, resource.ID, resource.Definition); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func writeMember(out *bytes.Buffer, name string, value any) error {
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	out.Write(key)
	out.WriteByte(':')
	out.Write(text)
	return nil
}

var errNotObject = errors.New("resources: not a JSON object")

// UnmarshalJSON reads one object and keeps its order. It is lenient; hosts decode strictly by other means.
func (r *Resources) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	start, err := decoder.Token()
	if err != nil {
		return err
	}
	if start != json.Delim('{') {
		return errNotObject
	}
	read := Resources{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		resource := NamedResource{ID: name.(string)}
		if err := decoder.Decode(&resource.Definition); err != nil {
			return err
		}
		read = append(read, resource)
	}
	*r = read
	return nil
}

// UnmarshalJSON reads the short form and the long one.
func (d *Dependency) UnmarshalJSON(data []byte) error {
	var short string
	if json.Unmarshal(data, &short) == nil {
		*d = Dependency{Resource: short}
		return nil
	}
	type long Dependency
	return json.Unmarshal(data, (*long)(d))
}
