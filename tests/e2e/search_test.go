package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// canary is a secret that is to be found nowhere. Its core is letters and digits, so that no quoting changes it; what follows is
// what quoting changes.
type canary struct{ core string }

func newCanary() canary {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	core := make([]byte, 28)
	for i := range core {
		core[i] = letters[rand.IntN(len(letters))]
	}
	return canary{"Canary" + string(core)}
}

func (c canary) value() string { return c.core + `/+&"%é` }

// forms are all that the canary may look like, wherever it stands in something larger.
func (c canary) forms() map[string][]byte {
	core := []byte(c.core)
	found := map[string][]byte{
		"as it is":           core,
		"reversed":           reversed(core),
		"in hex":             []byte(hex.EncodeToString(core)),
		"in HEX":             []byte(strings.ToUpper(hex.EncodeToString(core))),
		"in percents":        eachByte(core, "%%%02x"),
		"in PERCENTS":        eachByte(core, "%%%02X"),
		"in JSON escapes":    eachByte(core, `\u%04x`),
		"in UTF-16":          utf16Of(c.core),
		"as a list of bytes": []byte(strings.Trim(fmt.Sprint(core), "[]")),
		"URL-encoded":        []byte(url.QueryEscape(c.value())),
		"quoted":             []byte(strings.Trim(strconv.QuoteToASCII(c.value()), `"`)),
		"in lower case":      bytes.ToLower(core),
		"in upper case":      bytes.ToUpper(core),
	}
	for shift := range 3 {
		found["in base64, shifted by "+strconv.Itoa(shift)] = inBase64(base64.RawStdEncoding, core, shift)
		found["in base64url, shifted by "+strconv.Itoa(shift)] = inBase64(base64.RawURLEncoding, core, shift)
	}
	return found
}

func reversed(text []byte) []byte {
	back := slices.Clone(text)
	slices.Reverse(back)
	return back
}

func eachByte(text []byte, format string) []byte {
	var out []byte
	for _, b := range text {
		out = fmt.Appendf(out, format, b)
	}
	return out
}

func utf16Of(text string) (out []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

// inBase64 is what of the encoding depends on the text alone when so many bytes stand before it, and any behind.
func inBase64(encoding *base64.Encoding, text []byte, shift int) []byte {
	encoded := encoding.EncodeToString(append(make([]byte, shift), text...))
	first := (shift*8 + 5) / 6
	last := (shift + len(text)) * 8 / 6
	return []byte(encoded[first:last])
}

// haystack is everything that is to be searched, by where it was found.
type haystack map[string][]byte

// find names where, and in what form, a canary is.
func (h haystack) find(c canary) (places []string) {
	forms := c.forms()
	for _, where := range slices.Sorted(maps.Keys(h)) {
		for _, form := range slices.Sorted(maps.Keys(forms)) {
			if bytes.Contains(h[where], forms[form]) {
				places = append(places, where+", "+form)
			}
		}
	}
	return places
}

// addFiles adds all files under a directory.
func (h haystack) addFiles(t *testing.T, dir string) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		h[path] = content
		return err
	}))
}

// addProcess adds what anyone on the machine can see of a process.
func (h haystack) addProcess(t *testing.T, name string, pid int) {
	for _, file := range []string{"cmdline", "environ"} {
		path := filepath.Join("/proc", strconv.Itoa(pid), file)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotEmpty(t, content)
		h[name+" "+path] = content
	}
}

// recorder keeps every answer that comes through it, headers and body.
type recorder struct {
	mu      sync.Mutex
	answers haystack
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	head := &bytes.Buffer{}
	_ = response.Header.Write(head) // a buffer takes everything
	response.Body = &recordedBody{ReadCloser: response.Body, recorder: r, content: head}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil {
		r.answers = haystack{}
	}
	response.Body.(*recordedBody).name = fmt.Sprintf("answer %d to %s %s", len(r.answers), request.Method, request.URL.Path)
	r.answers[response.Body.(*recordedBody).name] = nil
	return response, nil
}

// recordedBody is told of once it was read.
type recordedBody struct {
	io.ReadCloser
	recorder *recorder
	name     string
	content  *bytes.Buffer
}

func (b *recordedBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	b.content.Write(into[:n])
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	b.recorder.answers[b.name] = slices.Clone(b.content.Bytes())
	return n, err
}

// copyTo adds what was answered so far.
func (r *recorder) copyTo(h haystack) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(h, r.answers)
}

// TestTheSearchFindsEveryForm: a search that finds nothing proves something only if it would have found it.
func TestTheSearchFindsEveryForm(t *testing.T) {
	t.Parallel()
	c := newCanary()
	around := func(text string) []byte { return []byte("before " + text + " behind") }
	planted := map[string][]byte{
		"raw": around(c.value()), "JSON": around(string(encode(t, map[string]string{"x": c.value()}))),
		"reversed": around(string(reversed([]byte(c.value())))), "hex": around(hex.EncodeToString([]byte(c.value()))),
		"HEX":         around(strings.ToUpper(hex.EncodeToString([]byte(c.value())))),
		"URL-encoded": around(url.QueryEscape(c.value())), "path-encoded": around(url.PathEscape(c.value())),
		"percents": around(string(eachByte([]byte(c.value()), "%%%02X"))), "UTF-16": utf16Of("before " + c.value()),
		"bytes":      around(fmt.Sprint([]byte(c.value()))),
		"upper case": around(strings.ToUpper(c.value())),
	}
	for before := range 7 {
		text := []byte(strings.Repeat("x", before) + c.value() + strings.Repeat("y", before%4))
		planted[fmt.Sprintf("base64 behind %d", before)] = []byte(base64.StdEncoding.EncodeToString(text))
		planted[fmt.Sprintf("base64url behind %d", before)] = []byte(base64.RawURLEncoding.EncodeToString(text))
	}
	for name, content := range planted {
		require.NotEmpty(t, haystack{"there": content}.find(c), name)
		require.Empty(t, haystack{"there": content}.find(newCanary()), name)
	}
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "deep"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "deep", "file"), planted["base64 behind 1"], 0o600))
	files := haystack{}
	files.addFiles(t, dir)
	require.NotEmpty(t, files.find(c))
}
