package document

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func digit(b byte) bool { return '0' <= b && b <= '9' }

// number steps over one, by the grammar of RFC 8259.
func (p *parser) number() {
	if p.text[p.at] == '-' {
		p.at++
	}
	if p.at < len(p.text) && p.text[p.at] == '0' {
		p.at++
	} else {
		p.digits()
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		p.digits()
	}
	if p.at < len(p.text) && (p.text[p.at] == 'e' || p.text[p.at] == 'E') {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		p.digits()
	}
}

// digits steps over one or more.
func (p *parser) digits() {
	first := p.at
	for p.at < len(p.text) && digit(p.text[p.at]) {
		p.at++
	}
	if p.at == first {
		p.fail("a digit was expected")
	}
}

// str steps over a string, and says whether it has escapes.
func (p *parser) str() (escaped bool) {
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return escaped
		case c == '\\':
			escaped = true
			if !p.escape() {
				return escaped
			}
		case c < ' ':
			p.fail("a control character stands in a string")
			return escaped
		}
	}
	p.fail("the text ends too early")
	return escaped
}

// escape steps to the last byte of an escape.
func (p *parser) escape() bool {
	p.at++
	if p.at >= len(p.text) {
		p.fail("")
		return false
	}
	switch p.text[p.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		return p.surrogates()
	}
	p.fail("an unknown escape stands in a string")
	return false
}

// surrogates steps over the digits of \uXXXX, and over a second one where the first is half of a pair.
func (p *parser) surrogates() bool {
	r, ok := hex4(p.text, p.at+1)
	if !ok {
		p.fail("four hex digits were expected")
		return false
	}
	p.at += 4
	if !utf16.IsSurrogate(r) {
		return true
	}
	if p.at+2 < len(p.text) && p.text[p.at+1] == '\\' && p.text[p.at+2] == 'u' {
		if low, ok := hex4(p.text, p.at+3); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			p.at += 6
			return true
		}
	}
	p.fail("half of a surrogate pair stands alone in a string")
	return false
}

func hex4(text string, at int) (rune, bool) {
	if at+4 > len(text) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(text[at : at+4]) {
		switch {
		case digit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unquote gives the content of a string that was stepped over before.
func unquote(inner string, escaped bool) string {
	if !escaped {
		return inner
	}
	var content string
	_ = json.Unmarshal([]byte(`"`+inner+`"`), &content) // it was checked when it was parsed
	return content
}

// ErrRange: a number does not fit into 64 bits.
var ErrRange = errors.New("the number is too large")

// Value is a node as plain values: nil, bool, int64, float64, string, []any, map[string]any.
func (d *Document) Value(n int) (any, error) {
	switch d.nodes[n].kind {
	case Object:
		return d.object(n)
	case Array:
		return d.array(n)
	case String:
		return d.Text(n), nil
	case Number:
		return d.number(n)
	case Null:
		return nil, nil
	default:
		return d.nodes[n].kind == True, nil
	}
}

func (d *Document) object(n int) (any, error) {
	members := make(map[string]any, d.Len(n))
	for child := d.First(n); child >= 0; child = d.Next(child) {
		value, err := d.Value(child)
		if err != nil {
			return nil, err
		}
		members[d.Key(child)] = value
	}
	return members, nil
}

func (d *Document) array(n int) (any, error) {
	elements := make([]any, 0, d.Len(n))
	for child := d.First(n); child >= 0; child = d.Next(child) {
		value, err := d.Value(child)
		if err != nil {
			return nil, err
		}
		elements = append(elements, value)
	}
	return elements, nil
}

func (d *Document) number(n int) (any, error) {
	text := d.Raw(n)
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return whole, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, ErrRange
	}
	return value, nil
}
