package invariant

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
)

// Forms are the encodings that a secret could hide in: as it is, hex, URL-encoded, and what base64 makes of it at each offset.
func Forms(secret string) [][]byte {
	raw := []byte(secret)
	forms := [][]byte{raw, []byte(hex.EncodeToString(raw)), []byte(url.QueryEscape(secret)), []byte(url.PathEscape(secret))}
	for offset := range 3 {
		padded := append(bytes.Repeat([]byte{0}, offset), raw...)
		whole := len(padded) / 3 * 3 // what follows it changes the rest
		skip := (offset*8 + 5) / 6   // what stands before it changes these
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, []byte(encoding.EncodeToString(padded[:whole])[skip:]))
		}
	}
	return forms
}

// Secret is I8: none of the secrets is in any of the places, in any form. A violation names the place and which secret, not it.
func Secret(places map[string][]byte, secrets []string) (found []Violation) {
	for i, secret := range secrets {
		for n, form := range Forms(secret) {
			for where, content := range places {
				if bytes.Contains(content, form) {
					found = append(found, Violation{I8, fmt.Sprintf("secret %d stands in %s, in form %d", i, where, n)})
				}
			}
		}
	}
	return found
}
