package aws

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// motosLies keeps what moto does otherwise than AWS, as far as it touches these types. Where a lie can be shown it is, so that
// a moto that has mended its ways is noticed here. No provider code knows of moto.
//
//   - CreateBucket ignores CreateBucketConfiguration.Tags. AWS takes them. The provider looks for its labels after a create,
//     as it must before any other implementation of S3, and puts what is missing.
//   - A new bucket has no public access block. AWS has blocked public access to new buckets since April 2023.
//   - Functions are Active at once, updates Successful at once, and new roles can be assumed at once. The waits are tested
//     with fakes (lambda_function_test.go).
//   - A function's code may be absent, and its bytes need not be a zip.
//   - Nothing is ever throttled and no answer is ever lost: a proxy does both (package tests/standin/fault).
func motosLies(t *testing.T, s *stage) {
	client := dial(t, s.moto.URL, "us-east-1")
	_, err := client.buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: sdk.String("quirks"), CreateBucketConfiguration: &types.CreateBucketConfiguration{
			Tags: s3Tags(map[string]string{"a": "b"}),
		},
	})
	require.NoError(t, err)
	_, err = client.buckets.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: sdk.String("quirks")})
	require.Equal(t, "NoSuchTagSet", codeOf(err), "moto takes tags in CreateBucket now: take this out")
	_, err = client.buckets.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: sdk.String("quirks")})
	require.Equal(t, "NoSuchPublicAccessBlockConfiguration", codeOf(err), "moto blocks public access now: take this out")
}
