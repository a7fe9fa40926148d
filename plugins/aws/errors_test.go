package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// answered is an error as the AWS SDK makes it of an answer.
func answered(status int, code, message string, header http.Header) error {
	if header == nil {
		header = http.Header{}
	}
	response := &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: header}}
	return &smithy.OperationError{ServiceID: "IAM", OperationName: "CreateRole", Err: &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{Response: response, Err: &smithy.GenericAPIError{Code: code, Message: message}},
		RequestID:     "request-1",
	}}
}

// refusedWith is an answer whose status hardly matters.
func refusedWith(code string) error { return answered(http.StatusBadRequest, code, "", nil) }

func unsent(cause error) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "PutObject", Err: &smithyhttp.RequestSendError{
		Err: &url.Error{Op: "Put", URL: "https://example.com", Err: cause},
	}}
}

func TestEveryErrorHasItsKind(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		kind provider.Kind
	}{
		"code of IAM":              {refusedWith("EntityAlreadyExists"), provider.AlreadyExists},
		"missing thing":            {refusedWith("NoSuchEntity"), provider.NotFound},
		"expired":                  {refusedWith("ExpiredTokenException"), provider.CredentialsExpired},
		"wrong key":                {answered(403, "InvalidClientTokenId", "", nil), provider.Unauthenticated},
		"wrong signature":          {answered(403, "SignatureDoesNotMatch", "", nil), provider.Unauthenticated},
		"not allowed":              {answered(403, "AccessDenied", "", nil), provider.PermissionDenied},
		"throttled by code":        {answered(400, "Throttling", "", nil), provider.Throttled},
		"throttled as a 503":       {answered(503, "SlowDown", "", nil), provider.Throttled},
		"throttled by status":      {answered(429, "SomethingNew", "", nil), provider.Throttled},
		"limit":                    {answered(409, "LimitExceeded", "", nil), provider.QuotaExceeded},
		"function busy":            {answered(409, "ResourceConflictException", "", nil), provider.Conflict},
		"condition not met":        {answered(412, "PreconditionFailed", "", nil), provider.Conflict},
		"bucket not empty":         {answered(409, "BucketNotEmpty", "", nil), provider.Precondition},
		"vendor down":              {answered(500, "InternalError", "", nil), provider.RemoteError},
		"unknown 4xx":              {refusedWith("BrandNew"), provider.InvalidInput},
		"unknown 5xx":              {answered(502, "BrandNew", "", nil), provider.RemoteError},
		"HEAD without a code":      {answered(404, "", "", nil), provider.NotFound},
		"HEAD forbidden":           {answered(403, "", "", nil), provider.PermissionDenied},
		"connection refused":       {unsent(&net.OpError{Op: "dial", Err: errors.New("refused")}), provider.Network},
		"cancelled":                {&smithy.OperationError{Err: &smithy.CanceledError{Err: context.Canceled}}, provider.Cancelled},
		"out of time":              {unsent(context.DeadlineExceeded), provider.Deadline},
		"refused by the AWS SDK":   {&smithy.OperationError{Err: smithy.InvalidParamsError{Context: "x"}}, provider.InvalidInput},
		"answer that is no answer": {&smithy.OperationError{Err: &smithy.DeserializationError{Err: errors.New("bad XML")}}, provider.RemoteError},
		"one of ours":              {unsent(provider.Errorf(provider.Deadline, "too late")), provider.Deadline},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.kind, contract.KindOf(classify(test.err)))
		})
	}
	require.NoError(t, classify(nil))
}

func TestAnErrorCarriesWhatTheVendorSaid(t *testing.T) {
	var known *provider.Error
	require.ErrorAs(t, classify(answered(403, "AccessDenied", "not authorized to perform iam:CreateRole", nil)), &known)
	require.Equal(t, "AccessDenied", known.VendorCode)
	require.Equal(t, "request-1", known.VendorRequestID)
	require.Contains(t, known.Summary, "CreateRole")
	require.Contains(t, known.Detail, "iam:CreateRole")
}

func TestAnErrorSaysWhatIsKnown(t *testing.T) {
	for wanted, err := range map[string]error{
		"AWS refused CreateRole with AccessDenied":                answered(403, "AccessDenied", "", nil),
		"AWS refused CreateRole with status 502 and no code":      answered(502, "", "", nil),
		"AWS's answer to CreateRole could not be read to its end": answered(200, "", "", nil),
		"PutObject had no answer from AWS":                        unsent(context.DeadlineExceeded),
	} {
		require.Equal(t, wanted, contract.DiagnosticOf(classify(err)).Summary)
	}
}

func TestARejectedValueIsNotRepeated(t *testing.T) {
	const canary = "canary-5f1d"
	for _, code := range []string{"ValidationError", "InvalidParameterValueException", "SignatureDoesNotMatch", "BrandNew"} {
		var known *provider.Error
		require.ErrorAs(t, classify(refusedWithMessage(code, "Value '"+canary+"' at 'environment' is bad")), &known)
		require.NotContains(t, known.Summary+known.Detail+known.Error()+known.Cause.Error(), canary, code)
		require.Equal(t, code, codeOf(known), "the code must still be found behind it")
	}
}

func refusedWithMessage(code, message string) error { return answered(400, code, message, nil) }

func TestThrottlingSaysHowLong(t *testing.T) {
	var known *provider.Error
	header := http.Header{"Retry-After": []string{"7"}}
	require.ErrorAs(t, classify(answered(429, "TooManyRequestsException", "Rate exceeded", header)), &known)
	require.Equal(t, 7*time.Second, known.RetryAfter)
	require.Equal(t, contract.RetryAfterDelay, known.Retry)
}

func TestAnErrorCanPointAndChangeKind(t *testing.T) {
	var known *provider.Error
	require.ErrorAs(t, as(provider.InvalidInput, "/managed_policies", refusedWith("NoSuchEntity")), &known)
	require.Equal(t, provider.InvalidInput, known.Kind)
	require.Equal(t, "/managed_policies", known.Pointer)
	require.Equal(t, contract.RetryAfterFix, known.Retry)
	require.Equal(t, "NoSuchEntity", known.VendorCode)
}
