// Package document reads JSON from outside into a flat tree that keeps what encoding/json forgets: the order of members, keys
// that stand twice, and where each value stands in the text. It accepts less than encoding/json does (valid UTF-8 and paired
// surrogates only, a bounded depth) and never more. It knows nothing of what a document means.
package document

import (
	"fmt"
	"strings"
)

// Kind is the kind of a value.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	False
	True
	Number
	String
	Array
	Object
)

// String names the kind as a person would.
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// Document is a parsed text. Its nodes are numbered in the order they stand in; the root is 0. It is read-only. Strings taken
// from it are parts of the one text, where they have no escapes.
type Document struct {
	text  string
	nodes []node
	// Twice are the members whose key had stood in their object before.
	Twice []int
}

// node is one value. Children follow their parent directly; next is the first node that is not below this one.
type node struct {
	start, end       int32 // of the value in the text
	keyStart, keyEnd int32 // of the key without its quotes; of an array's element, its index and -1
	parent, next     int32
	kind             Kind
	escaped          bool // the string has escapes
	escapedKey       bool
}

// Kind of a node.
func (d *Document) Kind(n int) Kind { return d.nodes[n].kind }

// Raw is the text of a value.
func (d *Document) Raw(n int) string { return d.text[d.nodes[n].start:d.nodes[n].end] }

// Key of a member of an object.
func (d *Document) Key(n int) string {
	at := &d.nodes[n]
	return unquote(d.text[at.keyStart:at.keyEnd], at.escapedKey)
}

// Text is the content of a string.
func (d *Document) Text(n int) string {
	at := &d.nodes[n]
	return unquote(d.text[at.start+1:at.end-1], at.escaped)
}

// First is the first child of an array or object, -1 when it is empty; Next the one behind a child, -1 behind the last.
func (d *Document) First(n int) int {
	if d.nodes[n].next == int32(n+1) {
		return -1
	}
	return n + 1
}

// Next is the sibling behind a node, -1 for none.
func (d *Document) Next(n int) int {
	next, parent := d.nodes[n].next, d.nodes[n].parent
	if parent < 0 || next == d.nodes[parent].next {
		return -1
	}
	return int(next)
}

// Len counts the children.
func (d *Document) Len(n int) int {
	count := 0
	for child := d.First(n); child >= 0; child = d.Next(child) {
		count++
	}
	return count
}

// Member looks a member of an object up by key, -1 for none. It is linear.
func (d *Document) Member(n int, key string) int {
	if d.nodes[n].kind != Object {
		return -1
	}
	for child := d.First(n); child >= 0; child = d.Next(child) {
		at := &d.nodes[child]
		if !at.escapedKey && d.text[at.keyStart:at.keyEnd] == key || at.escapedKey && d.Key(child) == key {
			return child
		}
	}
	return -1
}

// At looks a value up by the segments of a pointer, -1 for none. Arrays have no segments here.
func (d *Document) At(segments []string) int {
	n := 0
	for _, segment := range segments {
		if n = d.Member(n, segment); n < 0 {
			return -1
		}
	}
	return n
}

// Pointer is the JSON Pointer of a node. It ends above a key that is too long to be shown.
func (d *Document) Pointer(n int) string {
	var segments []string
	for ; d.nodes[n].parent >= 0; n = int(d.nodes[n].parent) {
		segments = append(segments, d.segment(n))
	}
	pointer := ""
	for i := len(segments) - 1; i >= 0; i-- {
		if len(segments[i]) > longestSegment {
			break
		}
		pointer = Join(pointer, segments[i])
	}
	return pointer
}

func (d *Document) segment(n int) string {
	if d.nodes[n].keyEnd < 0 {
		return fmt.Sprint(d.nodes[n].keyStart)
	}
	return d.Key(n)
}

// longestSegment is how long a caller's key may be and still be shown in a pointer.
const longestSegment = 128

var escape = strings.NewReplacer("~", "~0", "/", "~1")
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// Join puts a segment behind a pointer, unless it is too long to be shown: then the pointer is left as it is.
func Join(pointer, segment string) string {
	if len(segment) > longestSegment {
		return pointer
	}
	return pointer + "/" + escape.Replace(segment)
}

// Split gives the segments of a pointer.
func Split(pointer string) []string {
	if pointer == "" {
		return nil
	}
	segments := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range segments {
		segments[i] = unescape.Replace(segments[i])
	}
	return segments
}
