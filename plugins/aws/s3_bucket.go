package aws

import (
	"context"
	"net/http"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Bucket are the properties of aws:s3:bucket.
type Bucket struct {
	BucketName        string `json:"bucket_name" jsonschema:"minLength=3,maxLength=63,pattern=^[a-z0-9][a-z0-9.-]*[a-z0-9]$" jsonschema_description:"The bucket's name before its suffix: bucket names are unique in the whole world."`
	Versioning        bool   `json:"versioning,omitempty" jsonschema_description:"Keeps every version of each object."`
	BlockPublicAccess *bool  `json:"block_public_access,omitempty" jsonschema:"default=true" jsonschema_description:"Refuses every way of making the bucket or its objects public."`
	ForceDestroy      bool   `json:"force_destroy,omitempty" jsonschema_description:"Lets a delete take the objects in the bucket with it; without it a bucket that is not empty is refused."`
}

func (b Bucket) blocksPublicAccess() bool { return b.BlockPublicAccess == nil || *b.BlockPublicAccess }

// bucketAPI are the calls on a bucket; those that empty it stand in s3_empty.go.
type bucketAPI interface {
	CreateBucket(context.Context, *s3.CreateBucketInput, ...func(*s3.Options)) (*s3.CreateBucketOutput, error)
	ListBuckets(context.Context, *s3.ListBucketsInput, ...func(*s3.Options)) (*s3.ListBucketsOutput, error)
	HeadBucket(context.Context, *s3.HeadBucketInput, ...func(*s3.Options)) (*s3.HeadBucketOutput, error)
	GetBucketLocation(context.Context, *s3.GetBucketLocationInput, ...func(*s3.Options)) (*s3.GetBucketLocationOutput, error)
	DeleteBucket(context.Context, *s3.DeleteBucketInput, ...func(*s3.Options)) (*s3.DeleteBucketOutput, error)
	bucketTagAPI
	bucketSettingsAPI
	bucketContentAPI
}

type bucketTagAPI interface {
	GetBucketTagging(context.Context, *s3.GetBucketTaggingInput, ...func(*s3.Options)) (*s3.GetBucketTaggingOutput, error)
	PutBucketTagging(context.Context, *s3.PutBucketTaggingInput, ...func(*s3.Options)) (*s3.PutBucketTaggingOutput, error)
}

type bucketSettingsAPI interface {
	GetBucketVersioning(context.Context, *s3.GetBucketVersioningInput, ...func(*s3.Options)) (*s3.GetBucketVersioningOutput, error)
	PutBucketVersioning(context.Context, *s3.PutBucketVersioningInput, ...func(*s3.Options)) (*s3.PutBucketVersioningOutput, error)
	GetPublicAccessBlock(context.Context, *s3.GetPublicAccessBlockInput, ...func(*s3.Options)) (*s3.GetPublicAccessBlockOutput, error)
	PutPublicAccessBlock(context.Context, *s3.PutPublicAccessBlockInput, ...func(*s3.Options)) (*s3.PutPublicAccessBlockOutput, error)
}

// buckets is the type aws:s3:bucket.
type buckets struct{}

var (
	_ provider.Resource[*Client, Bucket] = buckets{}
	_ provider.Updater[*Client, Bucket]  = buckets{}
)

func (buckets) Describe() provider.Description {
	return provider.Description{
		Type: "aws:s3:bucket", Summary: "An S3 bucket.",
		Placement:   contract.Regional,
		Identifying: []string{"/bucket_name"},
		SelfOutput:  "bucket_name",
		Outputs: []contract.OutputField{
			{Name: "arn", Summary: "The bucket's ARN."},
			{Name: "bucket_name", Summary: "The name with its suffix: what other resources need."},
			{Name: "region", Summary: "The region that the bucket is in."},
			{Name: "domain_name", Summary: "The bucket's regional domain name."},
			tagsOutput,
		},
		Discovery: contract.DiscoverByName, LabelLimits: tagLimits(50),
		Naming: contract.Naming{
			Property: "/bucket_name", Separator: "-", Suffix: contract.SuffixNodeAndRegion, Case: contract.CaseLower,
			MaxLength: 63, Pattern: `^[a-z0-9][a-z0-9.-]*[a-z0-9]$`,
		},
		RepeatSafety: contract.ByName, SettleTime: 15 * time.Second, Typical: 3 * time.Second, Permissions: bucketPermissions,
	}
}

func (buckets) Create(ctx context.Context, c *Client, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	if err := makeBucket(ctx, c, op); err != nil {
		return nil, err
	}
	return convergeBucket(ctx, c, op, all(op.Properties.blocksPublicAccess()))
}

// makeBucket makes a bucket that is not there.
func makeBucket(ctx context.Context, c *Client, op *provider.Operation[Bucket]) error {
	if op.Existing != nil {
		return nil
	}
	_, err := c.buckets.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: sdk.String(op.Name), CreateBucketConfiguration: bucketConfiguration(op),
	})
	if err != nil {
		return bucketRefused(err)
	}
	op.Made(bucketARN(op.Region, op.Name))
	return nil
}

// bucketConfiguration names no location for us-east-1, which S3 refuses to see named.
func bucketConfiguration(op *provider.Operation[Bucket]) *types.CreateBucketConfiguration {
	configuration := &types.CreateBucketConfiguration{Tags: s3Tags(tagsOf(op))}
	switch {
	case op.Region != defaultRegion:
		configuration.LocationConstraint = types.BucketLocationConstraint(op.Region)
	case len(configuration.Tags) == 0:
		return nil // S3 refuses one that says nothing
	}
	return configuration
}

func (buckets) Update(ctx context.Context, c *Client, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	return convergeBucket(ctx, c, op, all(op.Properties.blocksPublicAccess()))
}

// convergeBucket writes what differs. It also looks whether the labels of CreateBucket have arrived: not every endpoint that
// speaks S3 takes them there.
func convergeBucket(ctx context.Context, c *Client, op *provider.Operation[Bucket], wanted blocks) (provider.Outputs, error) {
	name := physical(op)
	block := func(ctx context.Context, c *Client, _ *provider.Operation[Bucket], name string) error {
		return setPublicAccess(ctx, c, name, wanted)
	}
	// Labels first: they say whose it is. And last, for those that only go along with other changes.
	for _, step := range []func(context.Context, *Client, *provider.Operation[Bucket], string) error{
		tagBucket, block, setVersioning, retagBucket,
	} {
		if err := step(ctx, c, op, name); err != nil {
			return nil, err
		}
	}
	return bucketOutputs(op.Region, name, op.Tags), nil
}

func tagBucket(ctx context.Context, c *Client, op *provider.Operation[Bucket], name string) error {
	actual, err := readBucketTags(ctx, c, name)
	if err != nil {
		return err
	}
	change := dueTags(op, actual)
	if change.empty() {
		return nil
	}
	_, err = c.buckets.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{
		Bucket: sdk.String(name), Tagging: &types.Tagging{TagSet: s3Tags(change.after(actual))},
	})
	return classify(err)
}

func retagBucket(ctx context.Context, c *Client, op *provider.Operation[Bucket], name string) error {
	if op.Verb != contract.VerbEnsure || !op.HasWritten() {
		return nil
	}
	return tagBucket(ctx, c, op, name)
}

func setPublicAccess(ctx context.Context, c *Client, name string, wanted blocks) error {
	blocked, err := publicAccessBlocked(ctx, c, name)
	if err != nil || blocked == wanted {
		return err
	}
	_, err = c.buckets.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: sdk.String(name), PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: sdk.Bool(wanted[0]), BlockPublicPolicy: sdk.Bool(wanted[1]),
			IgnorePublicAcls: sdk.Bool(wanted[2]), RestrictPublicBuckets: sdk.Bool(wanted[3]),
		},
	})
	return classify(err)
}

// blocks are the four switches of a public access block.
type blocks [4]bool

func all(on bool) blocks { return blocks{on, on, on, on} }

func publicAccessBlocked(ctx context.Context, c *Client, name string) (blocks, error) {
	got, err := c.buckets.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: sdk.String(name)})
	if codeOf(err) == "NoSuchPublicAccessBlockConfiguration" {
		return all(false), nil
	}
	if err != nil {
		return blocks{}, classify(err)
	}
	block := got.PublicAccessBlockConfiguration
	return blocks{
		sdk.ToBool(block.BlockPublicAcls), sdk.ToBool(block.BlockPublicPolicy),
		sdk.ToBool(block.IgnorePublicAcls), sdk.ToBool(block.RestrictPublicBuckets),
	}, nil
}

// setVersioning suspends what was once on: S3 has no way back to a bucket that never had versions.
func setVersioning(ctx context.Context, c *Client, op *provider.Operation[Bucket], name string) error {
	enabled, err := versioningEnabled(ctx, c, name)
	if err != nil || enabled == op.Properties.Versioning {
		return err
	}
	status := types.BucketVersioningStatusSuspended
	if op.Properties.Versioning {
		status = types.BucketVersioningStatusEnabled
	}
	_, err = c.buckets.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: sdk.String(name), VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	return classify(err)
}

func versioningEnabled(ctx context.Context, c *Client, name string) (bool, error) {
	got, err := c.buckets.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: sdk.String(name)})
	if err != nil {
		return false, classify(err)
	}
	return got.Status == types.BucketVersioningStatusEnabled, nil
}

func (buckets) Verify(ctx context.Context, c *Client, op *provider.Operation[Bucket]) ([]provider.Check, error) {
	name := op.Existing.Name
	blocked, err := publicAccessBlocked(ctx, c, name)
	if err != nil {
		return nil, err
	}
	versioned, err := versioningEnabled(ctx, c, name)
	if err != nil {
		return nil, err
	}
	return []provider.Check{
		provider.Equal("block_public_access", all(op.Properties.blocksPublicAccess()), blocked),
		provider.Equal("versioning", op.Properties.Versioning, versioned),
	}, nil
}

func (buckets) Delete(ctx context.Context, c *Client, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	name := op.Existing.Name
	if op.Properties.ForceDestroy && !op.KeepContents {
		if err := empty(ctx, c, op, name); err != nil {
			return nil, err
		}
	}
	_, err := c.buckets.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: sdk.String(name)})
	switch {
	case absent(err):
		return nil, nil
	case codeOf(err) == "BucketNotEmpty":
		return nil, as(provider.Precondition, "/force_destroy", err)
	default:
		return nil, classify(err)
	}
}

// Find asks for the bucket by name. Only one whose name nobody knows, since a node id is part of it, is looked for among all.
func (buckets) Find(ctx context.Context, c *Client, query *provider.Query[Bucket], found func(provider.Found) error) error {
	name := firstOf(query.Name, lastPart(query.Identity))
	if name == "" {
		return findByLabels(ctx, c, query, found)
	}
	return findBucket(ctx, c, query, name, found)
}

// findByLabels goes through the buckets that are called as the caller wrote, with whatever suffix, and takes those with the labels.
func findByLabels(ctx context.Context, c *Client, query *provider.Query[Bucket], found func(provider.Found) error) error {
	if query.Properties.BucketName == "" {
		return nameUnknown("/bucket_name")
	}
	prefix := strings.ToLower(query.Properties.BucketName) + "-"
	pages := s3.NewListBucketsPaginator(c.buckets, &s3.ListBucketsInput{Prefix: sdk.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		for _, bucket := range page.Buckets {
			name := sdk.ToString(bucket.Name)
			if !strings.HasPrefix(name, prefix) {
				continue // not all that speak S3 know prefixes
			}
			err := findBucket(ctx, c, query, name, func(one provider.Found) error {
				if contract.OwnershipOf(one.Labels, query.Labels) != contract.OwnershipOurs {
					return nil
				}
				return found(one)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// findBucket tells of one bucket. A bucket of this name in another region is not in this place.
func findBucket(ctx context.Context, c *Client, query *provider.Query[Bucket], name string, found func(provider.Found) error) error {
	region, err := regionOfBucket(ctx, c, name)
	if absent(err) || err == nil && region != query.Region {
		return nil
	}
	if err != nil {
		return err
	}
	tags, err := readBucketTags(ctx, c, name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	outputs := bucketOutputs(region, name, nil)
	delete(outputs, tagsOutput.Name)
	return found(provider.Found{Identity: bucketARN(region, name), Name: name, Labels: tags, Outputs: outputs, Ready: true})
}

// regionOfBucket asks the bucket itself, and only where that gives no region for its location, which needs a right of its own.
func regionOfBucket(ctx context.Context, c *Client, name string) (string, error) {
	head, err := c.buckets.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: sdk.String(name)})
	if elsewhere := regionIn(err); elsewhere != "" {
		return elsewhere, nil
	}
	if err != nil {
		return "", classify(err)
	}
	if region := sdk.ToString(head.BucketRegion); region != "" {
		return region, nil
	}
	location, err := c.buckets.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: sdk.String(name)})
	if err != nil {
		return "", classify(err)
	}
	switch location.LocationConstraint {
	case "":
		return defaultRegion, nil
	case types.BucketLocationConstraintEu:
		return "eu-west-1", nil
	default:
		return string(location.LocationConstraint), nil
	}
}

// regionIn reads where S3 says that a bucket is when it was asked for in the wrong region.
func regionIn(err error) string {
	response := responseOf(err)
	if response == nil {
		return ""
	}
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
		return response.Header.Get("X-Amz-Bucket-Region")
	default:
		return ""
	}
}

func readBucketTags(ctx context.Context, c *Client, name string) (map[string]string, error) {
	got, err := c.buckets.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: sdk.String(name)})
	if codeOf(err) == "NoSuchTagSet" {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	return fromTags(got.TagSet, s3Pair), nil
}

func bucketRefused(err error) error {
	switch codeOf(err) {
	case "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "InvalidBucketName":
		return at("/bucket_name", err)
	default:
		return classify(err)
	}
}

func bucketOutputs(region, name string, tags map[string]string) provider.Outputs {
	_, domain := partition(region)
	return provider.Outputs{
		"arn": bucketARN(region, name), "bucket_name": name, "region": region,
		"domain_name": name + ".s3." + region + "." + domain, tagsOutput.Name: orEmpty(tags),
	}
}

func bucketARN(region, name string) string {
	part, _ := partition(region)
	return "arn:" + part + ":s3:::" + name
}

func s3Tags(tags map[string]string) []types.Tag {
	return toTags(tags, func(key, value string) types.Tag { return types.Tag{Key: sdk.String(key), Value: sdk.String(value)} })
}

func s3Pair(tag types.Tag) (key, value *string) { return tag.Key, tag.Value }
