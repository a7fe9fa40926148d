package provider

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// shortest is the length below which a value is not searched for: masking every "on" would hide more than it protects.
const shortest = 5

// redactor masks opened secrets in text. The zero value masks nothing.
type redactor struct{ pairs []string }

// add makes the redactor mask a value, raw and in the encodings it commonly travels in.
func (r *redactor) add(value string) {
	if len(value) < shortest {
		return
	}
	quoted, _ := json.Marshal(value)
	forms := []string{
		value, string(quoted[1 : len(quoted)-1]), url.QueryEscape(value), url.PathEscape(value),
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(value)), "="),
		strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(value)), "="),
	}
	for _, form := range forms {
		r.pairs = append(r.pairs, form, masked)
	}
}

// redact masks what was added. Its cost when nothing was opened is nothing.
func (r *redactor) redact(text string) string {
	if len(r.pairs) == 0 || text == "" {
		return text
	}
	return strings.NewReplacer(r.pairs...).Replace(text)
}
