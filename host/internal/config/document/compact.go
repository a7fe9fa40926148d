package document

import (
	"bytes"
	"encoding/json"
	"slices"
)

// AppendCompact writes a value without the space around its parts, and without the members that are omitted, in the form that
// json.Marshal gives a json.RawMessage.
func (d *Document) AppendCompact(to []byte, n int, omitted []int) []byte {
	start := len(to)
	to = slices.Grow(to, int(d.nodes[n].end-d.nodes[n].start))
	to = d.compact(to, n, omitted)
	if written := to[start:]; needsEscape(written) {
		var escaped bytes.Buffer
		json.HTMLEscape(&escaped, written)
		return append(to[:start], escaped.Bytes()...)
	}
	return to
}

// needsEscape looks for what json.Marshal escapes inside strings. (bytes.ContainsAny goes rune by rune.)
func needsEscape(text []byte) bool {
	return bytes.IndexByte(text, '<') >= 0 || bytes.IndexByte(text, '>') >= 0 || bytes.IndexByte(text, '&') >= 0 ||
		bytes.Contains(text, []byte("\u2028")) || bytes.Contains(text, []byte("\u2029"))
}

func (d *Document) compact(to []byte, n int, omitted []int) []byte {
	open, end := byte('['), byte(']')
	switch d.nodes[n].kind {
	case Object:
		open, end = '{', '}'
	case Array:
	default:
		return append(to, d.Raw(n)...)
	}
	to = append(to, open)
	empty := true
	for child := d.First(n); child >= 0; child = d.Next(child) {
		if slices.Contains(omitted, child) {
			continue
		}
		if !empty {
			to = append(to, ',')
		}
		empty = false
		if open == '{' {
			at := &d.nodes[child]
			to = append(append(append(to, '"'), d.text[at.keyStart:at.keyEnd]...), '"', ':')
		}
		to = d.compact(to, child, omitted)
	}
	return append(to, end)
}
