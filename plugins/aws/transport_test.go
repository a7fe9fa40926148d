package aws

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// slow is a connection whose write of a body does not return before the answer to it is being read.
type slow struct {
	net.Conn
	reading <-chan struct{}
}

func (s slow) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	if bytes.Contains(p, []byte("Action=GetRole")) {
		<-s.reading
	}
	return n, err
}

// noticed closes a channel when an answer's body is first read, which is after the AWS SDK has closed the request's.
type noticed struct {
	base    http.RoundTripper
	reading func()
}

func (n noticed) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := n.base.RoundTrip(request)
	if err == nil {
		response.Body = noticedBody{response.Body, n.reading}
	}
	return response, err
}

type noticedBody struct {
	io.ReadCloser
	reading func()
}

func (b noticedBody) Read(p []byte) (int, error) {
	b.reading()
	return b.ReadCloser.Read(p)
}

// An answer that comes before net/http has finished with the request's body is read to its end all the same.
func TestAnEarlyAnswerIsReadToItsEnd(t *testing.T) {
	reading, wrote := make(chan struct{}), make(chan error, 1)
	written := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "<GetRoleResponse><GetRoleResult>")
		w.(http.Flusher).Flush()
		<-written
		_, _ = io.WriteString(w, "<Role><RoleName>r</RoleName></Role></GetRoleResult></GetRoleResponse>")
	}))
	t.Cleanup(server.Close)
	connections := pool()
	t.Cleanup(connections.CloseIdleConnections)
	dialContext := connections.DialContext
	connections.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialContext(ctx, network, address)
		return slow{conn, reading}, err
	}
	client, err := connector(noticed{connections, sync.OnceFunc(func() { close(reading) })}, wait)(t.Context(), provider.Access[Credentials, Settings]{
		Credentials: Credentials{AccessKeyID: "AKIATEST", SecretAccessKey: provider.FakeSealed("secret")},
		Settings:    Settings{Endpoint: server.URL},
	})
	require.NoError(t, err)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		wrote <- info.Err
		close(written)
	}})
	got, err := client.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: sdk.String("r")})
	require.NoError(t, <-wrote)
	require.NoError(t, err)
	require.Equal(t, "r", *got.Role.RoleName)
}
