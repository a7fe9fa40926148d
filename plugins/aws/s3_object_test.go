package aws

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// fakeObjects holds one object.
type fakeObjects struct {
	put    *s3.PutObjectInput
	body   string
	tags   map[string]string
	writes []string
}

func (f *fakeObjects) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if f.put != nil && in.IfNoneMatch != nil {
		return nil, answered(http.StatusPreconditionFailed, "PreconditionFailed", "", nil)
	}
	f.writes = append(f.writes, "PutObject")
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(*in.Tagging)
	if err != nil {
		return nil, err
	}
	f.put, f.body, f.tags = in, string(body), map[string]string{}
	for key := range query {
		f.tags[key] = query.Get(key)
	}
	return &s3.PutObjectOutput{ETag: sdk.String(`"etag"`)}, nil
}

func (f *fakeObjects) HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	if f.put == nil {
		return nil, answered(http.StatusNotFound, "NotFound", "", nil)
	}
	return &s3.HeadObjectOutput{ETag: sdk.String(`"etag"`), Metadata: f.put.Metadata, ContentType: f.put.ContentType}, nil
}

func (f *fakeObjects) GetObjectTagging(context.Context, *s3.GetObjectTaggingInput, ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error) {
	return &s3.GetObjectTaggingOutput{TagSet: s3Tags(f.tags)}, nil
}

func (f *fakeObjects) PutObjectTagging(_ context.Context, in *s3.PutObjectTaggingInput, _ ...func(*s3.Options)) (*s3.PutObjectTaggingOutput, error) {
	f.writes = append(f.writes, "PutObjectTagging")
	f.tags = fromTags(in.Tagging.TagSet, s3Pair)
	return &s3.PutObjectTaggingOutput{}, nil
}

func (f *fakeObjects) DeleteObject(_ context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	f.writes = append(f.writes, "DeleteObject "+*in.Bucket+" "+*in.Key)
	f.put = nil
	return &s3.DeleteObjectOutput{}, nil
}

func objectOperation(properties Object) provider.Operation[Object] {
	properties.Bucket, properties.Key = "code-1111aaaa", "app/code.zip"
	return provider.Operation[Object]{
		Verb: contract.VerbEnsure, Name: "app/code.zip", Region: "us-east-1", Properties: properties, Labels: labels,
	}
}

// sum is the SHA-256 of "one".
const sum = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"

func TestAnObjectIsPutWithItsLabels(t *testing.T) {
	for name, properties := range map[string]Object{
		"text":   {Content: sdk.String("one"), Metadata: map[string]string{"a": "b"}},
		"base64": {ContentBase64: sdk.String("b25l"), Metadata: map[string]string{"a": "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeObjects{}
			ctx, op, trial := provider.NewOperation(t.Context(), provider.Runtime{}, objectOperation(properties))
			outputs, err := objects{}.Create(ctx, &Client{objects: fake}, op)
			require.NoError(t, err)
			require.Equal(t, "one", fake.body)
			require.Equal(t, labels, fake.tags)
			require.Equal(t, "*", *fake.put.IfNoneMatch)
			require.Equal(t, map[string]string{"a": "b", "mgraph-sha256": sum}, fake.put.Metadata)
			require.Equal(t, []string{"arn:aws:s3:::code-1111aaaa/app/code.zip"}, trial.Recorded().Made)
			require.Equal(t, sum, outputs["sha256"])
			require.Equal(t, "etag", outputs["etag"])
		})
	}
}

func TestAnObjectThatAppearedMeanwhileIsNotOverwritten(t *testing.T) {
	fake := &fakeObjects{put: &s3.PutObjectInput{}}
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, objectOperation(Object{Content: sdk.String("one")}))
	_, err := objects{}.Create(ctx, &Client{objects: fake}, op)
	require.Equal(t, provider.AlreadyExists, contract.KindOf(err))
	require.Empty(t, fake.writes)
}

func TestAnObjectIsPutAgainOnlyWhereItDiffers(t *testing.T) {
	fake := &fakeObjects{}
	client := &Client{objects: fake}
	ensure := func(properties Object) []string {
		fake.writes = nil
		filled := objectOperation(properties)
		method := objects{}.Create
		if fake.put != nil {
			filled.Existing, method = existing("app/code.zip"), objects{}.Update
		}
		ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
		_, err := method(ctx, client, op)
		require.NoError(t, err)
		return fake.writes
	}
	one := Object{Content: sdk.String("one")}
	require.Equal(t, []string{"PutObject"}, ensure(one))
	require.Empty(t, ensure(one))
	require.Equal(t, []string{"PutObject"}, ensure(Object{Content: sdk.String("two")}))
	require.Equal(t, `"etag"`, *fake.put.IfMatch)
	require.Equal(t, []string{"PutObject"}, ensure(Object{Content: sdk.String("two"), ContentType: "text/plain"}))
	delete(fake.tags, contract.LabelNodeID)
	fake.tags["theirs"] = "x"
	require.Equal(t, []string{"PutObjectTagging"}, ensure(Object{Content: sdk.String("two"), ContentType: "text/plain"}))
	require.Equal(t, "x", fake.tags["theirs"])
	require.Equal(t, "1111aaaa", fake.tags[contract.LabelNodeID])
	fake.put.Metadata = nil // as after a put by someone else
	require.Equal(t, []string{"PutObject"}, ensure(Object{Content: sdk.String("two"), ContentType: "text/plain"}))
	require.Equal(t, "x", fake.tags["theirs"])
}

func TestAnObjectIsFoundAndDeletedWithoutItsReference(t *testing.T) {
	fake := &fakeObjects{}
	client := &Client{objects: fake}
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, objectOperation(Object{Content: sdk.String("one")}))
	_, err := objects{}.Create(ctx, client, op)
	require.NoError(t, err)

	var all []provider.Found
	query := &provider.Query[Object]{Identity: "arn:aws:s3:::code-1111aaaa/app/code.zip", Region: "us-east-1"}
	require.NoError(t, objects{}.Find(t.Context(), client, query, func(found provider.Found) error {
		all = append(all, found)
		return nil
	}))
	require.Equal(t, "app/code.zip", all[0].Name)
	require.Equal(t, labels, all[0].Labels)

	fake.writes = nil
	ctx, op, _ = provider.NewOperation(t.Context(), provider.Runtime{}, provider.Operation[Object]{Existing: &all[0]})
	_, err = objects{}.Delete(ctx, client, op)
	require.NoError(t, err)
	require.Equal(t, []string{"DeleteObject code-1111aaaa app/code.zip"}, fake.writes)
	require.NoError(t, objects{}.Find(t.Context(), client, query, func(provider.Found) error { t.Fatal("gone"); return nil }))

	err = objects{}.Find(t.Context(), client, &provider.Query[Object]{Name: "app/code.zip"}, nil)
	require.Equal(t, provider.InvalidInput, contract.KindOf(err), "without a bucket nothing is known, and absence least of all")
}

func TestVerifyOfAnObject(t *testing.T) {
	fake := &fakeObjects{put: &s3.PutObjectInput{ContentType: sdk.String("text/html"), Metadata: map[string]string{"x": "y"}}}
	filled := objectOperation(Object{Content: sdk.String("one")})
	filled.Existing = existing("app/code.zip")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	checks, err := objects{}.Verify(ctx, &Client{objects: fake}, op)
	require.NoError(t, err)
	require.Len(t, checks, 3)
	for _, check := range checks {
		require.Equal(t, contract.CheckFail, check.Status, check.Name)
	}
}

func TestRulesBeyondTheObjectSchema(t *testing.T) {
	for name, test := range map[string]struct {
		object  Object
		pointer string
	}{
		"text":         {Object{Content: sdk.String("")}, ""},
		"base64":       {Object{ContentBase64: sdk.String("b25l")}, ""},
		"neither":      {Object{}, "/content"},
		"both":         {Object{Content: sdk.String("a"), ContentBase64: sdk.String("b25l")}, "/content"},
		"not base64":   {Object{ContentBase64: sdk.String("b25l!")}, "/content_base64"},
		"our metadata": {Object{Content: sdk.String(""), Metadata: map[string]string{"mgraph-x": ""}}, "/metadata"},
		"upper case":   {Object{Content: sdk.String(""), Metadata: map[string]string{"Key": ""}}, "/metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			found := objects{}.Validate(test.object, nil)
			if test.pointer == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, test.pointer, found[0].Pointer)
		})
	}
}
