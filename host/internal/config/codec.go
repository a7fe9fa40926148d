package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// codec reads one node into a settable value of the type it was made for.
type codec func(d *decoder, n int, v reflect.Value)

// codecs are made once a type and kept.
var codecs sync.Map // reflect.Type to codec

func codecOf(t reflect.Type) codec {
	if known, ok := codecs.Load(t); ok {
		return known.(codec)
	}
	// A type that holds itself finds this while its own codec is being made.
	var made codec
	var once sync.WaitGroup
	once.Add(1)
	codecs.LoadOrStore(t, codec(func(d *decoder, n int, v reflect.Value) {
		once.Wait()
		made(d, n, v)
	}))
	made = makeCodec(t)
	once.Done()
	codecs.Store(t, made)
	return made
}

var (
	rawType         = reflect.TypeFor[json.RawMessage]()
	resourcesType   = reflect.TypeFor[rest.Resources]()
	dependencyType  = reflect.TypeFor[rest.Dependency]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func makeCodec(t reflect.Type) codec {
	switch t {
	case rawType:
		return decodeRaw
	case resourcesType:
		return decodeResources
	case dependencyType:
		return decodeDependency
	}
	if reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(textType) {
		return decodeByItself
	}
	switch t.Kind() {
	case reflect.Struct:
		return structCodec(t)
	case reflect.Map:
		return mapCodec(t)
	case reflect.Slice:
		return sliceCodec(t)
	case reflect.Pointer:
		return pointerCodec(t)
	default:
		return scalarCodec(t.Kind())
	}
}

func scalarCodec(kind reflect.Kind) codec {
	switch kind {
	case reflect.String:
		return decodeString
	case reflect.Bool:
		return decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return decodeInt
	case reflect.Float32, reflect.Float64:
		return decodeFloat
	default:
		return decodeByItself
	}
}

func (d *decoder) want(n int, kind document.Kind) bool {
	if d.Kind(n) == kind {
		return true
	}
	d.complain(n, "", "must be "+kind.String())
	return false
}

func decodeRaw(d *decoder, n int, v reflect.Value) {
	v.SetBytes([]byte(d.Raw(n)))
}

func decodeString(d *decoder, n int, v reflect.Value) {
	if d.want(n, document.String) {
		v.SetString(d.Text(n))
	}
}

func decodeBool(d *decoder, n int, v reflect.Value) {
	switch d.Kind(n) {
	case document.True, document.False:
		v.SetBool(d.Kind(n) == document.True)
	default:
		d.complain(n, "", "must be true or false")
	}
}

func decodeInt(d *decoder, n int, v reflect.Value) {
	if !d.want(n, document.Number) {
		return
	}
	value, err := strconv.ParseInt(d.Raw(n), 10, v.Type().Bits())
	if err != nil {
		d.complain(n, "", fmt.Sprintf("must be a whole number of at most %d bits", v.Type().Bits()))
		return
	}
	v.SetInt(value)
}

func decodeFloat(d *decoder, n int, v reflect.Value) {
	if !d.want(n, document.Number) {
		return
	}
	value, err := strconv.ParseFloat(d.Raw(n), v.Type().Bits())
	if err != nil {
		d.complain(n, "", document.ErrRange.Error())
		return
	}
	v.SetFloat(value)
}

// decodeByItself leaves a type that has its own way, or that needs no pointers inside, to encoding/json. The error's text may
// hold the value, and so is not shown.
func decodeByItself(d *decoder, n int, v reflect.Value) {
	if json.Unmarshal([]byte(d.Raw(n)), v.Addr().Interface()) != nil {
		d.complain(n, "", "is not of the form that is wanted here")
	}
}

func pointerCodec(t reflect.Type) codec {
	inner := codecOf(t.Elem())
	return func(d *decoder, n int, v reflect.Value) {
		if d.Kind(n) == document.Null {
			v.SetZero()
			return
		}
		v.Set(reflect.New(t.Elem()))
		inner(d, n, v.Elem())
	}
}

func sliceCodec(t reflect.Type) codec {
	if t.Elem().Kind() == reflect.Uint8 {
		return decodeByItself // base64
	}
	inner := codecOf(t.Elem())
	return func(d *decoder, n int, v reflect.Value) {
		if !d.want(n, document.Array) {
			return
		}
		length := d.Len(n)
		v.Set(reflect.MakeSlice(t, length, length))
		child := d.First(n)
		for i := range length {
			inner(d, child, v.Index(i))
			child = d.Next(child)
		}
	}
}

func mapCodec(t reflect.Type) codec {
	if t.Key().Kind() != reflect.String || reflect.PointerTo(t.Key()).Implements(textType) {
		return decodeByItself
	}
	inner := codecOf(t.Elem())
	return func(d *decoder, n int, v reflect.Value) {
		if !d.want(n, document.Object) {
			return
		}
		if texts, ok := v.Addr().Interface().(*map[string]string); ok {
			*texts = d.texts(n)
			return
		}
		v.Set(reflect.MakeMapWithSize(t, d.Len(n)))
		for child := d.First(n); child >= 0; child = d.Next(child) {
			value := reflect.New(t.Elem()).Elem()
			inner(d, child, value)
			v.SetMapIndex(reflect.ValueOf(d.Key(child)).Convert(t.Key()), value)
		}
	}
}

// texts is the map that a configuration has most of.
func (d *decoder) texts(n int) map[string]string {
	texts := make(map[string]string, d.Len(n))
	for child := d.First(n); child >= 0; child = d.Next(child) {
		if d.want(child, document.String) {
			texts[d.Key(child)] = d.Text(child)
		}
	}
	return texts
}

func decodeResources(d *decoder, n int, v reflect.Value) {
	if !d.want(n, document.Object) {
		return
	}
	length := d.Len(n)
	if length > d.limits.MaxResources {
		d.complain(n, "", fmt.Sprintf("has more than %d resources", d.limits.MaxResources))
		return
	}
	resources, definition := make(rest.Resources, length), codecOf(reflect.TypeFor[rest.Resource]())
	child := d.First(n)
	for i := range resources {
		resources[i].ID = d.Key(child)
		definition(d, child, reflect.ValueOf(&resources[i].Definition).Elem())
		child = d.Next(child)
	}
	v.Set(reflect.ValueOf(resources))
}

// long is a dependency as an object: without the methods that encoding/json would call.
type long rest.Dependency

func decodeDependency(d *decoder, n int, v reflect.Value) {
	dependency := v.Addr().Interface().(*rest.Dependency)
	switch d.Kind(n) {
	case document.String:
		dependency.Resource = d.Text(n)
	case document.Object:
		codecOf(reflect.TypeFor[long]())(d, n, reflect.ValueOf((*long)(dependency)).Elem())
	default:
		d.complain(n, "", "must be a resource id, or an object with resource and edge_type")
	}
}
