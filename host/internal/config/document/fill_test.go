package document_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

func TestFill(t *testing.T) {
	tests := map[string]struct {
		object string
		values map[string]json.RawMessage
		want   string
	}{
		"nothing":        {`{"a":1}`, nil, `{"a":1}`},
		"beside":         {`{"a":1}`, map[string]json.RawMessage{"/b": []byte(`"x"`)}, `{"a":1,"b":"x"}`},
		"instead":        {`{"a":1}`, map[string]json.RawMessage{"/a": []byte(`2`)}, `{"a":2}`},
		"into nothing":   {``, map[string]json.RawMessage{"/a": []byte(`2`)}, `{"a":2}`},
		"into null":      {`null`, map[string]json.RawMessage{"/a": []byte(`2`)}, `{"a":2}`},
		"deep, in place": {`{"a":{"b":{"c":1}}}`, map[string]json.RawMessage{"/a/b/d": []byte(`2`), "/a/e": []byte(`3`)}, `{"a":{"b":{"c":1,"d":2},"e":3}}`},
		"deep, made":     {`{}`, map[string]json.RawMessage{"/a/b/c": []byte(`1`)}, `{"a":{"b":{"c":1}}}`},
		"escaped":        {`{}`, map[string]json.RawMessage{"/a~1b/c~0d": []byte(`1`)}, `{"a/b":{"c~d":1}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			filled, err := document.Fill(json.RawMessage(test.object), test.values)
			require.NoError(t, err)
			require.JSONEq(t, test.want, string(filled))
		})
	}
	_, err := document.Fill(json.RawMessage(`{"a":1}`), map[string]json.RawMessage{"/a/b": []byte(`2`)})
	require.Error(t, err)
}
