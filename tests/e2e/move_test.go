package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

func toTheWest(deployment string) *rest.MoveRequest {
	return &rest.MoveRequest{DeploymentID: deployment, Credentials: noCredentials(), FromRegion: "us-east-1", ToRegion: "ap-south-1"}
}

// TestAMoveIsDiscardedAndThenCommitted over HTTP, the host killed while it is held.
func TestAMoveIsDiscardedAndThenCommitted(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	first := s.applied(config(t, "app", chain))
	before := s.read()

	held, err := s.Client.Move(s.ctx, toTheWest("app"))
	require.NoError(t, err)
	require.Equal(t, rest.RunPaused, held.Status, "%+v", held.FailedOperation)
	require.Equal(t, rest.MoveHeld, held.Move.Phase)
	require.Equal(t, chainSize+1, s.outside(), "what moves is in both places")
	s.Kill()
	require.NoError(t, s.Start(s.ctx))
	undone, err := s.Client.DiscardMove(s.ctx, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, undone.Success, "%+v", undone.FailedOperation)
	require.ElementsMatch(t, values(before), values(s.read()))

	held, err = s.Client.Move(s.ctx, toTheWest("app"))
	require.NoError(t, err)
	status, err := s.Client.Status(s.ctx, held.GraphID, "")
	require.NoError(t, err)
	require.Equal(t, "/deploy/move/"+held.GraphID+"/commit", status.Next[0].Path)
	done, err := s.Client.CommitMove(s.ctx, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, done.Success, "%+v", done.FailedOperation)
	require.Equal(t, chainSize, s.outside())
	var regions []string
	for _, thing := range s.read() {
		if thing.Region != "" {
			regions = append(regions, thing.Region)
		}
	}
	require.ElementsMatch(t, []string{"ap-south-1", "eu-west-1"}, regions)

	_, err = s.Client.Move(s.ctx, &rest.MoveRequest{GraphID: first.GraphID, Credentials: noCredentials(), FromRegion: "eu-west-1", ToRegion: "us-east-1"})
	require.ErrorIs(t, err, rest.KindConflict)
	_, err = s.Client.CommitMove(s.ctx, "nonsense", &rest.MoveEndRequest{})
	require.ErrorIs(t, err, rest.KindNotFound)
	answer := s.ask(http.MethodPost, "/deploy/move", []byte(`{"deployment_id":"app","from_region":"mars","to_region":"mars","what":1}`))
	require.Equal(t, http.StatusUnprocessableEntity, answer.status)
	require.Contains(t, string(answer.body), "/what")
}

// values are what things hold, by what they are.
func values(things []item) (all []string) {
	for _, thing := range things {
		all = append(all, thing.ID+" "+thing.Region+" "+thing.Value)
	}
	return all
}

const cloudService = `{
	"role": {"type": "aws:iam:role", "operation": "ensure", "properties": {"role_name": "runner", "assume_role_policy":
		{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
	"bucket": {"type": "aws:s3:bucket", "operation": "ensure", "properties": {"bucket_name": "code", "force_destroy": true}},
	"code": {"type": "aws:s3:object", "operation": "ensure", "references": {"bucket": "bucket"}, "properties": {"key": "code.zip", "content_type":
		"application/zip", "content": "PK, more or less"}},
	"api": {"type": "aws:lambda:function", "operation": "ensure", "properties": {"function_name": "api", "runtime": "python3.12", "handler": "main.run"},
		"references": {"role": "role", "code_bucket": "bucket", "code_key": "code"}},
	"arn": {"type": "github:secret:repo", "operation": "ensure", "properties": {"owner": "org", "repo": "repo", "secret_name": "ARN"},
		"references": {"value_from": "api.arn"}}}`

// TestAServiceMovesToAnotherRegion with the providers that people use: in the end the secret holds the new function's ARN, and
// what somebody else has put into the old bucket is still there.
func TestAServiceMovesToAnotherRegion(t *testing.T) {
	t.Parallel()
	moto := standin.RunMoto(t)
	fake := githubfake.New(githubfake.Options{})
	github := httptest.NewServer(fake)
	t.Cleanup(github.Close)
	require.NoError(t, fake.AddRepo(githubfake.Repo{Owner: "org", Name: "repo", Private: true}))
	fake.AddToken(githubfake.Token{Value: "ghp_token", Login: "org", Scopes: []string{"repo"}})
	s := start(t, func(o *rig.HostOptions) {
		o.Settings["aws"] = map[string]string{"endpoint": moto.URL}
		o.Settings["github"] = map[string]string{"endpoint": github.URL}
	})
	credentials := s.cloudCredentials()
	cfg := config(t, "app", cloudService)
	cfg.Credentials, cfg.Targets = credentials, []rest.Target{{Provider: "aws", Regions: []string{"us-east-1"}}}
	applied := s.apply(cfg)
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	require.Contains(t, fake.Secrets("org", "repo")[0].Value, ":us-east-1:")
	s.putObject(moto, "us-east-1")

	moved, err := s.Client.Move(s.ctx, &rest.MoveRequest{
		DeploymentID: "app", GraphID: applied.GraphID, Credentials: credentials, FromRegion: "us-east-1", ToRegion: "eu-west-1", DeleteAfterVerify: true,
	})
	require.NoError(t, err)
	require.True(t, moved.Success, "%+v", moved.FailedOperation)
	found, err := moto.ReadBack(s.ctx, "us-east-1", "eu-west-1")
	require.NoError(t, err)
	require.Len(t, found.Roles, 1, "what has no region stays")
	require.Len(t, found.Functions, 1)
	require.Equal(t, "eu-west-1", found.Functions[0].Region)
	require.Equal(t, found.Roles[0].ARN, found.Functions[0].Role)
	require.Len(t, fake.Secrets("org", "repo"), 1)
	require.Equal(t, found.Functions[0].ARN, fake.Secrets("org", "repo")[0].Value)

	require.Len(t, found.Buckets, 2)
	require.Len(t, moved.LeftOver, 1, "%+v", moved.LeftOver)
	require.Equal(t, "bucket", moved.LeftOver[0].ResourceID)
	for _, bucket := range found.Buckets {
		require.Len(t, bucket.Objects, 1)
		switch bucket.Region {
		case "us-east-1":
			require.Equal(t, moved.LeftOver[0].Name, bucket.Name)
			require.Equal(t, "somebody-elses", bucket.Objects[0].Key)
		default:
			require.True(t, strings.HasSuffix(bucket.Name, "-eu-west-1"), bucket.Name)
			require.Equal(t, "code.zip", bucket.Objects[0].Key)
		}
	}
	verified, err := s.Client.Verify(s.ctx, &rest.VerifyRequest{GraphID: moved.GraphID, Credentials: credentials})
	require.NoError(t, err)
	require.Equal(t, rest.RunCompleted, verified.Status)
	destroyed, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: credentials})
	require.NoError(t, err)
	require.True(t, destroyed.Success, "%+v", destroyed.FailedOperation)
	found, err = moto.ReadBack(s.ctx, "us-east-1", "eu-west-1")
	require.NoError(t, err)
	require.Empty(t, found.Buckets, "destroy does what force_destroy says, in both regions")
	require.Empty(t, found.Functions)
}

// cloudCredentials are sealed ones for both stand-ins.
func (s *site) cloudCredentials() rest.Credentials {
	seal := func(provider, value string) string {
		sealer, err := rig.NewSealer(s.ctx, s.Client, provider)
		require.NoError(s, err)
		box, err := sealer.Credential(value)
		require.NoError(s, err)
		return box
	}
	return rest.Credentials{
		"aws": encode(s.T, map[string]string{
			"access_key_id": "AKIAEXAMPLE", "encrypted_secret_access_key": seal("aws", "secret"), "region": "us-east-1",
		}),
		"github": encode(s.T, map[string]string{"encrypted_pat": seal("github", "ghp_token")}),
	}
}

// putObject puts something into the bucket of a region that no deployment names, as anybody could.
func (s *site) putObject(moto *standin.Moto, region string) {
	found, err := moto.ReadBack(s.ctx, region)
	require.NoError(s, err)
	for _, bucket := range found.Buckets {
		if bucket.Region != region {
			continue
		}
		request, err := http.NewRequestWithContext(s.ctx, http.MethodPut, moto.URL+"/"+bucket.Name+"/somebody-elses", strings.NewReader("precious"))
		require.NoError(s, err)
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/"+region+"/s3/aws4_request, SignedHeaders=host, Signature=0")
		response, err := http.DefaultClient.Do(request)
		require.NoError(s, err)
		require.NoError(s, response.Body.Close())
		require.Equal(s, http.StatusOK, response.StatusCode)
	}
}
