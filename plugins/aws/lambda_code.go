package aws

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// source is the object that a function's code comes from, as far as these credentials may see it.
type source struct {
	bucket, key, version, etag string
	// sha256 is Lambda's notation, base64; "" when S3 does not know it.
	sha256 string
}

// readSource looks at the code's object before anything is written: a write that comes in between is then seen as a change by
// the next update. Credentials that may not read the object are no error, since Lambda may.
func readSource(ctx context.Context, c *Client, wanted Function) (source, error) {
	code := source{bucket: wanted.CodeS3Bucket, key: wanted.CodeS3Key, version: wanted.CodeS3ObjectVersion}
	head, err := c.objects.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: sdk.String(code.bucket), Key: sdk.String(code.key), VersionId: optional(code.version),
	})
	switch {
	case regionIn(err) != "": // Lambda takes code from its own region only
		return code, as(provider.InvalidInput, "/code_s3_bucket", err)
	case absent(err):
		return code, as(provider.InvalidInput, "/code_s3_key", err)
	case kindNow(err) == provider.PermissionDenied:
		return code, nil
	case err != nil:
		return code, classify(err)
	}
	code.etag = sdk.ToString(head.ETag)
	if sum, err := hex.DecodeString(head.Metadata[shaMetadata]); err == nil && len(sum) > 0 {
		code.sha256 = base64.StdEncoding.EncodeToString(sum)
	}
	return code, nil
}

// String is the output code_source. Without an entity tag it proves nothing, and is empty.
func (s source) String() string {
	if s.etag == "" {
		return ""
	}
	return "s3://" + s.bucket + "/" + s.key + "?etag=" + s.etag + "&version=" + s.version
}

// deployed tells that the function runs this source's code: by the object's own hash, or because the last operation took it
// from the same object and the function has not been given other code since.
func (s source) deployed(outputs json.RawMessage, there *types.FunctionConfiguration) bool {
	live := sdk.ToString(there.CodeSha256)
	if s.sha256 != "" {
		return s.sha256 == live
	}
	var recorded struct {
		Source string `json:"code_source"`
		Sha256 string `json:"code_sha256"`
	}
	if s.etag == "" || json.Unmarshal(outputs, &recorded) != nil {
		return false
	}
	return recorded.Source == s.String() && recorded.Sha256 == live
}
