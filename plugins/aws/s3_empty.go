package aws

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// bucketContentAPI are the calls that empty a bucket.
type bucketContentAPI interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

// empty deletes every version of every object, a page at a time; one that was interrupted goes on where it was.
func empty(ctx context.Context, c *Client, op *provider.Operation[Bucket], name string) error {
	deleted := 0
	pages := s3.NewListObjectVersionsPaginator(c.buckets, &s3.ListObjectVersionsInput{Bucket: sdk.String(name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		batch := versionsIn(page)
		if len(batch) == 0 {
			continue
		}
		if err := deleteBatch(ctx, c, name, batch); err != nil {
			return err
		}
		deleted += len(batch)
		op.Progress(-1, fmt.Sprintf("deleted %d objects and versions", deleted))
	}
	return nil
}

func versionsIn(page *s3.ListObjectVersionsOutput) []types.ObjectIdentifier {
	batch := make([]types.ObjectIdentifier, 0, len(page.Versions)+len(page.DeleteMarkers))
	for _, version := range page.Versions {
		batch = append(batch, types.ObjectIdentifier{Key: version.Key, VersionId: version.VersionId})
	}
	for _, marker := range page.DeleteMarkers {
		batch = append(batch, types.ObjectIdentifier{Key: marker.Key, VersionId: marker.VersionId})
	}
	return batch
}

// deleteBatch reads the answer: S3 says 200 even when it deleted nothing.
func deleteBatch(ctx context.Context, c *Client, name string, batch []types.ObjectIdentifier) error {
	done, err := c.buckets.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: sdk.String(name), Delete: &types.Delete{Objects: batch, Quiet: sdk.Bool(true)},
	})
	if err != nil {
		return classify(err)
	}
	if len(done.Errors) == 0 {
		return nil
	}
	code := sdk.ToString(done.Errors[0].Code)
	kind, known := kinds[code]
	if !known {
		kind = provider.RemoteError
	}
	refused := provider.Errorf(kind, "S3 did not delete %d of %d objects", len(done.Errors), len(batch))
	refused.VendorCode = code
	return refused
}
