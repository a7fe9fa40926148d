package sqlite

import "encoding/json"

// blob is nil for no JSON, so that none stays none.
func blob(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return []byte(raw)
}

// given is nil for a text that is not given.
func given(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// truth is how STRICT tables hold a bool.
func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// limit is a LIMIT clause's value: 0 asks for all.
func limit(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}
