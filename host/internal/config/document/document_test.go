package document_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

var limits = document.Limits{Depth: 20, Values: 1000}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		offset int64
		reason string
	}{
		"nothing":            {"", 0, "the text ends too early"},
		"only space":         {" \n\t", 3, "the text ends too early"},
		"cut in an object":   {`{"a": 1`, 7, "the text ends too early"},
		"cut in a string":    {`{"a": "b`, 8, "the text ends too early"},
		"cut in an escape":   {`"\`, 2, "the text ends too early"},
		"cut in a number":    {`-`, 1, "the text ends too early"},
		"cut behind a key":   {`{"a"`, 4, "the text ends too early"},
		"trailing":           {`{} {}`, 3, "there is something behind the value"},
		"trailing comma":     {`[1,]`, 3, "a value was expected"},
		"comma in object":    {`{"a":1,}`, 7, "a key in quotes was expected"},
		"no comma":           {`[1 2]`, 3, "a comma or the end of the array was expected"},
		"no comma in object": {`{"a":1 "b":2}`, 7, "a comma or the end of the object was expected"},
		"no colon":           {`{"a" 1}`, 5, "a colon was expected"},
		"bare key":           {`{a: 1}`, 1, "a key in quotes was expected"},
		"single quotes":      {`'a'`, 0, "a value was expected"},
		"comment":            {`{} // x`, 3, "there is something behind the value"},
		"almost a word":      {`nul `, 0, "a value was expected"},
		"leading zero":       {`01`, 1, "there is something behind the value"},
		"plus":               {`+1`, 0, "a value was expected"},
		"bare point":         {`1.x`, 2, "a digit was expected"},
		"bare exponent":      {`1e+ `, 3, "a digit was expected"},
		"NaN":                {`NaN`, 0, "a value was expected"},
		"control character":  {"\"a\nb\"", 2, "a control character stands in a string"},
		"NUL":                {"\x00", 0, "a value was expected"},
		"unknown escape":     {`"\x41"`, 2, "an unknown escape stands in a string"},
		"short escape":       {`"\u12g4"`, 2, "four hex digits were expected"},
		"lone high":          {`"\ud800"`, 6, "half of a surrogate pair stands alone in a string"},
		"lone low":           {`"\udc00 "`, 6, "half of a surrogate pair stands alone in a string"},
		"two high":           {`"\ud800\ud800"`, 6, "half of a surrogate pair stands alone in a string"},
		"invalid UTF-8":      {"\"a\xff\"", 2, "the text is not valid UTF-8"},
		"byte order mark":    {"\ufeff{}", 0, "the text begins with a byte order mark"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := document.Parse([]byte(c.text), limits)
			var syntax *document.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.Equal(t, document.SyntaxError{Offset: c.offset, Reason: c.reason}, *syntax)
		})
	}
}

func TestParseStopsAtLimits(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		limits  document.Limits
		pointer string
		reason  string
	}{
		"deep arrays":  {`{"a": [[[[]]]]}`, document.Limits{Depth: 3, Values: 99}, "/a/0/0", "is nested deeper than 3 levels"},
		"deep objects": {`{"a": 1, "b": {"c/d": {}}}`, document.Limits{Depth: 2, Values: 99}, "/b/c~1d", "is nested deeper than 2 levels"},
		"many values":  {`[1,2,3]`, document.Limits{Depth: 3, Values: 3}, "", "has more than 3 values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := document.Parse([]byte(c.text), c.limits)
			var beyond *document.LimitError
			require.ErrorAs(t, err, &beyond)
			require.Equal(t, document.LimitError{Pointer: c.pointer, Reason: c.reason}, *beyond)
		})
	}
	_, err := document.Parse([]byte(strings.Repeat("[", 5_000_000)), document.Limits{Depth: 64, Values: 1000})
	require.Error(t, err)
}

func TestKeysThatStandTwice(t *testing.T) {
	many := `{"k0":0,"k1":0,"k2":0,"k3":0,"k4":0,"k5":0,"k6":0,"k7":0,"k8":0,"k3":0,"k9":0,"\u006b8":0,"k3":0}`
	for name, c := range map[string]struct {
		text     string
		pointers []string
	}{
		"none":            {`{"a":{"a":1},"b":{"a":1}}`, nil},
		"two":             {`{"a":1,"a":2}`, []string{"/a"}},
		"three":           {`{"a":1,"a":2,"a":3}`, []string{"/a", "/a"}},
		"escaped":         {`{"a":1,"\u0061":2}`, []string{"/a"}},
		"inside":          {`{"x":[{"b/c":1,"b/c":2}]}`, []string{"/x/0/b~1c"}},
		"in a big object": {many, []string{"/k3", "/k3", "/k8"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := document.Parse([]byte(c.text), limits)
			require.NoError(t, err)
			var pointers []string
			for _, n := range d.Twice {
				pointers = append(pointers, d.Pointer(n))
			}
			require.ElementsMatch(t, c.pointers, pointers)
		})
	}
}

func TestWalk(t *testing.T) {
	d, err := document.Parse([]byte(` {"a": [1, "x\n", {}], "\u0062": {"c": null, "d~/e": true}, "f": []} `), limits)
	require.NoError(t, err)
	require.Equal(t, document.Object, d.Kind(0))
	require.Equal(t, 3, d.Len(0))
	a := d.First(0)
	require.Equal(t, "a", d.Key(a))
	require.Equal(t, `[1, "x\n", {}]`, d.Raw(a))
	second := d.Next(d.First(a))
	require.Equal(t, "x\n", d.Text(second))
	require.Equal(t, "/a/1", d.Pointer(second))
	require.Equal(t, -1, d.First(d.Next(second)))
	require.Equal(t, -1, d.Next(d.Next(second)))
	b := d.Member(0, "b")
	require.Equal(t, "b", d.Key(b))
	require.Equal(t, "/b/d~0~1e", d.Pointer(d.At([]string{"b", "d~/e"})))
	require.Equal(t, -1, d.At([]string{"b", "x", "y"}))
	require.Equal(t, -1, d.Member(a, "0"))
	require.Equal(t, -1, d.First(d.Member(0, "f")))
	require.Equal(t, `{"a":[1,"x\n",{}],"f":[]}`, string(d.AppendCompact(nil, 0, []int{b})))
}

func TestPointers(t *testing.T) {
	require.Equal(t, []string{"a~b", "c/d", ""}, document.Split("/a~0b/c~1d/"))
	require.Empty(t, document.Split(""))
	require.Equal(t, "/x/a~0~1", document.Join("/x", "a~/"))
	long := strings.Repeat("k", 200)
	require.Equal(t, "/x", document.Join("/x", long))
	d, err := document.Parse([]byte(`{"a": {"`+long+`": {"b": 1}}}`), limits)
	require.NoError(t, err)
	require.Equal(t, "/a", d.Pointer(d.At([]string{"a", long, "b"})))
}

// jsonGen draws any JSON value.
func jsonGen(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int32().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.String().AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := jsonGen(depth - 1)
	return rapid.OneOf(append(scalars, rapid.SliceOfN(inner, 0, 5).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 12).AsAny())...)
}

// TestValuesAreThoseOfEncodingJSON, and so is the compact form.
func TestValuesAreThoseOfEncodingJSON(t *testing.T) {
	parser := new(document.Parser)
	rapid.Check(t, func(t *rapid.T) {
		drawn := jsonGen(3).Draw(t, "value")
		text, err := json.MarshalIndent(drawn, " ", rapid.SampledFrom([]string{"", "\t", "  "}).Draw(t, "indent"))
		require.NoError(t, err)
		d, err := parser.Parse(text, document.Limits{Depth: 10, Values: 1 << 20})
		require.NoError(t, err)
		require.Empty(t, d.Twice)
		value, err := d.Value(0)
		require.NoError(t, err)
		again, err := json.Marshal(value)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(again))
		compact, err := json.Marshal(json.RawMessage(text))
		require.NoError(t, err)
		require.Equal(t, string(compact), string(d.AppendCompact(nil, 0, nil)))
	})
}

func TestNumbers(t *testing.T) {
	d, err := document.Parse([]byte(`[0, -1, 9223372036854775807, 9223372036854775808, 1.5, 1e3, 1e999, 1e-999999999]`), limits)
	require.NoError(t, err)
	var values []any
	for n := d.First(0); n >= 0; n = d.Next(n) {
		value, err := d.Value(n)
		if err != nil {
			require.ErrorIs(t, err, document.ErrRange)
			value = "too large"
		}
		values = append(values, value)
	}
	require.Equal(t, []any{int64(0), int64(-1), int64(9223372036854775807), 9223372036854775808.0, 1.5, 1000.0, "too large", 0.0}, values)
}

// FuzzParse: what is accepted is JSON to encoding/json too, with the same content.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5e-3,"\u00e9\ud83d\ude00\/"],"b":{"a":null,"a":true}}`, `"\ud800"`, "[[[[", `{"a":1,}`, "\xff", `-0`, `"a` + "\x00" + `"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := document.Parse(text, limits)
		if err != nil {
			return
		}
		require.True(t, json.Valid(text))
		if len(d.Twice) > 0 {
			return
		}
		var want any
		if json.Unmarshal(text, &want) != nil {
			_, err := d.Value(0)
			require.ErrorIs(t, err, document.ErrRange)
			return
		}
		compact, err := json.Marshal(json.RawMessage(text))
		require.NoError(t, err)
		require.Equal(t, string(compact), string(d.AppendCompact(nil, 0, nil)))
		value, err := d.Value(0)
		require.NoError(t, err)
		require.Equal(t, want, floats(value))
	})
}

// floats makes the numbers those of encoding/json.
func floats(value any) any {
	switch v := value.(type) {
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = floats(v[key])
		}
	}
	return value
}
