package rest

import (
	"encoding/json"
	"fmt"
	"time"
)

// timeLayout is RFC 3339 with milliseconds, always three digits.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// Time is a moment: RFC 3339, UTC, milliseconds. The zero Time is left out where the field says omitzero.
type Time struct{ time.Time }

// At makes a Time.
func At(t time.Time) Time { return Time{t} }

// String writes the moment as it stands in JSON.
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalText writes it in UTC with milliseconds.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON does the same; without it the embedded time's own would be used.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalText reads any RFC 3339 time.
func (t *Time) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return fmt.Errorf("not an RFC 3339 time")
	}
	t.Time = parsed
	return nil
}

// UnmarshalJSON reads any RFC 3339 time, null as zero.
func (t *Time) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("not an RFC 3339 time")
	}
	if text == nil {
		t.Time = time.Time{}
		return nil
	}
	return t.UnmarshalText([]byte(*text))
}

// List is a slice that is [] in JSON when it is nil, never null. Any slice of its element type can be assigned to it.
type List[T any] []T

// MarshalJSON writes [] for nil.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// ByOperation is a map by operation id (or by what the field says) that is {} in JSON when it is nil, never null.
type ByOperation[T any] map[string]T

// MarshalJSON writes {} for nil.
func (m ByOperation[T]) MarshalJSON() ([]byte, error) {
	if m == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]T(m))
}
