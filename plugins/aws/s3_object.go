package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Object are the properties of aws:s3:object.
type Object struct {
	Bucket        string            `json:"bucket" jsonschema:"minLength=3,maxLength=63" jsonschema_description:"The bucket's name, suffix included; filled by the reference bucket."`
	Key           string            `json:"key" jsonschema:"minLength=1,maxLength=1024" jsonschema_description:"The object's key."`
	Content       *string           `json:"content,omitempty" jsonschema_description:"The content as text. Either this or content_base64."`
	ContentBase64 *string           `json:"content_base64,omitempty" jsonschema_description:"The content as standard base64."`
	ContentType   string            `json:"content_type,omitempty" jsonschema:"maxLength=255,default=application/octet-stream" jsonschema_description:"The media type."`
	Metadata      map[string]string `json:"metadata,omitempty" jsonschema_description:"The object's own metadata; keys are lower case and do not begin with mgraph-."`
}

// shaMetadata holds the content's SHA-256 in hex: S3's entity tag is no hash of it for encrypted objects.
const shaMetadata = "mgraph-sha256"

const octets = "application/octet-stream"

func (o Object) bytes() ([]byte, error) {
	switch {
	case o.Content != nil:
		return []byte(*o.Content), nil
	case o.ContentBase64 != nil:
		decoded, err := base64.StdEncoding.DecodeString(*o.ContentBase64)
		if err != nil {
			return nil, invalid("/content_base64", "the content is not standard base64")
		}
		return decoded, nil
	default:
		return nil, invalid("/content", "an object needs content or content_base64")
	}
}

func (o Object) contentType() string { return firstOf(o.ContentType, octets) }

// objectAPI are the calls on an object.
type objectAPI interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	GetObjectTagging(context.Context, *s3.GetObjectTaggingInput, ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
	PutObjectTagging(context.Context, *s3.PutObjectTaggingInput, ...func(*s3.Options)) (*s3.PutObjectTaggingOutput, error)
}

// objects is the type aws:s3:object.
type objects struct{}

var (
	_ provider.Resource[*Client, Object] = objects{}
	_ provider.Updater[*Client, Object]  = objects{}
	_ provider.Validator[Object]         = objects{}
)

func (objects) Describe() provider.Description {
	return provider.Description{
		Type: "aws:s3:object", Summary: "An object in an S3 bucket, its content part of the deployment.",
		Placement:   contract.Regional,
		Identifying: []string{"/bucket", "/key"},
		References: []contract.ReferenceRole{
			{Role: "bucket", Property: "/bucket", Summary: "The bucket that holds it.", Types: []string{"aws:s3:bucket"}},
		},
		SelfOutput: "key",
		Outputs: []contract.OutputField{
			{Name: "key", Summary: "The object's key."},
			{Name: "bucket", Summary: "The bucket that holds it."},
			{Name: "etag", Summary: "S3's entity tag."},
			{Name: "sha256", Summary: "SHA-256 of the content, in hex."},
			{Name: "version_id", Summary: "The version; empty in a bucket without versions."},
			{Name: "arn", Summary: "The object's ARN."},
			tagsOutput,
		},
		// S3 takes ten tags on an object; ours are six.
		Discovery: contract.DiscoverByName, LabelLimits: tagLimits(10),
		Naming: contract.Naming{
			Property: "/key", Suffix: contract.SuffixNone, Case: contract.CaseKeep, MaxLength: 1024,
		},
		RepeatSafety: contract.ByName, SettleTime: time.Second, Typical: time.Second, Permissions: objectPermissions,
	}
}

// Validate sees what a schema cannot say.
func (objects) Validate(properties Object, _ provider.References) []provider.Diagnostic {
	var found []provider.Diagnostic
	if properties.Content != nil && properties.ContentBase64 != nil {
		found = append(found, invalid("/content", "content and content_base64 exclude each other").Diagnostic)
	} else if _, err := properties.bytes(); err != nil {
		found = append(found, contract.DiagnosticOf(err))
	}
	for key := range properties.Metadata {
		if key != strings.ToLower(key) || strings.HasPrefix(key, "mgraph-") {
			found = append(found, invalid("/metadata", "metadata keys are lower case and do not begin with mgraph-").Diagnostic)
			break
		}
	}
	return found
}

func (objects) Create(ctx context.Context, c *Client, op *provider.Operation[Object]) (provider.Outputs, error) {
	if op.Existing != nil {
		return convergeObject(ctx, c, op)
	}
	put, err := putInput(op, tagsOf(op))
	if err != nil {
		return nil, err
	}
	put.IfNoneMatch = sdk.String("*")
	done, err := c.objects.PutObject(ctx, put)
	if codeOf(err) == "PreconditionFailed" {
		return nil, as(provider.AlreadyExists, "/key", err)
	}
	if err != nil {
		return nil, objectRefused(err)
	}
	op.Made(objectARN(op.Region, op.Properties.Bucket, op.Name))
	return putOutputs(op, put, done), nil
}

func (objects) Update(ctx context.Context, c *Client, op *provider.Operation[Object]) (provider.Outputs, error) {
	return convergeObject(ctx, c, op)
}

// convergeObject puts the object again only where content, type or metadata differ; tags alone are put alone.
func convergeObject(ctx context.Context, c *Client, op *provider.Operation[Object]) (provider.Outputs, error) {
	bucket, key := op.Properties.Bucket, physical(op)
	head, err := c.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: sdk.String(bucket), Key: sdk.String(key)})
	if err != nil {
		return nil, objectRefused(err)
	}
	actual, err := readObjectTags(ctx, c, bucket, key)
	if err != nil {
		return nil, err
	}
	change := changeTags(op, actual)
	put, err := putInput(op, change.after(actual))
	if err != nil {
		return nil, err
	}
	if !sameObject(put, head) {
		put.IfMatch = head.ETag // what was looked at is what is replaced
		done, err := c.objects.PutObject(ctx, put)
		if err != nil {
			return nil, objectRefused(err)
		}
		return putOutputs(op, put, done), nil
	}
	if !dueTags(op, actual).empty() {
		_, err = c.objects.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{
			Bucket: sdk.String(bucket), Key: sdk.String(key), Tagging: &types.Tagging{TagSet: s3Tags(change.after(actual))},
		})
	}
	return objectOutputs(op.Region, bucket, key, head, op.Tags), classify(err)
}

func putInput(op *provider.Operation[Object], tags map[string]string) (*s3.PutObjectInput, error) {
	content, err := op.Properties.bytes()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	metadata := maps.Clone(orEmpty(op.Properties.Metadata))
	metadata[shaMetadata] = hex.EncodeToString(sum[:])
	query := url.Values{}
	for key, value := range tags {
		query.Set(key, value)
	}
	return &s3.PutObjectInput{
		Bucket: sdk.String(op.Properties.Bucket), Key: sdk.String(physical(op)), Body: bytes.NewReader(content),
		ContentType: sdk.String(op.Properties.contentType()), Metadata: metadata, Tagging: sdk.String(query.Encode()),
		ChecksumSHA256: sdk.String(base64.StdEncoding.EncodeToString(sum[:])),
	}, nil
}

func sameObject(wanted *s3.PutObjectInput, there *s3.HeadObjectOutput) bool {
	return maps.Equal(wanted.Metadata, there.Metadata) && sdk.ToString(wanted.ContentType) == sdk.ToString(there.ContentType)
}

func (objects) Verify(ctx context.Context, c *Client, op *provider.Operation[Object]) ([]provider.Check, error) {
	wanted, err := putInput(op, nil)
	if err != nil {
		return nil, err
	}
	there, err := c.objects.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: sdk.String(op.Properties.Bucket), Key: sdk.String(op.Existing.Name),
	})
	if err != nil {
		return nil, objectRefused(err)
	}
	return []provider.Check{
		provider.Equal("content", wanted.Metadata[shaMetadata], there.Metadata[shaMetadata]),
		provider.Equal("content_type", sdk.ToString(wanted.ContentType), sdk.ToString(there.ContentType)),
		provider.EqualJSON("metadata", orEmpty(op.Properties.Metadata), ownMetadata(there.Metadata)),
	}, nil
}

// ownMetadata is what the caller gave, without what is ours.
func ownMetadata(metadata map[string]string) map[string]string {
	own := maps.Clone(orEmpty(metadata))
	delete(own, shaMetadata)
	return own
}

// Delete leaves older versions in a bucket that keeps them: taking the history away is what force_destroy is for.
func (objects) Delete(ctx context.Context, c *Client, op *provider.Operation[Object]) (provider.Outputs, error) {
	bucket, key := splitObjectARN(op.Existing.Identity)
	_, err := c.objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: sdk.String(bucket), Key: sdk.String(key)})
	if absent(err) {
		return nil, nil
	}
	return nil, classify(err)
}

// Find asks for the object by bucket and key. Both stand in the identity too, for when the bucket's own reference can no
// longer be resolved.
func (objects) Find(ctx context.Context, c *Client, query *provider.Query[Object], found func(provider.Found) error) error {
	bucket, key := splitObjectARN(query.Identity)
	bucket, key = firstOf(query.Properties.Bucket, bucket), firstOf(query.Name, key)
	if bucket == "" {
		return nameUnknown("/bucket")
	}
	if key == "" {
		return nameUnknown("/key")
	}
	head, err := c.objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: sdk.String(bucket), Key: sdk.String(key)})
	if absent(err) {
		return nil
	}
	if err != nil {
		return objectRefused(err)
	}
	tags, err := readObjectTags(ctx, c, bucket, key)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	outputs := objectOutputs(query.Region, bucket, key, head, nil)
	delete(outputs, tagsOutput.Name)
	return found(provider.Found{
		Identity: objectARN(query.Region, bucket, key), Name: key, Labels: tags, Outputs: outputs, Ready: true,
	})
}

func readObjectTags(ctx context.Context, c *Client, bucket, key string) (map[string]string, error) {
	got, err := c.objects.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: sdk.String(bucket), Key: sdk.String(key)})
	if err != nil {
		return nil, classify(err)
	}
	return fromTags(got.TagSet, s3Pair), nil
}

func objectRefused(err error) error {
	if codeOf(err) == "NoSuchBucket" || regionIn(err) != "" {
		return as(provider.InvalidInput, "/bucket", err)
	}
	return classify(err)
}

func putOutputs(op *provider.Operation[Object], put *s3.PutObjectInput, done *s3.PutObjectOutput) provider.Outputs {
	head := &s3.HeadObjectOutput{ETag: done.ETag, VersionId: done.VersionId, Metadata: put.Metadata}
	return objectOutputs(op.Region, *put.Bucket, *put.Key, head, op.Tags)
}

func objectOutputs(region, bucket, key string, head *s3.HeadObjectOutput, tags map[string]string) provider.Outputs {
	return provider.Outputs{
		"key": key, "bucket": bucket, "etag": strings.Trim(sdk.ToString(head.ETag), `"`), "sha256": head.Metadata[shaMetadata],
		"version_id": sdk.ToString(head.VersionId), "arn": objectARN(region, bucket, key), tagsOutput.Name: orEmpty(tags),
	}
}

func objectARN(region, bucket, key string) string { return bucketARN(region, bucket) + "/" + key }

func splitObjectARN(arn string) (bucket, key string) {
	_, path, _ := strings.Cut(arn, ":::")
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}
