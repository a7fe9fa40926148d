// Package config decodes the JSON that callers post into the request types of sdk/rest: strictly, and with every problem at
// once. What a configuration means, and whether it makes sense, is for package graph to say.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

// Problem is one thing wrong with the text.
type Problem = document.Problem

// Limits of a text. A zero field means its default.
type Limits struct {
	MaxBytes     int // 10 MiB
	MaxDepth     int // 64
	MaxValues    int // 1000000, of any kind
	MaxResources int // 20000
}

func (l Limits) orDefaults() Limits {
	return Limits{
		MaxBytes:     cmp.Or(l.MaxBytes, 10<<20),
		MaxDepth:     cmp.Or(l.MaxDepth, 64),
		MaxValues:    cmp.Or(l.MaxValues, 1_000_000),
		MaxResources: cmp.Or(l.MaxResources, 20_000),
	}
}

// SyntaxError says where a text is not JSON. Reason never holds any of the text.
type SyntaxError struct {
	Offset int64
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("malformed JSON at byte %d: %s", e.Offset, e.Reason)
}

// SizeError says that a text has more bytes than allowed.
type SizeError struct{ Limit int }

func (e *SizeError) Error() string { return fmt.Sprintf("more than %d bytes", e.Limit) }

// InvalidError holds every problem of a text that is JSON, in the order of the text; at most document.MaxProblems.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%d problems in the request", len(e.Problems))
}

// Decode reads body into a T. It accepts only what encoding/json accepts, and reads it as that does, but it refuses unknown
// fields (names must match exactly), keys that stand twice, values of the wrong type, and the lack of a required field: one
// whose tag says neither omitempty nor omitzero (`required:"true"` or "false" overrides that). Optional fields may be null.
// The result shares no memory with body. Errors: *SyntaxError, *SizeError, *InvalidError.
func Decode[T any](body []byte, limits Limits) (T, error) {
	var value T
	limits = limits.orDefaults()
	d, err := read(body, limits)
	if err != nil {
		return value, err
	}
	codecOf(reflect.TypeFor[T]())(d, 0, reflect.ValueOf(&value).Elem())
	if problems := d.problems(); len(problems) > 0 {
		var none T
		return none, &InvalidError{problems}
	}
	return value, nil
}

func read(body []byte, limits Limits) (*decoder, error) {
	if len(body) > limits.MaxBytes {
		return nil, &SizeError{limits.MaxBytes}
	}
	text, err := document.Parse(body, document.Limits{Depth: limits.MaxDepth, Values: limits.MaxValues})
	if beyond, ok := errors.AsType[*document.LimitError](err); ok {
		return nil, &InvalidError{[]Problem{{Pointer: beyond.Pointer, Message: beyond.Reason}}}
	}
	if syntax, ok := errors.AsType[*document.SyntaxError](err); ok {
		return nil, &SyntaxError{Offset: syntax.Offset, Reason: syntax.Reason}
	}
	if err != nil {
		return nil, err
	}
	d := &decoder{Document: text, limits: limits}
	for _, n := range text.Twice {
		d.complain(n, "", "stands there twice")
	}
	return d, nil
}

// decoder walks one document and collects complaints.
type decoder struct {
	*document.Document
	limits     Limits
	complaints []complaint
}

// complaint is a problem at a node, or at a field that the node lacks.
type complaint struct {
	node    int
	field   string
	message string
}

func (d *decoder) complain(node int, field, message string) {
	if len(d.complaints) < 10*document.MaxProblems {
		d.complaints = append(d.complaints, complaint{node, field, message})
	}
}

// problems puts the complaints in the order of the text.
func (d *decoder) problems() []Problem {
	slices.SortStableFunc(d.complaints, func(a, b complaint) int { return a.node - b.node })
	var problems []Problem
	for _, c := range d.complaints {
		if len(problems) == document.MaxProblems {
			break
		}
		pointer := d.Pointer(c.node)
		if c.field != "" {
			pointer = document.Join(pointer, c.field)
		}
		problems = append(problems, Problem{Pointer: pointer, Message: c.message})
	}
	return problems
}
