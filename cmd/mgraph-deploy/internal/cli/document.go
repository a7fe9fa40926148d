package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// document is a deployment's JSON as a person wrote it. It is sent as it stands but for credentials, so that the host judges
// every byte of it.
type document struct {
	text json.RawMessage
	// DeploymentID is empty where it is not as it must be; the host will say so.
	DeploymentID string
	// given are the credentials that the document brings itself.
	given map[string]json.RawMessage
	// at and end are where the credentials' value stands in text; 0 where there is none.
	at, end int64
	types   []string
}

// readDocument reads a file, or standard input for "-".
func (a *app) readDocument(path string) (*document, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(a.env.In)
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the deployment: %w", err)
	}
	d, err := parseDocument(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func parseDocument(text []byte) (*document, error) {
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	d := &document{text: bytes.TrimSpace(text)}
	decoder := json.NewDecoder(bytes.NewReader(d.text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("the deployment must be one JSON object")
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		d.member(name.(string), value, decoder.InputOffset())
	}
	return d, nil
}

// checkJSON says where a text is not JSON.
func checkJSON(text []byte) error {
	var syntax *json.SyntaxError
	var whole json.RawMessage
	err := json.Unmarshal(text, &whole)
	if errors.As(err, &syntax) {
		before := text[:min(int(syntax.Offset), len(text))]
		line := bytes.Count(before, []byte("\n")) + 1
		column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
		return fmt.Errorf("line %d, column %d: not JSON", line, column)
	}
	return err
}

// member notes what the program needs to know. What has another form than it must is left for the host to refuse.
func (d *document) member(name string, value json.RawMessage, end int64) {
	switch name {
	case "deployment_id":
		_ = json.Unmarshal(value, &d.DeploymentID)
	case "credentials":
		if json.Unmarshal(value, &d.given) == nil {
			d.at, d.end = end-int64(len(value)), end
		}
	case "resources":
		var resources map[string]struct {
			Type string `json:"type"`
		}
		_ = json.Unmarshal(value, &resources)
		for _, resource := range resources {
			d.types = append(d.types, resource.Type)
		}
	}
}

// needs lists the providers whose credentials the document lacks.
func (d *document) needs() []string {
	var names []string
	for _, name := range d.types {
		provider, _, found := strings.Cut(name, ":")
		if _, given := d.given[provider]; found && !given && !slices.Contains(names, provider) {
			names = append(names, provider)
		}
	}
	slices.Sort(names)
	return names
}

// with is the document's text with credentials added to its own.
func (d *document) with(credentials map[string]json.RawMessage) (json.RawMessage, error) {
	if len(credentials) == 0 {
		return d.text, nil
	}
	all := map[string]json.RawMessage{}
	for name, value := range d.given {
		all[name] = value
	}
	for name, value := range credentials {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	if d.end > 0 {
		return slices.Concat(d.text[:d.at], text, d.text[d.end:]), nil
	}
	separator := []byte(",")
	if bytes.Equal(bytes.TrimSpace(d.text[1:]), []byte("}")) {
		separator = nil
	}
	return slices.Concat([]byte(`{"credentials":`), text, separator, d.text[1:]), nil
}
