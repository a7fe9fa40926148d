package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

// field is one field of a struct, or of a struct embedded in it.
type field struct {
	name     string
	index    []int
	required bool
	codec    codec
}

// structCodec reads an object into the fields that its keys name.
func structCodec(t reflect.Type) codec {
	fields := fieldsOf(t)
	byName := make(map[string]int, len(fields))
	for i := range fields {
		byName[fields[i].name] = i
	}
	return func(d *decoder, n int, v reflect.Value) {
		if !d.want(n, document.Object) {
			return
		}
		seen := make([]bool, len(fields))
		for child := d.First(n); child >= 0; child = d.Next(child) {
			i, known := byName[d.Key(child)]
			if !known {
				d.complain(child, "", "is not a field that is known here")
				continue
			}
			fields[i].read(d, child, v)
			seen[i] = true
		}
		for i := range fields {
			if fields[i].required && !seen[i] {
				d.complain(n, fields[i].name, "is required")
			}
		}
	}
}

// read takes null for the lack of a value, except where the text itself is kept.
func (f *field) read(d *decoder, n int, v reflect.Value) {
	target := v.FieldByIndex(f.index)
	switch {
	case d.Kind(n) != document.Null || target.Type() == rawType:
		f.codec(d, n, target)
	case f.required:
		d.complain(n, "", "is required and may not be null")
	}
}

// fieldsOf lists the fields that encoding/json would fill, embedded structs' among them. Names that would hide each other, and
// embedded pointers, are not for request types.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct || !f.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, field{name: name, index: f.Index, required: required(f, options), codec: codecOf(f.Type)})
	}
	return fields
}

func required(f reflect.StructField, options string) bool {
	if said := f.Tag.Get("required"); said != "" {
		return said == "true"
	}
	given := strings.Split(options, ",")
	return !slices.Contains(given, "omitempty") && !slices.Contains(given, "omitzero")
}
