package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// kinds maps AWS's error codes; what is not here goes by its HTTP status.
var kinds = map[string]provider.Kind{
	"InvalidClientTokenId":         provider.Unauthenticated,
	"UnrecognizedClientException":  provider.Unauthenticated,
	"SignatureDoesNotMatch":        provider.Unauthenticated,
	"InvalidSignatureException":    provider.Unauthenticated,
	"IncompleteSignature":          provider.Unauthenticated,
	"InvalidAccessKeyId":           provider.Unauthenticated,
	"InvalidToken":                 provider.Unauthenticated,
	"MissingAuthenticationToken":   provider.Unauthenticated,
	"AuthorizationHeaderMalformed": provider.Unauthenticated,
	"AuthFailure":                  provider.Unauthenticated,

	"ExpiredToken":          provider.CredentialsExpired,
	"ExpiredTokenException": provider.CredentialsExpired,
	"RequestExpired":        provider.CredentialsExpired,
	"TokenRefreshRequired":  provider.CredentialsExpired,

	"AccessDenied":             provider.PermissionDenied,
	"AccessDeniedException":    provider.PermissionDenied,
	"AllAccessDisabled":        provider.PermissionDenied,
	"OptInRequired":            provider.PermissionDenied,
	"UnauthorizedAccess":       provider.PermissionDenied,
	"KMSAccessDeniedException": provider.PermissionDenied,

	"NoSuchEntity":              provider.NotFound,
	"NoSuchBucket":              provider.NotFound,
	"NoSuchKey":                 provider.NotFound,
	"NoSuchVersion":             provider.NotFound,
	"NotFound":                  provider.NotFound,
	"ResourceNotFoundException": provider.NotFound,

	"EntityAlreadyExists":     provider.AlreadyExists,
	"BucketAlreadyExists":     provider.AlreadyExists,
	"BucketAlreadyOwnedByYou": provider.AlreadyExists,

	"ResourceConflictException":     provider.Conflict,
	"ConcurrentModification":        provider.Conflict,
	"DeleteConflict":                provider.Conflict,
	"OperationAborted":              provider.Conflict,
	"ConditionalRequestConflict":    provider.Conflict,
	"PreconditionFailed":            provider.Conflict,
	"PreconditionFailedException":   provider.Conflict,
	"ResourceInUseException":        provider.Conflict,
	"EntityTemporarilyUnmodifiable": provider.Conflict,

	"Throttling":                             provider.Throttled,
	"ThrottlingException":                    provider.Throttled,
	"ThrottledException":                     provider.Throttled,
	"RequestLimitExceeded":                   provider.Throttled,
	"RequestThrottled":                       provider.Throttled,
	"RequestThrottledException":              provider.Throttled,
	"TooManyRequestsException":               provider.Throttled,
	"SlowDown":                               provider.Throttled,
	"BandwidthLimitExceeded":                 provider.Throttled,
	"ProvisionedThroughputExceededException": provider.Throttled,

	"LimitExceeded":                 provider.QuotaExceeded,
	"LimitExceededException":        provider.QuotaExceeded,
	"ServiceQuotaExceededException": provider.QuotaExceeded,
	"CodeStorageExceededException":  provider.QuotaExceeded,
	"TooManyBuckets":                provider.QuotaExceeded,

	"ResourceNotReadyException": provider.NotReady,
	"BucketNotEmpty":            provider.Precondition,
	"UnmodifiableEntity":        provider.Precondition,

	"NotImplemented":       provider.Unsupported,
	"MethodNotAllowed":     provider.Unsupported,
	"UnsupportedOperation": provider.Unsupported,

	"InternalError":    provider.RemoteError,
	"ServiceFailure":   provider.RemoteError,
	"ServiceException": provider.RemoteError,
}

// quoted are the kinds whose message AWS writes about the caller's rights and the state of things. That of any other kind may
// repeat a rejected value, and stays here.
var quoted = map[provider.Kind]bool{
	provider.PermissionDenied: true, provider.NotFound: true, provider.AlreadyExists: true, provider.Conflict: true,
	provider.Throttled: true, provider.QuotaExceeded: true, provider.NotReady: true, provider.Precondition: true,
}

// classify turns what the AWS SDK returns into an error of ours; nil stays nil, and an error of ours stays as it is.
func classify(err error) error {
	var known *provider.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	kind, code, message := kindOf(err)
	made := provider.Errorf(kind, "%s", summaryOf(err, kind, code))
	made.Cause, made.VendorCode = unspoken{err}, code
	if quoted[kind] {
		made.Detail, made.Cause = message, err
	}
	fillFromResponse(made, err)
	return made
}

// summaryOf is one sentence for a person. Without a code the status is all that AWS has said.
func summaryOf(err error, kind provider.Kind, code string) string {
	operation, response := operationOf(err), responseOf(err)
	switch {
	case kind == provider.Network || kind == provider.Cancelled || kind == provider.Deadline:
		return operation + " had no answer from AWS"
	case code != "":
		return "AWS refused " + operation + " with " + code
	case response != nil && response.StatusCode < http.StatusMultipleChoices:
		return "AWS's answer to " + operation + " could not be read to its end"
	case response != nil:
		return "AWS refused " + operation + " with status " + strconv.Itoa(response.StatusCode) + " and no code"
	default:
		return "AWS refused " + operation
	}
}

// unspoken keeps a cause for errors.As and its text out of logs: AWS repeats in it what it was given.
type unspoken struct{ cause error }

func (u unspoken) Error() string { return "AWS's message is left out" }

func (u unspoken) Unwrap() error { return u.cause }

// at classifies and points to the property that the error is about.
func at(pointer string, err error) error {
	return as(kindNow(err), pointer, err)
}

// as classifies with a kind that only the caller can know, and a pointer.
func as(kind provider.Kind, pointer string, err error) error {
	var known *provider.Error
	if !errors.As(classify(err), &known) {
		return err
	}
	changed := provider.Errorf(kind, "%s", known.Summary)
	changed.Pointer, changed.Detail, changed.Cause = pointer, known.Detail, known.Cause
	changed.VendorCode, changed.VendorRequestID, changed.RetryAfter = known.VendorCode, known.VendorRequestID, known.RetryAfter
	return changed
}

func kindNow(err error) provider.Kind {
	var known *provider.Error
	if errors.As(classify(err), &known) {
		return known.Kind
	}
	return provider.ProviderFault
}

func kindOf(err error) (kind provider.Kind, code, message string) {
	var api smithy.APIError
	status := 0
	if response := responseOf(err); response != nil {
		status = response.StatusCode
	}
	if errors.As(err, &api) {
		code, message = api.ErrorCode(), api.ErrorMessage()
		if known, ok := kinds[code]; ok {
			return known, code, message
		}
	}
	if status != 0 {
		return kindOfStatus(status), code, message
	}
	return kindOfTransport(err), code, message
}

func kindOfStatus(status int) provider.Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return provider.Throttled
	case status >= 500:
		return provider.RemoteError
	case status == http.StatusUnauthorized:
		return provider.Unauthenticated
	case status == http.StatusForbidden:
		return provider.PermissionDenied
	case status == http.StatusNotFound:
		return provider.NotFound
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return provider.Conflict
	case status >= 400:
		return provider.InvalidInput
	default:
		return provider.RemoteError
	}
}

// kindOfTransport is for requests that were never answered.
func kindOfTransport(err error) provider.Kind {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return provider.Cancelled
	case errors.Is(err, context.DeadlineExceeded):
		return provider.Deadline
	case errors.As(err, &network), isSendError(err):
		return provider.Network
	case isLocal(err):
		return provider.InvalidInput
	default:
		return provider.RemoteError
	}
}

func isSendError(err error) bool {
	var send *smithyhttp.RequestSendError
	return errors.As(err, &send)
}

// isLocal tells the AWS SDK's own checks of its input, made before anything is sent.
func isLocal(err error) bool {
	var params smithy.InvalidParamsError
	var serialization *smithy.SerializationError
	return errors.As(err, &params) || errors.As(err, &serialization)
}

func operationOf(err error) string {
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		return operation.Operation()
	}
	return "the call"
}

func fillFromResponse(made *provider.Error, err error) {
	var withID interface{ ServiceRequestID() string }
	if errors.As(err, &withID) {
		made.VendorRequestID = withID.ServiceRequestID()
	}
	if response := responseOf(err); response != nil && made.Kind == provider.Throttled {
		if seconds, parseErr := strconv.Atoi(response.Header.Get("Retry-After")); parseErr == nil && seconds > 0 {
			made.RetryAfter = time.Duration(seconds) * time.Second
		}
	}
}

func responseOf(err error) *smithyhttp.Response {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPResponse()
	}
	return nil
}

// codeOf is the vendor's code, "" when the vendor did not speak.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// invalid is an error in the caller's input.
func invalid(pointer, text string) *provider.Error {
	made := provider.Errorf(provider.InvalidInput, "%s", text)
	made.Pointer = pointer
	return made
}

// nameUnknown is for a search by name without one.
func nameUnknown(pointer string) error {
	return invalid(pointer, "without it the thing cannot be looked for")
}

// absent tells that the vendor says there is no such thing. HEAD answers carry no code, only the status.
func absent(err error) bool { return kindNow(err) == provider.NotFound }
