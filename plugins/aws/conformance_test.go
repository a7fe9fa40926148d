package aws

import (
	"encoding/json"
	"os"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/conformance"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

const region = "eu-west-1"

// judged is the provider with names that the suite can tell apart: it gives the same name to every tenant and has one account for
// all, while roles, functions and objects are named exactly as the caller says. All else is as New makes it.
func judged(version string) (*provider.Provider, error) {
	return provider.New("aws", version, connector(provider.Transport(pool()), wait),
		provider.TypeOf(namedRoles{}), provider.TypeOf(namedFunctions{}), provider.TypeOf(namedObjects{}), provider.TypeOf(buckets{}),
		provider.CompositeOf[*Client](fulls{}),
		provider.Identify(identify), provider.DefaultRegion[*Client]("region"),
	)
}

type (
	namedRoles     struct{ roles }
	namedFunctions struct{ functions }
	namedObjects   struct{ objects }
)

func (n namedRoles) Describe() provider.Description     { return named(n.roles.Describe()) }
func (n namedFunctions) Describe() provider.Description { return named(n.functions.Describe()) }
func (n namedObjects) Describe() provider.Description   { return named(n.objects.Describe()) }

func named(about provider.Description) provider.Description {
	about.Naming.Suffix, about.Naming.Separator = contract.SuffixNode, "-"
	return about
}

// TestConformance holds the provider, as a process of its own, to the rules of the protocol.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a stand-in")
	}
	executable, err := os.Executable()
	require.NoError(t, err)
	moto := standin.RunMoto(t)
	client := dial(t, moto.URL, region)
	role := prepare(t, client)
	conformance.Run(t, conformance.Target{
		Binary: executable, Env: []string{asProvider + "=yes"},
		Settings:    map[string]any{"endpoint": moto.URL},
		Credentials: map[string]any{"access_key_id": "AKIATEST", "encrypted_secret_access_key": secretKey},
		Region:      region,
		Cases: []conformance.Case{
			{
				Type: "aws:iam:role",
				Properties: map[string]any{
					"role_name": "judged", "assume_role_policy": json.RawMessage(trust), "managed_policies": []string{basic},
				},
				Changed: map[string]any{"managed_policies": []string{other}, "description": "changed"},
			},
			{
				Type:       "aws:s3:bucket",
				Properties: map[string]any{"bucket_name": "judged"},
				Changed:    map[string]any{"versioning": true},
			},
			{
				Type:       "aws:s3:object",
				Properties: map[string]any{"bucket": "prepared", "key": "judged.txt", "content": "one"},
				Changed:    map[string]any{"content": "two"},
			},
			{
				Type: "aws:lambda:function",
				Properties: map[string]any{
					"function_name": "judged", "runtime": "python3.12", "handler": "handler.run", "role": role,
					"code_s3_bucket": "prepared", "code_s3_key": "code.zip",
				},
				Changed: map[string]any{"timeout": 10},
			},
		},
		Composites: []conformance.Case{{
			Type: "aws:lambda:full",
			Properties: map[string]any{
				"function_name": "judged", "runtime": "python3.12", "handler": "handler.run", "code_s3_bucket": "prepared",
			},
			References: map[string]any{"code_key": "code.zip"},
		}},
		Count: func() (int, error) { return count(t, client) },
	})
}

// prepare makes what the function needs, and gives the role's ARN.
func prepare(t *testing.T, client *Client) string {
	t.Helper()
	made, err := client.iam.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: sdk.String("prepared"), AssumeRolePolicyDocument: sdk.String(trust),
	})
	require.NoError(t, err)
	_, err = client.buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: sdk.String("prepared"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: region},
	})
	require.NoError(t, err)
	body := code(t, "one")
	_, err = client.objects.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: sdk.String("prepared"), Key: sdk.String("code.zip"), Body: decoded(t, body),
	})
	require.NoError(t, err)
	return *made.Role.Arn
}

// count is how many things there are, asked for without the provider.
func count(t *testing.T, client *Client) (int, error) {
	roles, err := client.iam.ListRoles(t.Context(), &iam.ListRolesInput{PathPrefix: sdk.String("/")})
	if err != nil {
		return 0, err
	}
	functions, err := client.lambda.(*lambda.Client).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		return 0, err
	}
	store := client.buckets.(*s3.Client)
	buckets, err := store.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		return 0, err
	}
	total := len(roles.Roles) + len(functions.Functions) + len(buckets.Buckets)
	for _, bucket := range buckets.Buckets {
		objects, err := store.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket.Name})
		if err != nil {
			return 0, err
		}
		total += len(objects.Contents)
	}
	return total, nil
}
