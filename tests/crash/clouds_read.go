package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

func (c *clouds) roles(ctx context.Context) ([]thing, error) {
	listed, err := c.iam.ListRoles(ctx, &iam.ListRolesInput{})
	if err != nil {
		return nil, err
	}
	var found []thing
	for _, role := range listed.Roles {
		labels := map[string]string{}
		tags, err := c.iam.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: role.RoleName})
		if err != nil {
			return nil, err
		}
		for _, tag := range tags.Tags {
			labels[sdk.ToString(tag.Key)] = sdk.ToString(tag.Value)
		}
		policies, err := c.policies(ctx, role.RoleName)
		if err != nil {
			return nil, err
		}
		trust, _ := url.QueryUnescape(sdk.ToString(role.AssumeRolePolicyDocument)) // as IAM gives policies
		found = append(found, thing{
			Type: "aws:iam:role", Name: sdk.ToString(role.RoleName), Labels: labels, Values: map[string]string{
				"arn": sdk.ToString(role.Arn), "trust": canonical(trust), "policies": policies,
			},
		})
	}
	return found, nil
}

// policies names what is attached and what stands in the role itself.
func (c *clouds) policies(ctx context.Context, role *string) (string, error) {
	attached, err := c.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role})
	if err != nil {
		return "", err
	}
	inline, err := c.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: role})
	if err != nil {
		return "", err
	}
	names := slices.Clone(inline.PolicyNames)
	for _, policy := range attached.AttachedPolicies {
		names = append(names, sdk.ToString(policy.PolicyArn))
	}
	return sorted(names), nil
}

func sorted(names []string) string {
	slices.Sort(names)
	return strings.Join(names, " ")
}

// canonical writes JSON in one way.
func canonical(text string) string {
	var value any
	_ = json.Unmarshal([]byte(text), &value) // what is none compares as null
	encoded, _ := json.Marshal(value)
	return string(encoded)
}

func (c *clouds) functions(ctx context.Context) ([]thing, error) {
	var found []thing
	for _, region := range regions {
		listed, err := c.lambda[region].ListFunctions(ctx, &lambda.ListFunctionsInput{})
		if err != nil {
			return nil, err
		}
		for _, function := range listed.Functions {
			one, err := c.function(ctx, region, function.FunctionName)
			if err != nil {
				return nil, err
			}
			found = append(found, one)
		}
	}
	return found, nil
}

func (c *clouds) function(ctx context.Context, region string, name *string) (thing, error) {
	there, err := c.lambda[region].GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name})
	if err != nil {
		return thing{}, err
	}
	config := there.Configuration
	variables := map[string]string{}
	if config.Environment != nil && config.Environment.Variables != nil {
		variables = config.Environment.Variables
	}
	environment, _ := json.Marshal(variables)
	return thing{
		Type: "aws:lambda:function", Region: region, Name: sdk.ToString(name), Labels: there.Tags, Values: map[string]string{
			"arn": sdk.ToString(config.FunctionArn), "role": sdk.ToString(config.Role), "handler": sdk.ToString(config.Handler),
			"runtime": string(config.Runtime), "memory": strconv.Itoa(int(sdk.ToInt32(config.MemorySize))),
			"timeout": strconv.Itoa(int(sdk.ToInt32(config.Timeout))), "environment": string(environment),
			"code": sdk.ToString(config.CodeSha256),
		},
	}, nil
}

func (c *clouds) bucketsAndObjects(ctx context.Context) ([]thing, error) {
	listed, err := c.buckets.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, err
	}
	var found []thing
	for _, bucket := range listed.Buckets {
		one, err := c.bucket(ctx, bucket.Name)
		if err != nil {
			return nil, err
		}
		objects, err := c.objects(ctx, bucket.Name, one.Region)
		if err != nil {
			return nil, err
		}
		found = append(append(found, one), objects...)
	}
	return found, nil
}

func (c *clouds) bucket(ctx context.Context, name *string) (thing, error) {
	location, err := c.buckets.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: name})
	if err != nil {
		return thing{}, err
	}
	versioning, err := c.buckets.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
	if err != nil {
		return thing{}, err
	}
	labels := map[string]string{}
	tags, err := c.buckets.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	var known smithy.APIError
	if err != nil && !(errors.As(err, &known) && known.ErrorCode() == "NoSuchTagSet") {
		return thing{}, err
	}
	if err == nil {
		for _, tag := range tags.TagSet {
			labels[sdk.ToString(tag.Key)] = sdk.ToString(tag.Value)
		}
	}
	region := string(location.LocationConstraint)
	if region == "" {
		region = regions[0] // S3 gives no location for the region that it began with
	}
	return thing{
		Type: "aws:s3:bucket", Region: region, Name: sdk.ToString(name), Labels: labels,
		Values: map[string]string{"name": sdk.ToString(name), "versioning": string(versioning.Status)},
	}, nil
}

func (c *clouds) objects(ctx context.Context, bucket *string, region string) ([]thing, error) {
	listed, err := c.buckets.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	if err != nil {
		return nil, err
	}
	var found []thing
	for _, object := range listed.Contents {
		content, err := c.buckets.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: object.Key})
		if err != nil {
			return nil, err
		}
		bytes, err := io.ReadAll(content.Body)
		if err = errors.Join(err, content.Body.Close()); err != nil {
			return nil, err
		}
		tags, err := c.buckets.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: object.Key})
		if err != nil {
			return nil, err
		}
		labels := map[string]string{}
		for _, tag := range tags.TagSet {
			labels[sdk.ToString(tag.Key)] = sdk.ToString(tag.Value)
		}
		sum := sha256.Sum256(bytes)
		found = append(found, thing{
			Type: "aws:s3:object", Region: region, Name: sdk.ToString(object.Key), Labels: labels, Values: map[string]string{
				"bucket": sdk.ToString(bucket), "sha256": hex.EncodeToString(sum[:]), "type": sdk.ToString(content.ContentType),
			},
		})
	}
	return found, nil
}
