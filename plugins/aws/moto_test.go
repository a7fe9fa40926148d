package aws

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

// stage is the whole provider in this process, before a moto that a proxy can make misbehave.
type stage struct {
	moto     *standin.Moto
	proxy    *standin.Proxy
	provider *provider.Provider
	keys     *sealedbox.Ring
}

const secretKey = "canary-secret-access-key"

func newStage(t *testing.T) *stage {
	s := &stage{moto: standin.RunMoto(t)}
	s.proxy = standin.RunProxy(t, s.moto.URL)
	connections := pool()
	t.Cleanup(connections.CloseIdleConnections)
	var err error
	s.provider, err = build("1.0.0", provider.Transport(connections), wait)
	require.NoError(t, err)
	s.keys, err = sealedbox.Generate(time.Now())
	require.NoError(t, err)
	s.provider.Use(provider.Runtime{Keys: s.keys})
	t.Cleanup(s.provider.Close)
	return s
}

func (s *stage) context(t *testing.T, region string) contract.CallContext {
	t.Helper()
	box, err := sealedbox.Seal(s.keys.Primary().Key, sealedbox.Envelope{
		Audience: "tenant", Provider: "aws", Purpose: sealedbox.PurposeCredential, Value: secretKey,
	})
	require.NoError(t, err)
	return contract.CallContext{
		CallID: "call", IdempotencyKey: "key", Attempt: 1, WriteBy: time.Now().Add(time.Minute), Region: region,
		Tenant: "tenant", DeploymentID: "my-app", Owner: "owner-1",
		Settings:    document(t, Settings{Endpoint: s.proxy.URL}),
		Credentials: document(t, map[string]string{"access_key_id": "AKIATEST", "encrypted_secret_access_key": box}),
	}
}

func document(t *testing.T, value any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw
}

func (s *stage) execute(t *testing.T, verb contract.Verb, region string, target contract.Target) *contract.Result {
	t.Helper()
	result, _ := s.events(t, &contract.ExecuteRequest{Context: s.context(t, region), Target: target, Verb: verb})
	return result
}

// events executes and sees to it that no secret leaves.
func (s *stage) events(t *testing.T, request *contract.ExecuteRequest) (*contract.Result, []contract.Event) {
	t.Helper()
	var events []contract.Event
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	result, err := s.provider.Execute(ctx, request, func(event contract.Event) { events = append(events, event) })
	require.NoError(t, err)
	require.NotContains(t, string(document(t, result))+string(document(t, events)), secretKey)
	return result, events
}

func (s *stage) applied(t *testing.T, verb contract.Verb, change contract.Change, region string, target contract.Target) map[string]any {
	t.Helper()
	result := s.execute(t, verb, region, target)
	require.Equal(t, contract.OutcomeApplied, result.Outcome, "%s: %+v", verb, result.Diagnostics)
	require.Equal(t, change, result.Change, verb)
	var outputs map[string]any
	require.NoError(t, json.Unmarshal(result.Outputs, &outputs))
	return outputs
}

func (s *stage) find(t *testing.T, region string, target contract.Target) []contract.Found {
	t.Helper()
	var all []contract.Found
	end, err := s.provider.Find(t.Context(), &contract.FindRequest{Context: s.context(t, region), Target: target}, func(found contract.Found) {
		all = append(all, found)
	})
	require.NoError(t, err)
	require.Equal(t, contract.Complete, end.Completeness)
	return all
}

func (s *stage) verify(t *testing.T, region string, target contract.Target) map[string]contract.CheckStatus {
	t.Helper()
	result, err := s.provider.Verify(t.Context(), &contract.VerifyRequest{Context: s.context(t, region), Target: target})
	require.NoError(t, err)
	statuses := map[string]contract.CheckStatus{}
	for _, check := range result.Checks {
		statuses[check.Name] = check.Status
	}
	return statuses
}

func (s *stage) readBack(t *testing.T) *standin.AWS {
	t.Helper()
	found, err := s.moto.ReadBack(t.Context(), "us-east-1", "eu-west-1")
	require.NoError(t, err)
	return found
}

func target(t *testing.T, kind, name string, properties any) contract.Target {
	own := map[string]string{}
	for key, value := range labels {
		own[key] = value
	}
	own[contract.LabelResourceID] = strings.ReplaceAll(kind+"-"+name, ":", "-")
	return contract.Target{Type: kind, Name: name, Properties: document(t, properties), Labels: own, Tags: map[string]string{"team": "a"}}
}

// code is a zip that moto takes for a deployment package.
func code(t *testing.T, text string) string {
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	file, err := archive.Create("handler.py")
	require.NoError(t, err)
	_, err = file.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	return base64.StdEncoding.EncodeToString(buffer.Bytes())
}

func decoded(t *testing.T, content string) *bytes.Reader {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(content)
	require.NoError(t, err)
	return bytes.NewReader(raw)
}

func TestAgainstMoto(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a stand-in")
	}
	s := newStage(t)
	for name, test := range map[string]func(*testing.T, *stage){
		"role": lifeOfARole, "bucket and object": lifeOfABucket, "function": lifeOfAFunction,
		"credentials": credentialsAreChecked, "lost answers": lostAnswers, "late writes": lateWrites, "throttling": throttling,
		"others' things": othersThings, "undone roles": undoneRoles, "undone buckets": undoneBuckets, "undone functions": undoneFunctions,
		"a bucket left half made": bucketLeftHalfMade, "lies of moto": motosLies,
	} {
		t.Run(name, func(t *testing.T) {
			test(t, s)
			require.Zero(t, s.proxy.Pending(), "every fault was met")
		})
	}
}

// rests checks that a second ensure writes nothing.
func (s *stage) rests(t *testing.T, region string, target contract.Target, outputs map[string]any) {
	t.Helper()
	target.RecordedOutputs = document(t, outputs)
	again := s.applied(t, contract.VerbEnsure, contract.ChangeNone, region, target)
	require.Equal(t, outputs, again)
}

func allPass(t *testing.T, statuses map[string]contract.CheckStatus) {
	t.Helper()
	for name, status := range statuses {
		require.Equal(t, contract.CheckPass, status, name)
	}
}

func lifeOfARole(t *testing.T, s *stage) {
	properties := map[string]any{
		"role_name": "life", "assume_role_policy": json.RawMessage(trust), "managed_policies": []string{basic},
		"inline_policies": map[string]any{"logs": json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`)},
	}
	wanted := target(t, "aws:iam:role", "life", properties)
	require.Empty(t, s.find(t, "", wanted))
	outputs := s.applied(t, contract.VerbCreate, contract.ChangeCreated, "", wanted)
	require.Equal(t, "arn:aws:iam::123456789012:role/mgraph/my-app/life", outputs["arn"])
	s.rests(t, "", wanted, outputs)
	allPass(t, s.verify(t, "", wanted))

	repeated := s.execute(t, contract.VerbCreate, "", wanted)
	require.Equal(t, provider.AlreadyExists, repeated.Diagnostics[0].Kind)

	found := s.find(t, "", wanted)
	require.Len(t, found, 1)
	require.Equal(t, contract.OwnershipOurs, found[0].Ownership)
	nameless := wanted
	nameless.Name = ""
	require.Len(t, s.find(t, "", nameless), 1, "by path and labels")

	properties["managed_policies"], properties["description"] = []string{other}, "changed"
	delete(properties, "inline_policies")
	changed := target(t, "aws:iam:role", "life", properties)
	changed.RecordedOutputs = document(t, outputs)
	changed.Tags = nil
	s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "", changed)
	allPass(t, s.verify(t, "", changed))
	seen := roleNamed(s.readBack(t), "life")
	require.Equal(t, []string{other}, seen.AttachedPolicies)
	require.Empty(t, seen.InlinePolicies)
	require.Equal(t, "changed", seen.Description)
	require.NotContains(t, seen.Tags, "team")
	require.Equal(t, "my-app", seen.Tags[contract.LabelDeployID])

	s.applied(t, contract.VerbDelete, contract.ChangeDeleted, "", changed)
	s.applied(t, contract.VerbDelete, contract.ChangeNone, "", changed)
	require.Empty(t, s.find(t, "", changed))
	require.Equal(t, contract.CheckFail, s.verify(t, "", changed)["exists"])
}

func roleNamed(seen *standin.AWS, name string) *standin.Role {
	for i := range seen.Roles {
		if seen.Roles[i].Name == name {
			return &seen.Roles[i]
		}
	}
	return nil
}

func lifeOfABucket(t *testing.T, s *stage) {
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		name := "life-" + region
		bucket := target(t, "aws:s3:bucket", name, map[string]any{"bucket_name": "life", "versioning": true})
		outputs := s.applied(t, contract.VerbCreate, contract.ChangeCreated, region, bucket)
		require.Equal(t, name, outputs["bucket_name"])
		s.rests(t, region, bucket, outputs)
		allPass(t, s.verify(t, region, bucket))
		nameless := bucket
		nameless.Name = ""
		require.Len(t, s.find(t, region, nameless), 1, "by what the caller wrote, and labels, in its region only")

		properties := map[string]any{"bucket": name, "key": "a/b c.txt", "content": "one", "metadata": map[string]string{"a": "b"}}
		object := target(t, "aws:s3:object", "a/b c.txt", properties)
		put := s.applied(t, contract.VerbEnsure, contract.ChangeCreated, region, object)
		require.Equal(t, sum, put["sha256"])
		require.NotEmpty(t, put["version_id"])
		s.rests(t, region, object, put)
		allPass(t, s.verify(t, region, object))
		properties["content"] = "two"
		object = target(t, "aws:s3:object", "a/b c.txt", properties)
		require.Equal(t, contract.CheckFail, s.verify(t, region, object)["content"])
		s.applied(t, contract.VerbUpdate, contract.ChangeUpdated, region, object)

		full := s.execute(t, contract.VerbDelete, region, bucket)
		require.Equal(t, provider.Precondition, full.Diagnostics[0].Kind)
		require.Equal(t, "/force_destroy", full.Diagnostics[0].Pointer)

		s.applied(t, contract.VerbDelete, contract.ChangeDeleted, region, object)
		require.Empty(t, s.find(t, region, object))
		bucket = target(t, "aws:s3:bucket", name, map[string]any{"bucket_name": "life", "force_destroy": true})
		s.applied(t, contract.VerbDelete, contract.ChangeDeleted, region, bucket)
		require.Empty(t, s.find(t, region, bucket))
		s.applied(t, contract.VerbDelete, contract.ChangeNone, region, object)
	}
}

// codeAndRole puts a role, a bucket and an object with code where a function can use them.
func codeAndRole(t *testing.T, s *stage, name, text string) (role, bucket string) {
	t.Helper()
	made := s.applied(t, contract.VerbEnsure, contract.ChangeCreated, "", target(t, "aws:iam:role", name, map[string]any{
		"role_name": name, "assume_role_policy": json.RawMessage(trust), "path": "/",
	}))
	bucket = "code-" + name
	s.applied(t, contract.VerbEnsure, contract.ChangeCreated, "eu-west-1", target(t, "aws:s3:bucket", bucket, map[string]any{"bucket_name": "code"}))
	s.applied(t, contract.VerbEnsure, contract.ChangeCreated, "eu-west-1", target(t, "aws:s3:object", "code.zip", map[string]any{
		"bucket": bucket, "key": "code.zip", "content_base64": code(t, text),
	}))
	return made["arn"].(string), bucket
}

func lifeOfAFunction(t *testing.T, s *stage) {
	role, bucket := codeAndRole(t, s, "fn", "one")
	properties := map[string]any{
		"function_name": "life", "runtime": "python3.12", "handler": "handler.run", "role": role, "code_s3_bucket": bucket,
		"code_s3_key": "code.zip", "memory_size": 256, "timeout": 30, "environment": map[string]string{"A": "1"},
	}
	function := target(t, "aws:lambda:function", "life", properties)
	outputs := s.applied(t, contract.VerbCreate, contract.ChangeCreated, "eu-west-1", function)
	require.Equal(t, "arn:aws:lambda:eu-west-1:123456789012:function:life", outputs["arn"])
	s.rests(t, "eu-west-1", function, outputs)
	allPass(t, s.verify(t, "eu-west-1", function))
	require.Empty(t, s.find(t, "us-east-1", function), "a place is one region")

	properties["memory_size"], properties["environment"] = 512, map[string]string{}
	function = target(t, "aws:lambda:function", "life", properties)
	function.RecordedOutputs = document(t, outputs)
	s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "eu-west-1", function)
	s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "eu-west-1", target(t, "aws:s3:object", "code.zip", map[string]any{
		"bucket": bucket, "key": "code.zip", "content_base64": code(t, "two"),
	}))
	require.Equal(t, contract.CheckFail, s.verify(t, "eu-west-1", function)["code"])
	renewed := s.applied(t, contract.VerbEnsure, contract.ChangeUpdated, "eu-west-1", function)
	require.NotEqual(t, outputs["code_sha256"], renewed["code_sha256"])
	s.rests(t, "eu-west-1", function, renewed)
	allPass(t, s.verify(t, "eu-west-1", function))
	seen := functionNamed(s.readBack(t), "life")
	require.Equal(t, 512, seen.MemorySize)
	require.Empty(t, seen.Environment)
	require.Equal(t, "1111aaaa", seen.Tags[contract.LabelNodeID])
	require.Equal(t, "a", seen.Tags["team"])

	properties["code_s3_key"] = "absent.zip"
	absentCode := s.execute(t, contract.VerbUpdate, "eu-west-1", target(t, "aws:lambda:function", "life", properties))
	require.Equal(t, "/code_s3_key", absentCode.Diagnostics[0].Pointer)
	require.Equal(t, contract.OutcomeNotApplied, absentCode.Outcome)

	s.applied(t, contract.VerbDelete, contract.ChangeDeleted, "eu-west-1", function)
	s.applied(t, contract.VerbDelete, contract.ChangeNone, "eu-west-1", function)
}

func functionNamed(seen *standin.AWS, name string) *standin.Function {
	for i := range seen.Functions {
		if seen.Functions[i].Name == name {
			return &seen.Functions[i]
		}
	}
	return nil
}

func credentialsAreChecked(t *testing.T, s *stage) {
	about := s.context(t, "us-east-1")
	result, err := s.provider.CheckCredentials(t.Context(), &contract.CheckCredentialsRequest{Context: about, Identify: true})
	require.NoError(t, err)
	require.Empty(t, result.Diagnostics)
	require.Equal(t, "123456789012", result.Account)
	require.NotEmpty(t, result.Principal)

	var credentials map[string]string
	require.NoError(t, json.Unmarshal(about.Credentials, &credentials))
	credentials["account_id"] = "999999999999"
	about.Credentials = document(t, credentials)
	result, err = s.provider.CheckCredentials(t.Context(), &contract.CheckCredentialsRequest{Context: about, Identify: true})
	require.NoError(t, err)
	require.Len(t, result.Diagnostics, 1)
	require.Equal(t, "/account_id", result.Diagnostics[0].Pointer)

	credentials["encrypted_secret_access_key"] = "bm8gYm94"
	about.Credentials = document(t, credentials)
	result, err = s.provider.CheckCredentials(t.Context(), &contract.CheckCredentialsRequest{Context: about, Identify: true})
	require.NoError(t, err)
	require.Equal(t, provider.DecryptionFailed, result.Diagnostics[0].Kind)
	require.Equal(t, "/encrypted_secret_access_key", result.Diagnostics[0].Pointer)
}

// lostAnswers loses the answer of the call that creates, for each type: the outcome is unknown, the thing is found again, and
// finished once.
func lostAnswers(t *testing.T, s *stage) {
	role, bucket := codeAndRole(t, s, "lost", "one")
	for _, test := range []struct {
		region string
		target contract.Target
		rule   fault.Rule
	}{
		{"", target(t, "aws:iam:role", "lost-role", map[string]any{
			"role_name": "lost-role", "assume_role_policy": json.RawMessage(trust), "managed_policies": []string{basic},
		}), fault.Rule{Method: http.MethodPost, Match: fault.FormAction("CreateRole")}},
		{"eu-west-1", target(t, "aws:s3:bucket", "lost-bucket", map[string]any{"bucket_name": "lost"}),
			fault.Rule{Method: http.MethodPut, Path: "/lost-bucket"}},
		{"eu-west-1", target(t, "aws:s3:object", "lost.txt", map[string]any{"bucket": bucket, "key": "lost.txt", "content": "x"}),
			fault.Rule{Method: http.MethodPut, Path: "/" + bucket + "/lost.txt"}},
		{"eu-west-1", target(t, "aws:lambda:function", "lost", map[string]any{
			"function_name": "lost", "runtime": "python3.12", "handler": "h.r", "role": role, "code_s3_bucket": bucket, "code_s3_key": "code.zip",
		}), fault.Rule{Method: http.MethodPost, Path: "/2015-03-31/functions"}},
	} {
		t.Run(test.target.Type, func(t *testing.T) {
			test.rule.Kind, test.rule.Count = fault.Drop, 1
			require.NoError(t, s.proxy.Inject(test.rule))
			result := s.execute(t, contract.VerbCreate, test.region, test.target)
			require.Equal(t, contract.OutcomeUnknown, result.Outcome)
			require.Equal(t, provider.Network, result.Diagnostics[0].Kind)

			found := s.find(t, test.region, test.target)
			require.Len(t, found, 1)
			finished, _ := s.events(t, &contract.ExecuteRequest{
				Context: s.context(t, test.region), Target: test.target, Verb: contract.VerbCreate,
				Existing: &found[0], PriorOutcome: contract.OutcomeUnknown,
			})
			require.Equal(t, contract.OutcomeApplied, finished.Outcome, "%+v", finished.Diagnostics)
			allPass(t, s.verify(t, test.region, test.target))
			owned := s.find(t, test.region, test.target)
			require.Equal(t, contract.OwnershipOurs, owned[0].Ownership)
		})
	}
}

// lateWrites starts nothing once write_by has passed.
func lateWrites(t *testing.T, s *stage) {
	late := target(t, "aws:s3:bucket", "late-bucket", map[string]any{"bucket_name": "late"})
	about := s.context(t, "us-east-1")
	about.WriteBy = time.Now().Add(-time.Second)
	result, _ := s.events(t, &contract.ExecuteRequest{Context: about, Target: late, Verb: contract.VerbCreate})
	require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
	require.Equal(t, provider.Deadline, result.Diagnostics[0].Kind)
	require.Empty(t, s.find(t, "us-east-1", late))
}

func throttling(t *testing.T, s *stage) {
	wanted := target(t, "aws:iam:role", "busy", map[string]any{"role_name": "busy", "assume_role_policy": json.RawMessage(trust)})
	require.NoError(t, s.proxy.Inject(fault.Rule{
		Kind: fault.Fail, Match: fault.FormAction("CreateRole"), Count: 1, Status: http.StatusServiceUnavailable, RetryAfter: 3 * time.Second,
		Body: `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
	}))
	result, events := s.events(t, &contract.ExecuteRequest{Context: s.context(t, ""), Target: wanted, Verb: contract.VerbCreate})
	require.Equal(t, provider.Throttled, result.Diagnostics[0].Kind)
	require.Equal(t, 3*time.Second, result.Diagnostics[0].RetryAfter)
	require.Equal(t, "r-1", result.VendorRequestID)
	require.NotNil(t, events[len(events)-1].Throttle)
	require.Empty(t, s.find(t, "", wanted))
}

func othersThings(t *testing.T, s *stage) {
	mine := target(t, "aws:s3:bucket", "contested", map[string]any{"bucket_name": "contested"})
	s.applied(t, contract.VerbEnsure, contract.ChangeCreated, "us-east-1", mine)
	theirs := mine
	theirs.Labels = map[string]string{contract.LabelOwner: "owner-2", contract.LabelDeployID: "x", contract.LabelResourceID: "y"}
	for _, verb := range []contract.Verb{contract.VerbCreate, contract.VerbUpdate, contract.VerbEnsure, contract.VerbDelete} {
		result := s.execute(t, verb, "us-east-1", theirs)
		require.NotEqual(t, contract.OutcomeApplied, result.Outcome, verb)
	}
	require.Equal(t, contract.OwnershipOurs, s.find(t, "us-east-1", mine)[0].Ownership)
	taken := s.execute(t, contract.VerbCreate, "eu-west-1", mine)
	require.Equal(t, provider.AlreadyExists, taken.Diagnostics[0].Kind)
	require.Equal(t, "/bucket_name", taken.Diagnostics[0].Pointer)
}

// bucketLeftHalfMade is what a kill between CreateBucket and the repair of its labels leaves at moto: a bucket that is nobody's.
func bucketLeftHalfMade(t *testing.T, s *stage) {
	half := target(t, "aws:s3:bucket", "half-made", map[string]any{"bucket_name": "half"})
	client := dial(t, s.moto.URL, "us-east-1")
	_, err := client.buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: sdk.String("half-made")})
	require.NoError(t, err)
	found := s.find(t, "us-east-1", half)
	require.Equal(t, contract.OwnershipNobody, found[0].Ownership)
	refused := s.execute(t, contract.VerbEnsure, "us-east-1", half)
	require.Equal(t, provider.Conflict, refused.Diagnostics[0].Kind, "nobody's is not taken on sight")
	finished, _ := s.events(t, &contract.ExecuteRequest{
		Context: s.context(t, "us-east-1"), Target: half, Verb: contract.VerbCreate, Existing: &found[0],
		PriorOutcome: contract.OutcomeUnknown,
	})
	require.Equal(t, contract.OutcomeApplied, finished.Outcome)
	require.Equal(t, contract.OwnershipOurs, s.find(t, "us-east-1", half)[0].Ownership)
}
