package aws

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// asProvider makes the test binary the provider that is judged by TestConformance.
const asProvider = "AWS_PROVIDER_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProvider) != "" {
		serve.MainVersion("1.0.0", judged)
	}
	goleak.VerifyTestMain(m)
}

// dial makes a client for an address on loopback. Its connections end with the test.
func dial(t *testing.T, endpoint, region string) *Client {
	connections := pool()
	t.Cleanup(connections.CloseIdleConnections)
	client, err := connector(provider.Transport(connections), wait)(t.Context(), provider.Access[Credentials, Settings]{
		Credentials: Credentials{
			AccessKeyID: "AKIATEST", SecretAccessKey: provider.FakeSealed("secret"), SessionToken: provider.FakeSealed("session"),
		},
		Settings: Settings{Endpoint: endpoint}, Region: region,
	})
	require.NoError(t, err)
	return client
}

// answer serves one answer to everything.
func answer(t *testing.T, status int, body string, header map[string]string) (*httptest.Server, *atomic.Int32) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		for key, value := range header {
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server, &requests
}

func TestPostedReadsAreNotWrites(t *testing.T) {
	server, requests := answer(t, http.StatusOK, `<GetRoleResponse><GetRoleResult><Role><RoleName>r</RoleName></Role></GetRoleResult></GetRoleResponse>`, nil)
	client := dial(t, server.URL, "us-east-1")
	ctx, _, trial := provider.NewOperation(t.Context(), provider.Runtime{}, provider.Operation[Role]{})
	_, err := client.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: sdk.String("r")})
	require.NoError(t, err)
	require.EqualValues(t, 1, requests.Load())
	require.Zero(t, trial.Recorded().Started)

	_, err = client.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: sdk.String("r")})
	require.NoError(t, err)
	require.Equal(t, 1, trial.Recorded().Succeeded)
}

func TestNothingIsTriedTwice(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		server, requests := answer(t, status, "", nil)
		client := dial(t, server.URL, "us-east-1")
		ctx, _, trial := provider.NewOperation(t.Context(), provider.Runtime{}, provider.Operation[Role]{})
		_, err := client.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: sdk.String("r")})
		require.Error(t, err)
		require.EqualValues(t, 1, requests.Load())
		require.Equal(t, 1, trial.Recorded().Started)
	}
}

func TestTheSessionTokenStaysWithItsHost(t *testing.T) {
	other, elsewhere := answer(t, http.StatusOK, "", nil)
	server, _ := answer(t, http.StatusTemporaryRedirect, "", map[string]string{"Location": other.URL})
	_, err := dial(t, server.URL, "us-east-1").buckets.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: sdk.String("b")})
	require.Error(t, err)
	require.Zero(t, elsewhere.Load())
}

func TestAnEndpointOfOnesOwnHasBucketsInThePath(t *testing.T) {
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path }))
	t.Cleanup(server.Close)
	_, err := dial(t, server.URL, "us-east-1").buckets.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: sdk.String("my-bucket")})
	require.NoError(t, err)
	require.Equal(t, "/my-bucket", strings.TrimSuffix(path, "/"))
}

func TestNothingIsReadFromTheMachine(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_REGION", "eu-central-1")
	access := provider.Access[Credentials, Settings]{
		Credentials: Credentials{AccessKeyID: "AKIATEST", SecretAccessKey: provider.FakeSealed("secret")},
	}
	for name, test := range map[string]struct{ place, credentials, wanted string }{
		"the place":       {"eu-west-2", "eu-west-1", "eu-west-2"},
		"the credentials": {"", "eu-west-1", "eu-west-1"},
		"the default":     {"", "", "us-east-1"},
	} {
		t.Run(name, func(t *testing.T) {
			access.Region, access.Credentials.Region = test.place, test.credentials
			config, err := configOf(access, http.DefaultClient)
			require.NoError(t, err)
			require.Equal(t, test.wanted, config.Region)
			require.Nil(t, config.BaseEndpoint)
			held, err := config.Credentials.Retrieve(t.Context())
			require.NoError(t, err)
			require.Equal(t, "AKIATEST", held.AccessKeyID)
		})
	}
}

type fakeSTS struct {
	account string
	err     error
}

func (f fakeSTS) GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: &f.account, Arn: sdk.String("arn:aws:iam::" + f.account + ":user/me")}, f.err
}

func TestCredentialsBelongToTheAccountTheyName(t *testing.T) {
	who, err := identify(t.Context(), &Client{sts: fakeSTS{account: "123456789012"}, accountID: "123456789012"})
	require.NoError(t, err)
	require.Equal(t, provider.Principal{Account: "123456789012", Principal: "arn:aws:iam::123456789012:user/me"}, who)

	_, err = identify(t.Context(), &Client{sts: fakeSTS{account: "123456789012"}, accountID: "999999999999"})
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, "/account_id", known.Pointer)
	require.NotContains(t, known.Error(), "999999999999")

	_, err = identify(t.Context(), &Client{sts: fakeSTS{err: refusedWith("ExpiredToken")}})
	require.Equal(t, provider.CredentialsExpired, contract.KindOf(err))
}

func TestTheProviderDescribesItself(t *testing.T) {
	made, err := New("1.2.3")
	require.NoError(t, err)
	about, err := made.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "region", about.RegionField)
	for _, name := range []string{"aws:iam:role", "aws:lambda:function", "aws:s3:bucket", "aws:s3:object"} {
		kind, ok := about.Type(name)
		require.True(t, ok, name)
		for _, verb := range contract.Verbs() {
			_, offered := kind.Verb(verb)
			require.True(t, offered, "%s %s", name, verb)
		}
	}
}
