package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	vendor "github.com/google/go-github/v92/github"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Credentials are what a caller gives for GitHub.
type Credentials struct {
	Token provider.Sealed `json:"encrypted_pat" jsonschema_description:"A personal access token, sealed to this provider's public key. It needs to read and write the repositories' secrets."`
}

// Settings are the operator's.
type Settings struct {
	Endpoint string `json:"endpoint,omitempty" jsonschema:"format=uri" jsonschema_description:"The address of another GitHub's REST API: https://github.example.com/api/v3/. api.github.com when empty."`
}

// Client reaches GitHub with one token. Its fields are the interfaces that the resource types declare.
type Client struct {
	secrets secretAPI
	users   userAPI
	host    string
	now     func() time.Time
}

type connect func(context.Context, provider.Access[Credentials, Settings]) (*Client, error)

func connector(transport http.RoundTripper, now func() time.Time) connect {
	return func(_ context.Context, access provider.Access[Credentials, Settings]) (*Client, error) {
		token, err := access.Open(access.Credentials.Token)
		if err != nil {
			return nil, err
		}
		if token.IsZero() {
			return nil, provider.Errorf(provider.Unauthenticated, "the token is empty")
		}
		options := []vendor.ClientOptionsFunc{
			vendor.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: refuseRedirect}),
			vendor.WithAuthToken(token.Reveal()),
			vendor.WithUserAgent("mgraph-deploy"),
			// What GitHub says of its limits is handed on at once; the host knows when to come back.
			vendor.WithDisableRateLimitCheck(),
		}
		if access.Settings.Endpoint != "" {
			base := strings.TrimSuffix(access.Settings.Endpoint, "/") + "/"
			options = append(options, vendor.WithURLs(&base, nil))
		}
		client, err := vendor.NewClient(options...)
		if err != nil {
			return nil, provider.Errorf(provider.Precondition, "a client for GitHub cannot be made of the operator's settings: %w", err)
		}
		return &Client{secrets: client.Actions, users: client.Users, host: hostOf(access.Settings.Endpoint), now: now}, nil
	}
}

// hostOf says which GitHub an endpoint belongs to.
func hostOf(endpoint string) string {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" {
		return "github.com"
	}
	return strings.TrimPrefix(parsed.Host, "api.")
}

// refuseRedirect keeps the token with the host that it is for: the client's transport would add it to any request.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type userAPI interface {
	Get(ctx context.Context, user string) (*vendor.User, *vendor.Response, error)
}

// identify asks whose the token is. Tokens of apps and of Actions may not ask, and are good all the same. The account, to which
// a deployment stays bound, is the GitHub itself: a deployment may go on with another person's token, who sees the same world.
func identify(ctx context.Context, client *Client) (provider.Principal, error) {
	who := provider.Principal{Account: client.host}
	user, response, err := client.users.Get(ctx, "")
	known := client.classify(err)
	switch kind := kindOf(known); {
	case kind == provider.PermissionDenied, kind == provider.NotFound:
		return who, nil
	case known != nil:
		return provider.Principal{}, known
	}
	who.Principal = user.GetLogin()
	if response != nil {
		who.ExpiresAt = response.TokenExpiration.Time
	}
	return who, nil
}
