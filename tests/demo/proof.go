package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// What my-app.json asks for.
const (
	deployment     = "my-app-prod"
	roleName       = "my-app-lambda-role"
	functionName   = "my-app-api"
	bucketPrefix   = "my-deploy-bucket-"
	objectKey      = "my-app/v1.2.3/code.zip"
	managedPolicy  = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	owner          = "my-org"
	repository     = "my-app"
	secretPrefix   = "LAMBDA_ARN__"
	operationCount = 8
)

var regions = []string{"us-east-1", "eu-west-1"}

var errOff = errors.New("something is not as it must be")

// proof collects what was found to hold, and what was not.
type proof struct {
	*stage
	failed bool
}

// that says one thing, and whether it holds.
func (p *proof) that(holds bool, format string, arguments ...any) {
	mark := "ok "
	if !holds {
		mark, p.failed = "OFF", true
	}
	p.say("  %s %s", mark, fmt.Sprintf(format, arguments...))
}

func (p *proof) result() error {
	if p.failed {
		return errOff
	}
	return nil
}

// outside is what other clients than ours find.
type outside struct {
	aws     *standin.AWS
	secrets []githubfake.Secret
}

// readBack reads AWS with boto3; the fake gives the secrets that it has opened.
func (s *stage) readBack(ctx context.Context) (outside, error) {
	aws, err := s.moto.ReadBack(ctx, regions...)
	return outside{aws, s.github.Secrets(owner, repository)}, err
}

// asAsked proves that all that the document names is there, once, as it asks for, with labels.
func (p *proof) asAsked(found outside, zip []byte) {
	p.say("\nAWS read back with boto3, GitHub from the fake, which opened the sealed secret:")
	role := p.role(found.aws)
	arns := p.functions(found.aws, role, zip)
	p.buckets(found.aws, zip)
	p.that(len(found.secrets) == 1, "GitHub: one secret in %s/%s", owner, repository)
	for _, secret := range found.secrets {
		p.that(strings.HasPrefix(secret.Name, secretPrefix), "GitHub: it is called %s", secret.Name)
		p.that(secret.Value == arns["us-east-1"] && secret.Value != "", "GitHub: it holds %s", secret.Value)
	}
}

func (p *proof) role(found *standin.AWS) string {
	if len(found.Roles) != 1 {
		p.that(false, "IAM: one role (there are %d)", len(found.Roles))
		return ""
	}
	role := found.Roles[0]
	p.that(role.Name == roleName && p.labelled(role.Tags), "IAM: role %s, labelled", role.Name)
	p.that(slices.Equal(role.AttachedPolicies, []string{managedPolicy}), "IAM: its policy %s", path(managedPolicy))
	p.that(strings.Contains(string(role.TrustPolicy), "lambda.amazonaws.com"), "IAM: Lambda may assume it")
	return role.ARN
}

// labelled says that a thing's tags name this deployment.
func (p *proof) labelled(tags map[string]string) bool {
	named := tags[contract.LabelDeployID] == deployment
	for _, label := range []string{contract.LabelGraphID, contract.LabelNodeID, contract.LabelResourceID, contract.LabelOwner} {
		named = named && tags[label] != ""
	}
	return named
}

func (p *proof) functions(found *standin.AWS, role string, zip []byte) map[string]string {
	sum := sha256.Sum256(zip)
	arns := map[string]string{}
	for _, f := range found.Functions {
		arns[f.Region] = f.ARN
		p.that(f.Name == functionName && f.State == "Active" && p.labelled(f.Tags), "Lambda %s: %s is active, labelled", f.Region, f.Name)
		p.that(f.Role == role && role != "", "Lambda %s: it runs as %s", f.Region, path(f.Role))
		p.that(f.Runtime == "python3.12" && f.Handler == "lambda_handler.run" && f.MemorySize == 256 && f.Timeout == 30,
			"Lambda %s: %s, %s, %d MB, %d s", f.Region, f.Runtime, f.Handler, f.MemorySize, f.Timeout)
		p.that(f.CodeSHA256 == base64.StdEncoding.EncodeToString(sum[:]), "Lambda %s: its code is the package in the document", f.Region)
	}
	p.that(len(found.Functions) == len(regions) && len(arns) == len(regions), "Lambda: one function in each of %s", strings.Join(regions, ", "))
	return arns
}

func (p *proof) buckets(found *standin.AWS, zip []byte) {
	places := map[string]bool{}
	for _, b := range found.Buckets {
		places[b.Region] = true
		p.that(strings.HasPrefix(b.Name, bucketPrefix) && p.labelled(b.Tags), "S3 %s: bucket %s, labelled", b.Region, b.Name)
		whole := len(b.Objects) == 1 && b.Objects[0].Key == objectKey && b.Objects[0].Size == int64(len(zip)) && p.labelled(b.Objects[0].Tags)
		p.that(whole, "S3 %s: in it %s of %d bytes, labelled", b.Region, objectKey, len(zip))
	}
	p.that(len(found.Buckets) == len(regions) && len(places) == len(regions), "S3: one bucket in each of %s", strings.Join(regions, ", "))
}

// nothingThere proves that all is gone.
func (p *proof) nothingThere(found outside) {
	p.say("\nAWS read back with boto3, GitHub from the fake:")
	objects := 0
	for _, bucket := range found.aws.Buckets {
		objects += len(bucket.Objects)
	}
	p.that(len(found.aws.Roles) == 0, "IAM: %d roles", len(found.aws.Roles))
	p.that(len(found.aws.Functions) == 0, "Lambda: %d functions in %s", len(found.aws.Functions), strings.Join(regions, ", "))
	p.that(len(found.aws.Buckets) == 0, "S3: %d buckets, %d objects", len(found.aws.Buckets), objects)
	p.that(len(found.secrets) == 0, "GitHub: %d secrets in %s/%s", len(found.secrets), owner, repository)
}

// same proves that what is outside is, to the last tag and time, what it was.
func (p *proof) same(before, after outside) {
	p.that(equal(before.aws, after.aws), "AWS: boto3 reads the very same as before")
	p.that(equal(before.secrets, after.secrets), "GitHub: the secret is as it was put%s", lastPut(after.secrets))
}

func equal(a, b any) bool {
	one, errA := json.Marshal(a)
	other, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(one) == string(other)
}

func lastPut(secrets []githubfake.Secret) string {
	if len(secrets) == 0 {
		return ""
	}
	return fmt.Sprintf(" at %s, put number %d", secrets[0].UpdatedAt.Format("15:04:05"), secrets[0].Writes)
}

// latest is the last run that the host has begun, as the host tells it.
func (s *stage) latest(ctx context.Context) (*rest.RunResult, error) {
	list, err := s.client.Runs(ctx, rest.RunsQuery{ListQuery: rest.ListQuery{Limit: 1}})
	if err != nil {
		return nil, err
	}
	if len(list.Runs) == 0 {
		return nil, errors.New("the host knows of no run")
	}
	return s.client.Run(ctx, list.Runs[0].RunID)
}

// completed proves that a run did all that it had to.
func (p *proof) completed(run *rest.RunResult, kind string, changed int) {
	p.that(run.Success && run.Kind == kind && run.Status == rest.RunCompleted && run.Completed == operationCount,
		"the %s is complete: %d of %d operations", run.Kind, run.Completed, run.Total)
	p.that(run.Changed == changed, "it changed %d", run.Changed)
}

// path is the part of an ARN that a person reads.
func path(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
