package aws

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// fakeS3 holds one bucket and counts what is in it.
type fakeS3 struct {
	name, region string
	headRegion   string // what HEAD tells of it
	configured   *types.CreateBucketConfiguration
	takesTags    bool
	tags         map[string]string
	block        *types.PublicAccessBlockConfiguration
	versioning   types.BucketVersioningStatus
	versions     int
	stuck        bool
	writes       []string
	headError    error
	all          []string
}

func (f *fakeS3) CreateBucket(_ context.Context, in *s3.CreateBucketInput, _ ...func(*s3.Options)) (*s3.CreateBucketOutput, error) {
	if f.name != "" {
		return nil, answered(http.StatusConflict, "BucketAlreadyOwnedByYou", "", nil)
	}
	f.writes = append(f.writes, "CreateBucket")
	f.name, f.configured = *in.Bucket, in.CreateBucketConfiguration
	if f.takesTags {
		f.tags = fromTags(in.CreateBucketConfiguration.Tags, s3Pair)
	}
	return &s3.CreateBucketOutput{}, nil
}

// ListBuckets gives one bucket a page.
func (f *fakeS3) ListBuckets(_ context.Context, in *s3.ListBucketsInput, _ ...func(*s3.Options)) (*s3.ListBucketsOutput, error) {
	at, _ := strconv.Atoi(sdk.ToString(in.ContinuationToken))
	if at >= len(f.all) {
		return &s3.ListBucketsOutput{}, nil
	}
	f.name = f.all[at] // and the calls that follow are about this one
	return &s3.ListBucketsOutput{
		Buckets: []types.Bucket{{Name: sdk.String(f.all[at])}}, ContinuationToken: sdk.String(strconv.Itoa(at + 1)),
	}, nil
}

func (f *fakeS3) HeadBucket(_ context.Context, in *s3.HeadBucketInput, _ ...func(*s3.Options)) (*s3.HeadBucketOutput, error) {
	if f.headError != nil {
		return nil, f.headError
	}
	if f.name != *in.Bucket {
		return nil, answered(http.StatusNotFound, "NotFound", "", nil)
	}
	return &s3.HeadBucketOutput{BucketRegion: optional(f.headRegion)}, nil
}

func (f *fakeS3) GetBucketLocation(context.Context, *s3.GetBucketLocationInput, ...func(*s3.Options)) (*s3.GetBucketLocationOutput, error) {
	return &s3.GetBucketLocationOutput{LocationConstraint: types.BucketLocationConstraint(f.region)}, nil
}

func (f *fakeS3) DeleteBucket(context.Context, *s3.DeleteBucketInput, ...func(*s3.Options)) (*s3.DeleteBucketOutput, error) {
	if f.versions > 0 {
		return nil, answered(http.StatusConflict, "BucketNotEmpty", "", nil)
	}
	f.writes = append(f.writes, "DeleteBucket")
	return &s3.DeleteBucketOutput{}, nil
}

func (f *fakeS3) GetBucketTagging(context.Context, *s3.GetBucketTaggingInput, ...func(*s3.Options)) (*s3.GetBucketTaggingOutput, error) {
	if len(f.tags) == 0 {
		return nil, answered(http.StatusNotFound, "NoSuchTagSet", "", nil)
	}
	return &s3.GetBucketTaggingOutput{TagSet: s3Tags(f.tags)}, nil
}

func (f *fakeS3) PutBucketTagging(_ context.Context, in *s3.PutBucketTaggingInput, _ ...func(*s3.Options)) (*s3.PutBucketTaggingOutput, error) {
	f.writes = append(f.writes, "PutBucketTagging")
	f.tags = fromTags(in.Tagging.TagSet, s3Pair)
	return &s3.PutBucketTaggingOutput{}, nil
}

func (f *fakeS3) GetPublicAccessBlock(context.Context, *s3.GetPublicAccessBlockInput, ...func(*s3.Options)) (*s3.GetPublicAccessBlockOutput, error) {
	if f.block == nil {
		return nil, answered(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "", nil)
	}
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: f.block}, nil
}

func (f *fakeS3) PutPublicAccessBlock(_ context.Context, in *s3.PutPublicAccessBlockInput, _ ...func(*s3.Options)) (*s3.PutPublicAccessBlockOutput, error) {
	f.writes = append(f.writes, "PutPublicAccessBlock")
	f.block = in.PublicAccessBlockConfiguration
	return &s3.PutPublicAccessBlockOutput{}, nil
}

func (f *fakeS3) GetBucketVersioning(context.Context, *s3.GetBucketVersioningInput, ...func(*s3.Options)) (*s3.GetBucketVersioningOutput, error) {
	return &s3.GetBucketVersioningOutput{Status: f.versioning}, nil
}

func (f *fakeS3) PutBucketVersioning(_ context.Context, in *s3.PutBucketVersioningInput, _ ...func(*s3.Options)) (*s3.PutBucketVersioningOutput, error) {
	f.writes = append(f.writes, "PutBucketVersioning "+string(in.VersioningConfiguration.Status))
	f.versioning = in.VersioningConfiguration.Status
	return &s3.PutBucketVersioningOutput{}, nil
}

func (f *fakeS3) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput, _ ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	page := &s3.ListObjectVersionsOutput{}
	for i := range min(2, f.versions) { // two to a page, one of them a delete marker
		key, version := sdk.String(fmt.Sprint("key", i)), sdk.String("v")
		if i == 0 {
			page.Versions = append(page.Versions, types.ObjectVersion{Key: key, VersionId: version})
		} else {
			page.DeleteMarkers = append(page.DeleteMarkers, types.DeleteMarkerEntry{Key: key, VersionId: version})
		}
	}
	page.IsTruncated, page.NextKeyMarker = sdk.Bool(f.versions > 2), sdk.String(sdk.ToString(in.KeyMarker)+"x")
	return page, nil
}

func (f *fakeS3) DeleteObjects(_ context.Context, in *s3.DeleteObjectsInput, _ ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	if f.stuck {
		return &s3.DeleteObjectsOutput{Errors: []types.Error{{Code: sdk.String("AccessDenied"), Key: sdk.String("key0")}}}, nil
	}
	f.versions -= len(in.Delete.Objects)
	return &s3.DeleteObjectsOutput{}, nil
}

func bucketOperation(region string, properties Bucket) provider.Operation[Bucket] {
	return provider.Operation[Bucket]{Verb: contract.VerbEnsure, Name: "assets-1111aaaa", Region: region, Properties: properties, Labels: labels}
}

func TestABucketIsMadeInItsRegionWithItsLabels(t *testing.T) {
	for region, constraint := range map[string]types.BucketLocationConstraint{"us-east-1": "", "eu-west-1": "eu-west-1"} {
		for _, takesTags := range []bool{true, false} {
			t.Run(fmt.Sprint(region, takesTags), func(t *testing.T) {
				fake := &fakeS3{takesTags: takesTags}
				ctx, op, trial := provider.NewOperation(t.Context(), provider.Runtime{}, bucketOperation(region, Bucket{Versioning: true}))
				outputs, err := buckets{}.Create(ctx, &Client{buckets: fake}, op)
				require.NoError(t, err)
				require.Equal(t, constraint, fake.configured.LocationConstraint)
				require.Equal(t, labels, fromTags(fake.configured.Tags, s3Pair), "in the call that creates")
				require.Equal(t, labels, fake.tags, "and there afterwards, whoever is on the other side")
				require.Equal(t, !takesTags, contains(fake.writes, "PutBucketTagging"))
				require.Equal(t, types.BucketVersioningStatusEnabled, fake.versioning)
				require.True(t, *fake.block.BlockPublicPolicy)
				require.Equal(t, []string{"arn:aws:s3:::assets-1111aaaa"}, trial.Recorded().Made)
				require.Equal(t, "assets-1111aaaa.s3."+region+".amazonaws.com", outputs["domain_name"])
			})
		}
	}
}

func contains(list []string, wanted string) bool {
	for _, one := range list {
		if one == wanted {
			return true
		}
	}
	return false
}

func TestABucketConvergesAndThenRests(t *testing.T) {
	fake := &fakeS3{
		name: "assets-1111aaaa", versioning: types.BucketVersioningStatusEnabled,
		tags:  map[string]string{"aws:cloudformation:stack-name": "theirs"},
		block: &types.PublicAccessBlockConfiguration{BlockPublicAcls: sdk.Bool(true)},
	}
	update := func() {
		filled := bucketOperation("us-east-1", Bucket{BlockPublicAccess: sdk.Bool(false)})
		filled.Existing = existing("assets-1111aaaa")
		ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
		_, err := buckets{}.Update(ctx, &Client{buckets: fake}, op)
		require.NoError(t, err)
	}
	update()
	require.Equal(t, []string{"PutBucketTagging", "PutPublicAccessBlock", "PutBucketVersioning Suspended"}, fake.writes)
	require.Equal(t, "theirs", fake.tags["aws:cloudformation:stack-name"])
	fake.writes = nil
	update()
	require.Empty(t, fake.writes)
}

func TestABucketWithContentIsDeletedOnRequestOnly(t *testing.T) {
	keep := false
	remove := func(fake *fakeS3, force bool) error {
		filled := bucketOperation("us-east-1", Bucket{ForceDestroy: force})
		filled.Existing, filled.KeepContents = existing("assets-1111aaaa"), keep
		ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
		_, err := buckets{}.Delete(ctx, &Client{buckets: fake}, op)
		return err
	}
	full := &fakeS3{versions: 5}
	var known *provider.Error
	require.ErrorAs(t, remove(full, false), &known)
	require.Equal(t, provider.Precondition, known.Kind)
	require.Equal(t, "/force_destroy", known.Pointer)
	require.Equal(t, 5, full.versions)
	keep = true
	require.ErrorAs(t, remove(full, true), &known, "what is moved away from loses nothing")
	require.Equal(t, provider.Precondition, known.Kind)
	require.Equal(t, 5, full.versions)

	keep = false
	require.NoError(t, remove(full, true))
	require.Zero(t, full.versions)
	require.Equal(t, []string{"DeleteBucket"}, full.writes)

	require.ErrorAs(t, remove(&fakeS3{versions: 5, stuck: true}, true), &known)
	require.Equal(t, provider.PermissionDenied, known.Kind)
	require.Equal(t, "AccessDenied", known.VendorCode)
}

func TestABucketIsFoundInItsRegionOnly(t *testing.T) {
	elsewhere := func(status int) error {
		return answered(status, "", "", http.Header{"X-Amz-Bucket-Region": []string{"eu-west-1"}})
	}
	for name, test := range map[string]struct {
		fake  *fakeS3
		found bool
	}{
		"told by HEAD":          {&fakeS3{name: "b", headRegion: "us-east-1"}, true},
		"HEAD tells another":    {&fakeS3{name: "b", headRegion: "eu-west-1"}, false},
		"told by its location":  {&fakeS3{name: "b", region: ""}, true},
		"location tells EU":     {&fakeS3{name: "b", region: "EU"}, false},
		"HEAD is redirected":    {&fakeS3{name: "b", headError: elsewhere(http.StatusMovedPermanently)}, false},
		"HEAD is a bad request": {&fakeS3{name: "b", headError: elsewhere(http.StatusBadRequest)}, false},
		"not there":             {&fakeS3{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var all []provider.Found
			query := &provider.Query[Bucket]{Name: "b", Region: "us-east-1"}
			require.NoError(t, buckets{}.Find(t.Context(), &Client{buckets: test.fake}, query, func(found provider.Found) error {
				all = append(all, found)
				return nil
			}))
			require.Equal(t, test.found, len(all) == 1)
			if test.found {
				require.NotNil(t, all[0].Labels, "no tags are no labels, not unknown ones")
			}
		})
	}
	err := buckets{}.Find(t.Context(), &Client{buckets: &fakeS3{headError: answered(http.StatusForbidden, "", "", nil)}},
		&provider.Query[Bucket]{Name: "b", Region: "us-east-1"}, nil)
	require.Equal(t, provider.PermissionDenied, contract.KindOf(err), "a bucket that may not be seen is not absent")
}

// TestABucketWhoseNameIsNotKnownIsFoundByItsLabels: a host that has lost its records knows what the caller wrote, and not the node
// id behind it.
func TestABucketWhoseNameIsNotKnownIsFoundByItsLabels(t *testing.T) {
	fake := &fakeS3{all: []string{"other-1111aaaa", "site-1111aaaa", "site-2222bbbb"}, headRegion: "us-east-1", tags: labels}
	query := &provider.Query[Bucket]{Properties: Bucket{BucketName: "Site"}, Region: "us-east-1", Labels: labels}
	find := func() (names []string) {
		require.NoError(t, buckets{}.Find(t.Context(), &Client{buckets: fake}, query, func(found provider.Found) error {
			names = append(names, found.Name)
			return nil
		}))
		return names
	}
	require.Equal(t, []string{"site-1111aaaa", "site-2222bbbb"}, find(), "several are told, for a person to sort out")
	fake.tags = map[string]string{"team": "web"}
	require.Empty(t, find(), "somebody else's")
	query.Properties.BucketName = ""
	require.Equal(t, provider.InvalidInput, contract.KindOf(buckets{}.Find(t.Context(), &Client{buckets: fake}, query, nil)))
}

func TestVerifyOfABucket(t *testing.T) {
	fake := &fakeS3{name: "b", versioning: types.BucketVersioningStatusSuspended}
	filled := bucketOperation("us-east-1", Bucket{Versioning: true})
	filled.Existing = existing("b")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	checks, err := buckets{}.Verify(ctx, &Client{buckets: fake}, op)
	require.NoError(t, err)
	require.Len(t, checks, 2)
	for _, check := range checks {
		require.Equal(t, contract.CheckFail, check.Status, check.Name)
	}
}

func TestNamesOutsideTheUsualPartition(t *testing.T) {
	require.Equal(t, "arn:aws-cn:s3:::b", bucketARN("cn-north-1", "b"))
	require.Equal(t, "b.s3.cn-north-1.amazonaws.com.cn", bucketOutputs("cn-north-1", "b", nil)["domain_name"])
	require.Equal(t, "arn:aws-us-gov:s3:::b/k", objectARN("us-gov-west-1", "b", "k"))
}
