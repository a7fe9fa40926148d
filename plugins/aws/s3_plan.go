package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

var (
	_ provider.Planner[*Client, Bucket]    = buckets{}
	_ provider.Rollbacker[*Client, Bucket] = buckets{}
	_ provider.Planner[*Client, Object]    = objects{}
)

var bucketPermissions = map[contract.Verb][]string{
	contract.VerbCreate: {
		"s3:CreateBucket", "s3:ListBucket", "s3:GetBucketTagging", "s3:PutBucketTagging", "s3:GetBucketPublicAccessBlock",
		"s3:PutBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:PutBucketVersioning",
	},
	contract.VerbUpdate: {
		"s3:ListBucket", "s3:GetBucketTagging", "s3:PutBucketTagging", "s3:GetBucketPublicAccessBlock",
		"s3:PutBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:PutBucketVersioning",
	},
	contract.VerbDelete: {"s3:ListBucket", "s3:GetBucketTagging", "s3:DeleteBucket"},
}

var objectPermissions = map[contract.Verb][]string{
	contract.VerbCreate: {"s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"},
	contract.VerbUpdate: {"s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectTagging"},
	contract.VerbDelete: {"s3:GetObject", "s3:GetObjectTagging", "s3:DeleteObject"},
}

// bucketSettings are those of a bucket as it stands: of the public access block each switch by itself, which no property can say.
type bucketSettings struct {
	Blocks     blocks `json:"blocks"`
	Versioning bool   `json:"versioning"`
}

// Plan compares what an update would write.
func (buckets) Plan(ctx context.Context, c *Client, op *provider.Operation[Bucket]) (provider.Preview, error) {
	var preview provider.Preview
	name := op.Existing.Name
	var was former[bucketSettings]
	var err error
	if was.Properties.Blocks, err = publicAccessBlocked(ctx, c, name); err != nil {
		return preview, err
	}
	if was.Properties.Versioning, err = versioningEnabled(ctx, c, name); err != nil {
		return preview, err
	}
	tags, err := readBucketTags(ctx, c, name)
	if err != nil {
		return preview, err
	}
	was.Tags = foreignTags(tags)
	preview.Former = was
	if wanted := op.Properties.blocksPublicAccess(); was.Properties.Blocks != all(wanted) {
		preview.Compare("/block_public_access", !wanted, wanted)
	}
	preview.Compare("/versioning", was.Properties.Versioning, op.Properties.Versioning)
	previewTags(&preview, op, tags)
	return preview, nil
}

// Rollback makes the bucket again where it is gone, empty, and brings its settings to what they were. What was in it is not
// kept, and its name may have become another's meanwhile.
func (buckets) Rollback(ctx context.Context, c *Client, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	var was former[bucketSettings]
	if err := op.Former.Read(&was); err != nil {
		return nil, err
	}
	wanted := *op
	wanted.Properties.Versioning, wanted.Tags = was.Properties.Versioning, was.Tags
	if err := makeBucket(ctx, c, &wanted); err != nil {
		return nil, err
	}
	return convergeBucket(ctx, c, &wanted, was.Properties.Blocks)
}

// Plan compares what an update would write; of the content only its hash is told.
func (objects) Plan(ctx context.Context, c *Client, op *provider.Operation[Object]) (provider.Preview, error) {
	var preview provider.Preview
	bucket, key := op.Properties.Bucket, op.Existing.Name
	if op.Verb == contract.VerbDelete {
		return preview, nil
	}
	wanted, err := putInput(op, nil)
	if err != nil {
		return preview, err
	}
	there, err := c.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: sdk.String(bucket), Key: sdk.String(key)})
	if err != nil {
		return preview, objectRefused(err)
	}
	tags, err := readObjectTags(ctx, c, bucket, key)
	if err != nil {
		return preview, err
	}
	content := "/content"
	if op.Properties.Content == nil {
		content = "/content_base64"
	}
	preview.Compare(content, hashText(there.Metadata), hashText(wanted.Metadata))
	preview.Compare("/content_type", sdk.ToString(there.ContentType), sdk.ToString(wanted.ContentType))
	preview.Compare("/metadata", ownMetadata(there.Metadata), orEmpty(op.Properties.Metadata))
	previewTags(&preview, op, tags)
	return preview, nil
}

// hashText stands for a content; nil for one that does not tell its hash.
func hashText(metadata map[string]string) *string {
	if metadata[shaMetadata] == "" {
		return nil
	}
	text := "sha256:" + metadata[shaMetadata]
	return &text
}
