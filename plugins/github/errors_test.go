package github

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	vendor "github.com/google/go-github/v92/github"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// asProvider makes the test binary the provider that is judged by TestConformance.
const asProvider = "GITHUB_TEST_PROVIDER"

func TestMain(m *testing.M) {
	if os.Getenv(asProvider) != "" {
		serve.MainVersion("1.0.0", New)
	}
	goleak.VerifyTestMain(m)
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func atNoon() *Client { return &Client{now: func() time.Time { return noon }} }

func response(status int, header map[string]string) *http.Response {
	made := &http.Response{
		StatusCode: status, Header: http.Header{},
		Request: &http.Request{Method: http.MethodPut, URL: &url.URL{Scheme: "https", Host: "api.github.com", Path: "/x"}},
	}
	for key, value := range header {
		made.Header.Set(key, value)
	}
	return made
}

func refused(status int, header map[string]string) error {
	return &vendor.ErrorResponse{Response: response(status, header), Message: "canary: what was sent is repeated here"}
}

func TestEveryErrorHasItsKind(t *testing.T) {
	later := 30 * time.Second
	for name, test := range map[string]struct {
		err   error
		kind  provider.Kind
		after time.Duration
	}{
		"bad token":               {refused(401, nil), provider.Unauthenticated, 0},
		"not allowed":             {refused(403, nil), provider.PermissionDenied, 0},
		"not found":               {refused(404, nil), provider.NotFound, 0},
		"gone":                    {refused(410, nil), provider.NotFound, 0},
		"moved":                   {refused(301, nil), provider.InvalidInput, 0},
		"conflict":                {refused(409, nil), provider.Conflict, 0},
		"not processable":         {refused(422, nil), provider.InvalidInput, 0},
		"unknown 4xx":             {refused(418, nil), provider.InvalidInput, 0},
		"down":                    {refused(500, nil), provider.RemoteError, 0},
		"down for a while":        {refused(503, map[string]string{"Retry-After": "9"}), provider.Throttled, 9 * time.Second},
		"down without a word":     {refused(503, nil), provider.RemoteError, 0},
		"too many":                {refused(429, map[string]string{"Retry-After": "9"}), provider.Throttled, 9 * time.Second},
		"too many without a word": {refused(429, nil), provider.Throttled, patience},
		"forbidden for a while":   {refused(403, map[string]string{"Retry-After": "9"}), provider.Throttled, 9 * time.Second},
		"hourly limit": {
			&vendor.RateLimitError{Response: response(403, nil), Rate: vendor.Rate{Reset: vendor.Timestamp{Time: noon.Add(20 * time.Minute)}}},
			provider.Throttled, 20 * time.Minute,
		},
		"hourly limit that just ended": {
			&vendor.RateLimitError{Response: response(403, nil), Rate: vendor.Rate{Reset: vendor.Timestamp{Time: noon.Add(-time.Minute)}}},
			provider.Throttled, time.Second,
		},
		"secondary limit":                {&vendor.AbuseRateLimitError{Response: response(403, nil), RetryAfter: &later}, provider.Throttled, later},
		"secondary limit without a word": {&vendor.AbuseRateLimitError{Response: response(403, nil)}, provider.Throttled, patience},
		"no connection":                  {&url.Error{Op: "Put", URL: "x", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, provider.Network, 0},
		"cancelled":                      {context.Canceled, provider.Cancelled, 0},
		"out of time":                    {context.DeadlineExceeded, provider.Deadline, 0},
		"no JSON":                        {errors.New("invalid character"), provider.RemoteError, 0},
		"one of ours":                    {&url.Error{Err: provider.Errorf(provider.Deadline, "too late")}, provider.Deadline, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var known *provider.Error
			require.ErrorAs(t, atNoon().classify(test.err), &known)
			require.Equal(t, test.kind, known.Kind)
			require.Equal(t, test.after, known.RetryAfter)
			if test.kind == provider.Throttled {
				require.Equal(t, contract.RetryAfterDelay, known.Retry)
			}
		})
	}
	require.NoError(t, atNoon().classify(nil))
}

func TestAnErrorCarriesCodeAndRequestAndNothingThatWasSent(t *testing.T) {
	var known *provider.Error
	require.ErrorAs(t, atNoon().classify(refused(422, map[string]string{"X-GitHub-Request-Id": "AB:1"})), &known)
	require.Equal(t, "422", known.VendorCode)
	require.Equal(t, "AB:1", known.VendorRequestID)
	require.NotContains(t, known.Summary+known.Detail+known.Error()+known.Cause.Error(), "canary")
	var behind *vendor.ErrorResponse
	require.ErrorAs(t, known, &behind)
}
