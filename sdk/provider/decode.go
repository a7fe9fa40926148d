package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// shape is what is known of a Go type that callers' JSON is decoded into.
type shape struct {
	goType reflect.Type
	// sealed says whether a Sealed is anywhere in it.
	sealed bool
	// pointers are those of all fields, sensitive those of the Sealed ones; "*" stands for any key or index.
	pointers  map[string]bool
	sensitive []string
}

var (
	sealedType      = reflect.TypeFor[Sealed]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

// shapeOf studies a type once.
func shapeOf(t reflect.Type) (shape, error) {
	if t.Kind() != reflect.Struct {
		return shape{}, fmt.Errorf("%s is not a struct", t)
	}
	s := shape{goType: t, pointers: map[string]bool{}}
	if err := s.study(t, "", nil); err != nil {
		return shape{}, err
	}
	s.sealed = len(s.sensitive) > 0
	return s, nil
}

// study walks a type; above are the structs that it stands in.
func (s *shape) study(t reflect.Type, pointer string, above []reflect.Type) error {
	switch {
	case t == sealedType:
		s.sensitive = append(s.sensitive, pointer)
	case reflect.PointerTo(t).Implements(unmarshalerType):
	case t.Kind() == reflect.Pointer:
		return s.study(t.Elem(), pointer, above)
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map:
		return s.study(t.Elem(), pointer+"/*", above)
	case t.Kind() == reflect.Struct:
		return s.studyFields(t, pointer, above)
	}
	return nil
}

func (s *shape) studyFields(t reflect.Type, pointer string, above []reflect.Type) error {
	for _, outer := range above {
		if outer == t {
			return fmt.Errorf("%s contains itself", t)
		}
	}
	var err error
	for _, f := range fieldsOf(t) {
		below := pointer + "/" + escape(f.name)
		s.pointers[below] = true
		err = errors.Join(err, s.study(f.goType, below, append(above[:len(above):len(above)], t)))
	}
	return err
}

// has says whether a pointer names a field.
func (s shape) has(pointer string) bool { return s.pointers[pointer] }

// field is one field as encoding/json sees it.
type field struct {
	name   string
	index  []int
	goType reflect.Type
}

// fieldsOf lists the fields of a struct, those of embedded structs among them.
func fieldsOf(t reflect.Type) []field {
	var listed []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case name == "-":
		case f.Anonymous && name == "" && embedded.Kind() == reflect.Struct && embedded != sealedType:
			for _, inner := range fieldsOf(embedded) {
				inner.index = append([]int{i}, inner.index...)
				listed = append(listed, inner)
			}
		case f.IsExported():
			if name == "" {
				name = f.Name
			}
			listed = append(listed, field{name, []int{i}, f.Type})
		}
	}
	return listed
}

// decode reads a document strictly and tells each Sealed what it must have been sealed for.
func (s shape) decode(raw json.RawMessage, into any, purpose func(pointer string) string) *Error {
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else {
			return invalid("", "there is more than one JSON document")
		}
	}
	if err != nil {
		return s.explain(raw)
	}
	if s.sealed {
		eachSealed(reflect.ValueOf(into).Elem(), "", func(pointer string, sealed *Sealed) { sealed.purpose = purpose(pointer) })
	}
	return nil
}

// eachSealed visits every Sealed in an addressable value; the visitor may change it.
func eachSealed(v reflect.Value, pointer string, visit func(pointer string, sealed *Sealed)) {
	switch {
	case v.Type() == sealedType:
		visit(pointer, v.Addr().Interface().(*Sealed))
	case v.Kind() == reflect.Pointer && !v.IsNil():
		eachSealed(v.Elem(), pointer, visit)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		for i := range v.Len() {
			eachSealed(v.Index(i), pointer+"/"+strconv.Itoa(i), visit)
		}
	case v.Kind() == reflect.Map:
		eachSealedInMap(v, pointer, visit)
	case v.Kind() == reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			if inner, err := v.FieldByIndexErr(f.index); err == nil {
				eachSealed(inner, pointer+"/"+escape(f.name), visit)
			}
		}
	}
}

// eachSealedInMap replaces each element, since elements of a map cannot be changed in place.
func eachSealedInMap(v reflect.Value, pointer string, visit func(string, *Sealed)) {
	for _, key := range v.MapKeys() {
		element := reflect.New(v.Type().Elem()).Elem()
		element.Set(v.MapIndex(key))
		eachSealed(element, pointer+"/"+escape(fmt.Sprint(key)), visit)
		v.SetMapIndex(key, element)
	}
}

// explain finds out where a document that cannot be decoded is wrong.
func (s shape) explain(raw json.RawMessage) *Error {
	var document any
	if json.Unmarshal(raw, &document) != nil {
		return invalid("", "this is not one JSON document")
	}
	if err := explain(document, s.goType, ""); err != nil {
		return err
	}
	return invalid("", "this does not fit the schema")
}

func explain(value any, t reflect.Type, pointer string) *Error {
	switch {
	case value == nil:
		return nil
	case reflect.PointerTo(t).Implements(unmarshalerType):
		return explainPlain(value, t, pointer)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return explain(value, t.Elem(), pointer)
	case reflect.Struct:
		return explainStruct(value, t, pointer)
	case reflect.Map:
		return explainMap(value, t, pointer)
	case reflect.Slice, reflect.Array:
		return explainSlice(value, t, pointer)
	default:
		return explainPlain(value, t, pointer)
	}
}

func explainStruct(value any, t reflect.Type, pointer string) *Error {
	object, ok := value.(map[string]any)
	if !ok {
		return invalid(pointer, "an object is needed here")
	}
	known := fieldsOf(t)
	for _, name := range sortedKeys(object) {
		below := pointer + "/" + escape(name)
		f, ok := lookup(known, name)
		if !ok {
			return invalid(below, "there is no such field")
		}
		if err := explain(object[name], f.goType, below); err != nil {
			return err
		}
	}
	return nil
}

func explainMap(value any, t reflect.Type, pointer string) *Error {
	object, ok := value.(map[string]any)
	if !ok {
		return invalid(pointer, "an object is needed here")
	}
	for _, name := range sortedKeys(object) {
		if err := explain(object[name], t.Elem(), pointer+"/"+escape(name)); err != nil {
			return err
		}
	}
	return nil
}

func explainSlice(value any, t reflect.Type, pointer string) *Error {
	list, ok := value.([]any)
	if !ok {
		return explainPlain(value, t, pointer) // []byte is a string in JSON
	}
	for i, element := range list {
		if err := explain(element, t.Elem(), pointer+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

// explainPlain tries the value on its type.
func explainPlain(value any, t reflect.Type, pointer string) *Error {
	raw, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(raw, reflect.New(t).Interface())
	}
	if err != nil {
		return invalid(pointer, "the value does not have the type that is needed here")
	}
	return nil
}

// lookup finds a field as encoding/json does: exactly, else without regard to case.
func lookup(known []field, name string) (field, bool) {
	for _, f := range known {
		if f.name == name {
			return f, true
		}
	}
	for _, f := range known {
		if strings.EqualFold(f.name, name) {
			return f, true
		}
	}
	return field{}, false
}

func sortedKeys[V any](object map[string]V) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// invalid is an error about a place in the input.
func invalid(pointer, summary string) *Error { return at(Errorf(InvalidInput, "%s", summary), pointer) }

// escape writes a key as a segment of a JSON Pointer.
func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}
