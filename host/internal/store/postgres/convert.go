package postgres

import "encoding/json"

// blob is nil for no JSON, so that none stays none.
func blob(raw json.RawMessage) []byte { return raw }

// given is nil for a text that is not given.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// limit is a LIMIT clause's value: 0 asks for all.
func limit(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}
