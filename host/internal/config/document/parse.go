package document

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where a text stops being JSON. Reason never holds any of the text.
type SyntaxError struct {
	Offset int64
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Reason) }

// Limits of a text.
type Limits struct {
	Depth  int // how deep arrays and objects may be nested
	Values int // how many values there may be in all: what bounds the memory of the tree
}

// LimitError says where a text goes beyond a limit.
type LimitError struct {
	Pointer string
	Reason  string
}

func (e *LimitError) Error() string { return "at " + e.Pointer + ": " + e.Reason }

// Parse reads one JSON value and nothing behind it. It fails with a *SyntaxError or a *LimitError.
func Parse(text []byte, limits Limits) (*Document, error) {
	return new(Parser).Parse(text, limits)
}

// Parser reads many texts one after the other in the same memory: a document is good until the next one is parsed.
type Parser struct {
	document Document
	keys     []member
}

// Parse does as the function of that name.
func (r *Parser) Parse(text []byte, limits Limits) (*Document, error) {
	if need := min(mostValues(text), limits.Values); cap(r.document.nodes) < need {
		r.document.nodes = make([]node, 0, need)
	}
	r.document.text, r.document.nodes, r.document.Twice = string(text), r.document.nodes[:0], nil
	p := parser{Document: &r.document, limits: limits, keys: r.keys}
	err := p.parse()
	r.keys = p.keys
	if err != nil {
		return nil, err
	}
	return &r.document, nil
}

// mostValues is how many values there can be in a text: each but the first stands behind a comma or an opening.
func mostValues(text []byte) int {
	return 1 + bytes.Count(text, []byte(",")) + bytes.Count(text, []byte("{")) + bytes.Count(text, []byte("["))
}

// parser fails once and for good: the first error stays, and everything then returns.
type parser struct {
	*Document
	at     int
	depth  int
	limits Limits
	keys   []member
	err    error
}

func (p *parser) parse() error {
	switch {
	case len(p.text) > math.MaxInt32-1:
		return &SyntaxError{Reason: "the text is too large"}
	case !utf8.ValidString(p.text):
		return &SyntaxError{Offset: invalidUTF8(p.text), Reason: "the text is not valid UTF-8"}
	case strings.HasPrefix(p.text, "\ufeff"):
		return &SyntaxError{Reason: "the text begins with a byte order mark"}
	}
	p.value(-1, 0, -1, false)
	if p.space(); p.err == nil && p.at < len(p.text) {
		p.fail("there is something behind the value")
	}
	return p.err
}

func invalidUTF8(text string) int64 {
	at := 0
	for {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size <= 1 {
			return int64(at)
		}
		at += size
	}
}

func (p *parser) fail(reason string) {
	if p.err != nil {
		return
	}
	if p.at >= len(p.text) {
		reason = "the text ends too early"
	}
	p.err = &SyntaxError{Offset: int64(p.at), Reason: reason}
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek is the next byte that is not space, 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// value reads one value below parent, under the key or index given.
func (p *parser) value(parent, keyStart, keyEnd int, escapedKey bool) {
	first, n := p.peek(), len(p.nodes)
	if n >= p.limits.Values {
		p.err = &LimitError{"", fmt.Sprintf("has more than %d values", p.limits.Values)}
		return
	}
	p.nodes = append(p.nodes, node{
		start: int32(p.at), keyStart: int32(keyStart), keyEnd: int32(keyEnd), escapedKey: escapedKey, parent: int32(parent),
	})
	switch {
	case first == '{':
		p.enter(n, Object)
	case first == '[':
		p.enter(n, Array)
	case first == '"':
		p.nodes[n].kind = String
		p.nodes[n].escaped = p.str()
	case first == 't':
		p.word(n, True, "true")
	case first == 'f':
		p.word(n, False, "false")
	case first == 'n':
		p.word(n, Null, "null")
	case first == '-' || digit(first):
		p.nodes[n].kind = Number
		p.number()
	default:
		p.fail("a value was expected")
	}
	p.nodes[n].end, p.nodes[n].next = int32(p.at), int32(len(p.nodes))
}

func (p *parser) word(n int, kind Kind, word string) {
	p.nodes[n].kind = kind
	if !strings.HasPrefix(p.text[p.at:], word) {
		p.fail("a value was expected")
		return
	}
	p.at += len(word)
}

func (p *parser) enter(n int, kind Kind) {
	p.nodes[n].kind = kind
	if p.depth++; p.depth > p.limits.Depth {
		p.err = &LimitError{p.Pointer(n), fmt.Sprintf("is nested deeper than %d levels", p.limits.Depth)}
		return
	}
	p.at++
	if kind == Object {
		p.members(n)
	} else {
		p.elements(n)
	}
	p.depth--
}

func (p *parser) elements(n int) {
	if p.peek() == ']' {
		p.at++
		return
	}
	for index := 0; p.err == nil; index++ {
		p.value(n, index, -1, false)
		if !p.more(']', "a comma or the end of the array was expected") {
			return
		}
	}
}

func (p *parser) members(n int) {
	if p.peek() == '}' {
		p.at++
		return
	}
	for p.err == nil {
		if p.peek() != '"' {
			p.fail("a key in quotes was expected")
			return
		}
		start := p.at + 1
		escaped := p.str()
		end := p.at - 1
		if p.peek() != ':' {
			p.fail("a colon was expected")
			return
		}
		p.at++
		p.value(n, start, end, escaped)
		if !p.more('}', "a comma or the end of the object was expected") {
			p.findTwice(n)
			return
		}
	}
}

// more steps over a comma, or over the end.
func (p *parser) more(end byte, otherwise string) bool {
	if p.err != nil {
		return false
	}
	switch p.peek() {
	case ',':
		p.at++
		return true
	case end:
		p.at++
	default:
		p.fail(otherwise)
	}
	return false
}

// member is a key of the object that was just read.
type member struct {
	key  string
	node int
}

// findTwice sorts the keys of an object, so that a hostile one takes no longer than any other.
func (p *parser) findTwice(n int) {
	if p.err != nil {
		return
	}
	p.nodes[n].next = int32(len(p.nodes))
	keys := p.keys[:0]
	for child := n + 1; child < len(p.nodes); child = int(p.nodes[child].next) {
		at := &p.nodes[child]
		key := p.text[at.keyStart:at.keyEnd]
		if at.escapedKey {
			key = unquote(key, true)
		}
		keys = append(keys, member{key, child})
	}
	p.keys = keys
	if len(keys) <= 8 {
		p.compareAll(keys)
		return
	}
	slices.SortFunc(keys, func(a, b member) int {
		if order := strings.Compare(a.key, b.key); order != 0 {
			return order
		}
		return a.node - b.node
	})
	for i := 1; i < len(keys); i++ {
		if keys[i-1].key == keys[i].key {
			p.Twice = append(p.Twice, keys[i].node)
		}
	}
}

func (p *parser) compareAll(keys []member) {
	for i := range keys {
		for _, earlier := range keys[:i] {
			if earlier.key == keys[i].key {
				p.Twice = append(p.Twice, keys[i].node)
				break
			}
		}
	}
}
