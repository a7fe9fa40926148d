package standin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

func TestProxyPassesOnUnchanged(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Host+" "+r.URL.RequestURI()+" ["+r.Header.Get("Accept-Encoding")+"]")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	}))
	defer server.Close()
	proxy := standin.RunProxy(t, server.URL)

	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	resp, err := client.Post(proxy.URL+"/a%2Fb?c=d", "text/plain", strings.NewReader("hello"))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusTeapot, resp.StatusCode)
	require.Equal(t, "hello", string(body))
	require.Equal(t, strings.TrimPrefix(proxy.URL, "http://")+" /a%2Fb?c=d []", resp.Header.Get("X-Seen"))
}

func TestProxyMakesMotoMisbehave(t *testing.T) {
	moto := standin.RunMoto(t)
	proxy := standin.RunProxy(t, moto.URL)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	create := func(name string) (*http.Response, error) {
		form := "Action=CreateRole&Version=2010-05-08&AssumeRolePolicyDocument=%7B%7D&RoleName=" + name
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxy.URL+"/", strings.NewReader(form))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=k/20261122/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=s")
		return client.Do(req)
	}

	onCreate := fault.FormAction("CreateRole")
	require.NoError(t, proxy.Inject(fault.Rule{Kind: fault.Fail, Status: 503, Count: 1, Match: onCreate}))
	require.NoError(t, proxy.Inject(fault.Rule{Kind: fault.Drop, Count: 1, Match: onCreate}))

	resp, err := create("refused")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)

	_, err = create("lost")
	require.ErrorIs(t, err, io.EOF)

	resp, err = create("answered")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, 2, proxy.Struck())

	aws, err := moto.ReadBack(t.Context())
	require.NoError(t, err)
	var names []string
	for _, role := range aws.Roles {
		names = append(names, role.Name)
	}
	require.Equal(t, []string{"answered", "lost"}, names, "what lost its answer was done, what failed was not")
}

func TestProxyIsForLoopbackOnly(t *testing.T) {
	for _, target := range []string{"http://10.0.0.1:80", "https://api.github.com", "::"} {
		_, err := standin.StartProxy(t.Context(), target)
		require.Error(t, err, target)
	}
}
