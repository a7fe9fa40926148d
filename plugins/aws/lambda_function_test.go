package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// fakeLambda holds one function.
type fakeLambda struct {
	functionAPI
	function *types.FunctionConfiguration
	tags     map[string]string
	writes   []string
	refuse   []error // what the next writes are answered with
	busy     int     // how many reads still see the last change under way
	deny     bool    // the tags
}

func (f *fakeLambda) next(what string) error {
	if len(f.refuse) > 0 {
		err := f.refuse[0]
		f.refuse = f.refuse[1:]
		return err
	}
	f.writes = append(f.writes, what)
	return nil
}

func (f *fakeLambda) CreateFunction(_ context.Context, in *lambda.CreateFunctionInput, _ ...func(*lambda.Options)) (*lambda.CreateFunctionOutput, error) {
	if err := f.next("CreateFunction"); err != nil {
		return nil, err
	}
	f.tags = in.Tags
	f.function = &types.FunctionConfiguration{
		FunctionName: in.FunctionName, FunctionArn: sdk.String("arn:aws:lambda:us-east-1:123456789012:function:" + *in.FunctionName),
		Runtime: in.Runtime, Handler: in.Handler, Role: in.Role, Description: in.Description, MemorySize: in.MemorySize,
		Timeout: in.Timeout, Architectures: in.Architectures, Version: sdk.String("$LATEST"), CodeSha256: sdk.String("Y29kZQ=="),
		State: types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful,
	}
	if in.Environment != nil {
		f.function.Environment = &types.EnvironmentResponse{Variables: in.Environment.Variables}
	}
	return &lambda.CreateFunctionOutput{FunctionArn: f.function.FunctionArn}, nil
}

func (f *fakeLambda) GetFunction(context.Context, *lambda.GetFunctionInput, ...func(*lambda.Options)) (*lambda.GetFunctionOutput, error) {
	if f.function == nil {
		return nil, refusedWith("ResourceNotFoundException")
	}
	seen := *f.function
	if f.busy > 0 {
		f.busy--
		seen.State = types.StatePending
	}
	out := &lambda.GetFunctionOutput{Configuration: &seen, Tags: f.tags}
	if f.deny {
		out.Tags, out.TagsError = nil, &types.TagsError{ErrorCode: sdk.String("AccessDeniedException")}
	}
	return out, nil
}

func (f *fakeLambda) UpdateFunctionConfiguration(_ context.Context, in *lambda.UpdateFunctionConfigurationInput, _ ...func(*lambda.Options)) (*lambda.UpdateFunctionConfigurationOutput, error) {
	if err := f.next("UpdateFunctionConfiguration"); err != nil {
		return nil, err
	}
	f.function.Runtime, f.function.Handler, f.function.Role = in.Runtime, in.Handler, in.Role
	f.function.MemorySize, f.function.Timeout, f.function.Description = in.MemorySize, in.Timeout, in.Description
	f.function.Environment = &types.EnvironmentResponse{Variables: in.Environment.Variables}
	f.function.LastUpdateStatus, f.function.Layers = types.LastUpdateStatusSuccessful, nil
	for _, layer := range in.Layers {
		f.function.Layers = append(f.function.Layers, types.Layer{Arn: sdk.String(layer)})
	}
	return &lambda.UpdateFunctionConfigurationOutput{}, nil
}

func (f *fakeLambda) UpdateFunctionCode(_ context.Context, in *lambda.UpdateFunctionCodeInput, _ ...func(*lambda.Options)) (*lambda.UpdateFunctionCodeOutput, error) {
	if err := f.next("UpdateFunctionCode"); err != nil {
		return nil, err
	}
	f.function.CodeSha256, f.function.Architectures = sdk.String("bmV3"), in.Architectures
	return &lambda.UpdateFunctionCodeOutput{}, nil
}

func (f *fakeLambda) TagResource(_ context.Context, in *lambda.TagResourceInput, _ ...func(*lambda.Options)) (*lambda.TagResourceOutput, error) {
	f.writes = append(f.writes, "TagResource")
	for key, value := range in.Tags {
		f.tags[key] = value
	}
	return &lambda.TagResourceOutput{}, nil
}

func (f *fakeLambda) DeleteFunction(context.Context, *lambda.DeleteFunctionInput, ...func(*lambda.Options)) (*lambda.DeleteFunctionOutput, error) {
	if f.function == nil {
		return nil, refusedWith("ResourceNotFoundException")
	}
	f.function = nil
	return &lambda.DeleteFunctionOutput{}, nil
}

// fakeCode is the object that the code comes from.
type fakeCode struct {
	objectAPI
	etag, sha256 string
	err          error
}

func (f *fakeCode) HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	head := &s3.HeadObjectOutput{ETag: sdk.String(f.etag)}
	if f.sha256 != "" {
		head.Metadata = map[string]string{shaMetadata: f.sha256}
	}
	return head, nil
}

func function() Function {
	return Function{Role: "arn:aws:iam::123456789012:role/r", FunctionSettings: FunctionSettings{
		FunctionName: "api", Runtime: "python3.12", Handler: "handler.run", CodeS3Bucket: "code", CodeS3Key: "code.zip",
	}}
}

func functionOperation(properties Function, outputs string) provider.Operation[Function] {
	return provider.Operation[Function]{
		Verb: contract.VerbEnsure, Name: "api", Properties: properties, Labels: labels, RecordedOutputs: json.RawMessage(outputs),
	}
}

// bench is a function, its code, and waits that take no time.
type bench struct {
	lambda fakeLambda
	code   fakeCode
	waits  pauses
}

func (b *bench) client() *Client {
	return &Client{lambda: &b.lambda, objects: &b.code, wait: b.waits.wait}
}

func (b *bench) create(t *testing.T, properties Function) (provider.Outputs, *provider.Trial, error) {
	ctx, op, trial := provider.NewOperation(t.Context(), provider.Runtime{}, functionOperation(properties, ""))
	outputs, err := functions{}.Create(ctx, b.client(), op)
	return outputs, trial, err
}

func (b *bench) update(t *testing.T, properties Function, recorded provider.Outputs) (provider.Outputs, error) {
	raw, err := json.Marshal(recorded)
	require.NoError(t, err)
	filled := functionOperation(properties, string(raw))
	filled.Existing = existing("api")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	b.lambda.writes = nil
	return functions{}.Update(ctx, b.client(), op)
}

var notYet = refusedWithMessage("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")

func TestAFunctionWaitsForItsRoleAndUntilItIsActive(t *testing.T) {
	b := &bench{lambda: fakeLambda{refuse: []error{notYet, notYet}, busy: 2}, code: fakeCode{etag: `"e1"`}}
	outputs, trial, err := b.create(t, function())
	require.NoError(t, err)
	require.Equal(t, []string{"CreateFunction"}, b.lambda.writes)
	require.Equal(t, []time.Duration{1e9, 2e9, 1e9, 2e9}, b.waits.all)
	require.Equal(t, "arn:aws:lambda:us-east-1:123456789012:function:api", outputs["arn"])
	require.Equal(t, []string{"arn:aws:lambda:us-east-1:123456789012:function:api"}, trial.Recorded().Made)
	require.Equal(t, labels, b.lambda.tags)
	said := trial.Recorded().Progress
	require.Contains(t, said[0].Message, "assume")
	require.Contains(t, said[len(said)-1].Message, "finish")
}

func TestARoleThatLambdaMayNotAssumeIsTheCallersMistake(t *testing.T) {
	b := &bench{}
	for range 100 {
		b.lambda.refuse = append(b.lambda.refuse, notYet)
	}
	_, trial, err := b.create(t, function())
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, provider.InvalidInput, known.Kind)
	require.Equal(t, "/role", known.Pointer)
	require.LessOrEqual(t, b.waits.total(), assumable.total)
	require.Equal(t, contract.OutcomeNotApplied, trial.Outcome(err))
}

func TestOtherRefusalsAreNotWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		refusal error
		kind    provider.Kind
		pointer string
	}{
		"name taken":    {answered(http.StatusConflict, "ResourceConflictException", "Function already exist: api", nil), provider.AlreadyExists, "/function_name"},
		"no code":       {refusedWithMessage("InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."), provider.InvalidInput, "/code_s3_key"},
		"unknown cause": {refusedWithMessage("InvalidParameterValueException", "something new"), provider.InvalidInput, ""},
		"bad runtime":   {refusedWithMessage("InvalidParameterValueException", "Value x at 'runtime' failed to satisfy constraint"), provider.InvalidInput, "/runtime"},
		"no permission": {answered(http.StatusForbidden, "AccessDeniedException", "", nil), provider.PermissionDenied, ""},
		"not the cause": {refusedWithMessage("ServiceException", "cannot be assumed by Lambda"), provider.RemoteError, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{lambda: fakeLambda{refuse: []error{test.refusal}}}
			_, _, err := b.create(t, function())
			var known *provider.Error
			require.ErrorAs(t, err, &known)
			require.Equal(t, test.kind, known.Kind)
			require.Equal(t, test.pointer, known.Pointer)
			require.Empty(t, b.waits.all)
		})
	}
}

func TestAFunctionThatCannotBecomeActiveIsAFailure(t *testing.T) {
	b := &bench{lambda: fakeLambda{function: &types.FunctionConfiguration{
		State: types.StateFailed, StateReasonCode: types.StateReasonCodeInvalidConfiguration, StateReason: sdk.String("why"),
	}}}
	filled := functionOperation(function(), "")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	_, err := awaitReady(ctx, b.client(), op, "api")
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, provider.Precondition, known.Kind)
	require.Equal(t, "InvalidConfiguration", known.VendorCode)
}

func TestAFunctionThatNeverFinishesIsNotReady(t *testing.T) {
	b := &bench{lambda: fakeLambda{busy: 1 << 20}}
	_, trial, err := b.create(t, function())
	require.Equal(t, provider.NotReady, contract.KindOf(err))
	require.LessOrEqual(t, b.waits.total(), settling.total)
	require.Equal(t, contract.OutcomePartial, trial.Outcome(err))
}

func TestAnUpdateWritesWhatDiffersOnly(t *testing.T) {
	b := &bench{code: fakeCode{etag: `"e1"`}}
	wanted := function()
	wanted.Environment = map[string]string{"A": "1"}
	made, _, err := b.create(t, wanted)
	require.NoError(t, err)

	same, err := b.update(t, wanted, made)
	require.NoError(t, err)
	require.Empty(t, b.lambda.writes)
	require.Equal(t, made, same)

	bigger := wanted
	bigger.MemorySize, bigger.Environment, bigger.Layers = 512, nil, []string{"arn:layer:1"}
	_, err = b.update(t, bigger, made)
	require.NoError(t, err)
	require.Equal(t, []string{"UpdateFunctionConfiguration"}, b.lambda.writes)
	require.Empty(t, b.lambda.function.Environment.Variables)

	b.code.etag = `"e2"`
	renewed, err := b.update(t, bigger, made)
	require.NoError(t, err)
	require.Equal(t, []string{"UpdateFunctionCode"}, b.lambda.writes)
	require.Equal(t, "bmV3", renewed["code_sha256"])

	bigger.Architectures = []string{"arm64"}
	_, err = b.update(t, bigger, renewed)
	require.NoError(t, err)
	require.Equal(t, []string{"UpdateFunctionCode"}, b.lambda.writes)

	delete(b.lambda.tags, contract.LabelGraphID)
	_, err = b.update(t, bigger, renewed)
	require.NoError(t, err)
	require.Empty(t, b.lambda.writes, "what only informs is no reason to write")

	delete(b.lambda.tags, contract.LabelOwner)
	_, err = b.update(t, bigger, renewed)
	require.NoError(t, err)
	require.Equal(t, []string{"TagResource"}, b.lambda.writes)
}

func TestCodeIsComparedByWhatIsKnown(t *testing.T) {
	live := &types.FunctionConfiguration{CodeSha256: sdk.String("Y29kZQ==")}
	from := source{bucket: "b", key: "k", etag: "e"}
	record := func(source, sha string) json.RawMessage {
		raw, _ := json.Marshal(map[string]string{"code_source": source, "code_sha256": sha})
		return raw
	}
	for name, test := range map[string]struct {
		source   source
		recorded json.RawMessage
		deployed bool
	}{
		"same hash":                   {source{etag: "e", sha256: "Y29kZQ=="}, nil, true},
		"another hash":                {source{etag: "e", sha256: "eA=="}, record("", "Y29kZQ=="), false},
		"same object":                 {from, record(from.String(), "Y29kZQ=="), true},
		"same object, code set since": {from, record(from.String(), "eA=="), false},
		"another object":              {from, record("s3://b/other?etag=e&version=", "Y29kZQ=="), false},
		"nothing recorded":            {from, nil, false},
		"object that may not be read": {source{bucket: "b", key: "k"}, record("", "Y29kZQ=="), false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.deployed, test.source.deployed(test.recorded, live))
		})
	}
}

func TestTheCodesObjectIsLookedAtFirst(t *testing.T) {
	b := &bench{code: fakeCode{err: answered(http.StatusNotFound, "NotFound", "", nil)}}
	_, trial, err := b.create(t, function())
	require.Equal(t, provider.InvalidInput, contract.KindOf(err))
	require.Equal(t, contract.OutcomeNotApplied, trial.Outcome(err))
	require.Empty(t, b.lambda.writes)

	b = &bench{code: fakeCode{err: answered(http.StatusForbidden, "Forbidden", "", nil)}}
	outputs, _, err := b.create(t, function())
	require.NoError(t, err, "Lambda may read what these credentials may not")
	require.Empty(t, outputs["code_source"])

	b = &bench{code: fakeCode{err: answered(http.StatusMovedPermanently, "", "", http.Header{"X-Amz-Bucket-Region": []string{"eu-west-1"}})}}
	_, _, err = b.create(t, function())
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, "/code_s3_bucket", known.Pointer)

	sum := []byte("01234567890123456789012345678901")
	b = &bench{code: fakeCode{etag: "e", sha256: "3031323334353637383930313233343536373839303132333435363738393031"}}
	code, err := readSource(t.Context(), b.client(), function())
	require.NoError(t, err)
	require.Equal(t, base64.StdEncoding.EncodeToString(sum), code.sha256)
}

func TestASecondChangeMeanwhileIsAConflict(t *testing.T) {
	b := &bench{}
	made, _, err := b.create(t, function())
	require.NoError(t, err)
	b.lambda.refuse = []error{answered(http.StatusConflict, "ResourceConflictException", "update is in progress", nil)}
	wanted := function()
	wanted.Timeout = 30
	_, err = b.update(t, wanted, made)
	var known *provider.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, provider.Conflict, known.Kind)
	require.Equal(t, contract.RetryAfterDelay, known.Retry)
	require.Positive(t, known.RetryAfter)
}

func TestAFailedLastUpdateIsMadeAgain(t *testing.T) {
	b := &bench{code: fakeCode{etag: "e"}}
	made, _, err := b.create(t, function())
	require.NoError(t, err)
	b.lambda.function.LastUpdateStatus = types.LastUpdateStatusFailed
	_, err = b.update(t, function(), made)
	require.NoError(t, err)
	require.Equal(t, []string{"UpdateFunctionConfiguration"}, b.lambda.writes)
}

func TestAFunctionIsFoundOnlyWithItsTags(t *testing.T) {
	b := &bench{}
	_, _, err := b.create(t, function())
	require.NoError(t, err)
	find := func() (all []provider.Found, err error) {
		err = functions{}.Find(t.Context(), b.client(), &provider.Query[Function]{Name: "api"}, func(found provider.Found) error {
			all = append(all, found)
			return nil
		})
		return all, err
	}
	all, err := find()
	require.NoError(t, err)
	require.Equal(t, labels, all[0].Labels)
	require.True(t, all[0].Ready)

	b.lambda.deny = true
	_, err = find()
	require.Equal(t, provider.PermissionDenied, contract.KindOf(err))

	b.lambda.deny, b.lambda.function = false, nil
	all, err = find()
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestVerifyOfAFunctionShowsNoEnvironmentValues(t *testing.T) {
	b := &bench{code: fakeCode{etag: "e"}}
	wanted := function()
	wanted.Environment = map[string]string{"A": "canary-1"}
	_, _, err := b.create(t, wanted)
	require.NoError(t, err)
	b.lambda.function.Environment.Variables = map[string]string{"A": "canary-2", "B": "canary-3"}
	filled := functionOperation(wanted, "")
	filled.Existing = existing("api")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	checks, err := functions{}.Verify(ctx, b.client(), op)
	require.NoError(t, err)
	statuses := map[string]contract.CheckStatus{}
	for _, check := range checks {
		statuses[check.Name] = check.Status
		require.NotContains(t, check.Expected+check.Actual+check.Message, "canary")
	}
	require.Equal(t, contract.CheckFail, statuses["environment"])
	require.Equal(t, contract.CheckUnknown, statuses["code"], "nothing tells whether the code is this one")
	require.Equal(t, contract.CheckPass, statuses["runtime"])
}

func TestDeletingAFunctionTwiceIsASuccess(t *testing.T) {
	b := &bench{}
	filled := functionOperation(function(), "")
	filled.Existing = existing("api")
	ctx, op, _ := provider.NewOperation(t.Context(), provider.Runtime{}, filled)
	_, err := functions{}.Delete(ctx, b.client(), op)
	require.NoError(t, err)
}
