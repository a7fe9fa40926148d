package referee_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake/referee"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secretPath  = "/repos/o/r/actions/secrets/A"
	secretBody  = `{"name":"A","created_at":"2026-11-22T09:00:00Z","updated_at":"2026-11-22T09:00:00Z"}`
	putBody     = `{"encrypted_value":"aGVsbG8=","key_id":"1"}`
	errorBody   = `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`
	jsonContent = "application/json; charset=utf-8"
)

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name               string
		method, path, sent string
		status             int
		content, answered  string
		foul               bool
	}{
		{"in order", "GET", secretPath, "", 200, jsonContent, secretBody, false},
		{"in order under the enterprise path", "GET", "/api/v3" + secretPath, "", 200, jsonContent, secretBody, false},
		{"put in order", "PUT", secretPath, putBody, 201, jsonContent, "{}", false},
		{"no content", "DELETE", secretPath, "", 204, "", "", false},
		{"error that is not described for the call", "GET", secretPath, "", 404, jsonContent, errorBody, false},
		{"server error", "GET", secretPath, "", 500, jsonContent, `{"message":"Server Error"}`, false},

		{"unknown path", "GET", "/nowhere", "", 200, jsonContent, "{}", true},
		{"unknown method", "POST", secretPath, "", 200, jsonContent, "{}", true},
		{"request without a required field", "PUT", secretPath, `{"key_id":"1"}`, 201, jsonContent, "{}", true},
		{"request of a wrong pattern", "PUT", secretPath, `{"encrypted_value":"-","key_id":"1"}`, 201, jsonContent, "{}", true},
		{"wrong query", "GET", "/repos/o/r/actions/secrets?per_page=many", "", 200, jsonContent, `{"total_count":0,"secrets":[]}`, true},
		{"answer without a required field", "GET", secretPath, "", 200, jsonContent, `{"name":"A"}`, true},
		{"answer of a wrong type", "GET", secretPath, "", 200, jsonContent, strings.Replace(secretBody, `"A"`, "1", 1), true},
		{"answer that is no JSON", "GET", secretPath, "", 200, "text/plain", "hello", true},
		{"status that is not described", "GET", secretPath, "", 202, jsonContent, secretBody, true},
		{"error without a message", "GET", secretPath, "", 404, jsonContent, "{}", true},
		{"error of a wrong type", "GET", secretPath, "", 404, jsonContent, `{"message":"x","status":404}`, true},
		{"error that is no JSON", "GET", secretPath, "", 503, "text/html", "<p>", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if test.content != "" {
					w.Header().Set("Content-Type", test.content)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.answered)
			}))
			defer server.Close()

			var verdicts []error
			transport := referee.Reporting(server.Client().Transport, func(err error) { verdicts = append(verdicts, err) })
			req, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, strings.NewReader(test.sent))
			require.NoError(t, err)
			if test.sent == "" {
				req.Body = http.NoBody
			} else {
				req.Header.Set("Content-Type", "application/json")
			}
			resp, err := transport.RoundTrip(req)
			if test.foul {
				require.ErrorIs(t, err, referee.ErrForeign)
				require.Len(t, verdicts, 1)
				return
			}
			require.NoError(t, err)
			require.Empty(t, verdicts)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, test.answered, string(body), "the answer's body is still there")
		})
	}
}

func TestVerdictsDoNotShowValues(t *testing.T) {
	transport := referee.Reporting(http.DefaultTransport, func(error) {})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://127.0.0.1"+secretPath,
		strings.NewReader(`{"encrypted_value":"not-base64-canary","key_id":"1"}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	_, err = transport.RoundTrip(req)
	require.ErrorIs(t, err, referee.ErrForeign)
	require.NotContains(t, err.Error(), "canary")
	require.Contains(t, err.Error(), "encrypted_value")
}
