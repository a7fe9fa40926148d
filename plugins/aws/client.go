package aws

import (
	"context"
	"net/http"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// defaultRegion is where global services answer, and where a caller without a region is.
const defaultRegion = "us-east-1"

// Credentials are what a caller gives for AWS.
type Credentials struct {
	AccessKeyID     string          `json:"access_key_id" jsonschema:"minLength=1,maxLength=128" jsonschema_description:"The access key's id."`
	SecretAccessKey provider.Sealed `json:"encrypted_secret_access_key" jsonschema_description:"The secret access key, sealed to this provider's public key."`
	SessionToken    provider.Sealed `json:"encrypted_session_token,omitzero" jsonschema_description:"The session token of temporary credentials, sealed likewise."`
	AccountID       string          `json:"account_id,omitempty" jsonschema:"pattern=^[0-9]{12}$" jsonschema_description:"The account that the credentials must belong to."`
	Region          string          `json:"region,omitempty" jsonschema:"pattern=^[a-z]{2\\,}(-[a-z]+)+-[0-9]+$,default=us-east-1" jsonschema_description:"The region of a deployment without targets."`
}

// Settings are the operator's.
type Settings struct {
	Endpoint string `json:"endpoint,omitempty" jsonschema:"format=uri" jsonschema_description:"Sends every service's calls to this address instead of AWS, with path-style S3. Off when empty."`
}

// Client reaches one place of one account. Its fields are the interfaces that the resource types declare.
type Client struct {
	iam       roleAPI
	lambda    functionAPI
	buckets   bucketAPI
	objects   objectAPI
	sts       callerAPI
	accountID string
	wait      pause
}

// pause waits unless the context ends first; tests replace it.
type pause func(context.Context, time.Duration) error

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type connect func(context.Context, provider.Access[Credentials, Settings]) (*Client, error)

func connector(transport http.RoundTripper, wait pause) connect {
	// A signed request is not to follow a redirect: the signature and the session token are for one host only.
	httpClient := &http.Client{Transport: whole{transport}, CheckRedirect: refuseRedirect}
	return func(_ context.Context, access provider.Access[Credentials, Settings]) (*Client, error) {
		config, err := configOf(access, httpClient)
		if err != nil {
			return nil, err
		}
		store := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = access.Settings.Endpoint != "" })
		return &Client{
			iam: iam.NewFromConfig(config), lambda: lambda.NewFromConfig(config), sts: sts.NewFromConfig(config),
			buckets: store, objects: store, accountID: access.Credentials.AccountID, wait: wait,
		}, nil
	}
}

// configOf reads nothing but what it is given: no environment, no files, no instance metadata.
func configOf(access provider.Access[Credentials, Settings], httpClient *http.Client) (sdk.Config, error) {
	secret, err := access.Open(access.Credentials.SecretAccessKey)
	if err != nil {
		return sdk.Config{}, err
	}
	var token string
	if !access.Credentials.SessionToken.IsZero() {
		opened, err := access.Open(access.Credentials.SessionToken)
		if err != nil {
			return sdk.Config{}, err
		}
		token = opened.Reveal()
	}
	config := sdk.Config{
		Region:      firstOf(access.Region, access.Credentials.Region, defaultRegion),
		Credentials: credentials.NewStaticCredentialsProvider(access.Credentials.AccessKeyID, secret.Reveal(), token),
		HTTPClient:  httpClient,
		Retryer:     func() sdk.Retryer { return sdk.NopRetryer{} },
		APIOptions:  []func(*middleware.Stack) error{markReads},
	}
	if access.Settings.Endpoint != "" {
		config.BaseEndpoint = sdk.String(access.Settings.Endpoint)
	}
	return config, nil
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// markReads tells the transport which requests change nothing: IAM and STS post their reads.
func markReads(stack *middleware.Stack) error {
	mark := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error,
	) {
		if isRead(awsmiddleware.GetOperationName(ctx)) {
			ctx = provider.Reading(ctx)
		}
		return next.HandleInitialize(ctx, in)
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("MarkReads", mark), middleware.After)
}

func isRead(operation string) bool {
	for _, prefix := range []string{"Get", "List", "Head", "Describe"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}

type callerAPI interface {
	GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

// identify asks AWS whose the credentials are, and holds the caller to the account that they named.
func identify(ctx context.Context, client *Client) (provider.Principal, error) {
	caller, err := client.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return provider.Principal{}, classify(err)
	}
	who := provider.Principal{Account: sdk.ToString(caller.Account), Principal: sdk.ToString(caller.Arn)}
	if client.accountID != "" && client.accountID != who.Account {
		wrong := provider.Errorf(provider.InvalidInput, "the credentials belong to another account than the one they name")
		wrong.Pointer = "/account_id"
		return who, wrong
	}
	return who, nil
}
