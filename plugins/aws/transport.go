package aws

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// whole has a request's body in memory before any of it is sent. The AWS SDK closes the body it gave as soon as an answer has come;
// net/http, which may still be about to make sure that nothing follows the last byte, is then told EOF as an error, and cuts the
// connection with the answer half read (aws/aws-sdk-go-v2#1825). All bodies here are made of properties, which are in memory too.
type whole struct{ base http.RoundTripper }

// RoundTrip sends one request.
func (w whole) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body == nil || request.Body == http.NoBody {
		return w.base.RoundTrip(request)
	}
	content, err := io.ReadAll(request.Body)
	_ = request.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read a request's body: %w", err)
	}
	held := *request // a RoundTripper may not change what it is given
	held.Body = io.NopCloser(bytes.NewReader(content))
	return w.base.RoundTrip(&held)
}
