package aws

import (
	"context"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// assumable is how long a role that was just made may be unknown to Lambda.
var assumable = budget{
	first: time.Second, longest: 8 * time.Second, total: 60 * time.Second, message: "waiting until Lambda can assume the role",
}

// settling is how long Lambda may take to make a function, or a change of it, take effect.
var settling = budget{first: time.Second, longest: 5 * time.Second, total: 5 * time.Minute, message: "waiting for Lambda to finish"}

// causes tells apart what Lambda reports with one code. It gives no better sign than its text, and for a role that cannot be
// assumed yet the difference decides whether asking again helps.
var causes = []struct{ text, pointer string }{
	{cannotAssume, "/role"},
	{"S3 Error Code: NoSuchKey", "/code_s3_key"},
	{"S3 Error Code: NoSuchVersion", "/code_s3_object_version"},
	{"S3 Error Code: NoSuchBucket", "/code_s3_bucket"},
	{"S3 Error Code: PermanentRedirect", "/code_s3_bucket"},
	{"S3 Error Code: AccessDenied", "/code_s3_bucket"},
	{"environment variables", "/environment"},
	{"at 'runtime'", "/runtime"},
	{"at 'handler'", "/handler"},
	{"at 'memorySize'", "/memory_size"},
	{"MemorySize", "/memory_size"},
	{"at 'timeout'", "/timeout"},
	{"at 'role'", "/role"},
	{"at 'layers'", "/layers"},
	{"layer", "/layers"},
}

const cannotAssume = "cannot be assumed by Lambda"

func causeOf(err error) string {
	switch codeOf(err) {
	case "InvalidParameterValueException", "ValidationException":
	default:
		return ""
	}
	_, _, message := kindOf(err)
	for _, cause := range causes {
		if strings.Contains(message, cause.text) {
			return cause.pointer
		}
	}
	return ""
}

// notYetAssumable tells the one refusal that goes away by itself.
func notYetAssumable(err error) bool {
	_, _, message := kindOf(err)
	return codeOf(err) == "InvalidParameterValueException" && strings.Contains(message, cannotAssume)
}

// functionRefused adds what is known about why.
func functionRefused(err error) error {
	switch {
	case err == nil:
		return nil
	case notYetAssumable(err):
		refused := provider.Errorf(provider.InvalidInput, "Lambda cannot assume the role: its trust policy must allow lambda.amazonaws.com")
		refused.Pointer, refused.VendorCode, refused.Cause = "/role", codeOf(err), unspoken{err}
		fillFromResponse(refused, err)
		return refused
	case codeOf(err) == "ResourceConflictException":
		return busyWith(err)
	case causeOf(err) != "":
		return at(causeOf(err), err)
	default:
		return classify(err)
	}
}

// busyWith is for a function that is being changed by someone else.
func busyWith(err error) error {
	busy := provider.Errorf(provider.Conflict, "Lambda is busy with another change of the function")
	busy.RetryAfter, busy.VendorCode, busy.Cause = 5*time.Second, codeOf(err), err
	fillFromResponse(busy, err)
	return busy
}

// state is where a function stands, of Lambda's two state machines: its own, and that of its last update.
type state int

const (
	stateReady state = iota
	stateBusy
	stateFailed
)

func stateOf(config *types.FunctionConfiguration) state {
	switch {
	case config.State == types.StateFailed, config.LastUpdateStatus == types.LastUpdateStatusFailed:
		return stateFailed
	case config.State == types.StatePending, config.State == types.StateDeleting,
		config.LastUpdateStatus == types.LastUpdateStatusInProgress:
		return stateBusy
	default: // Active, and Inactive: AWS takes resources from an idle function and gives them back at the next call
		return stateReady
	}
}

// awaitSettled waits until no change is under way; how the last one went does not matter to the next.
func awaitSettled(ctx context.Context, c *Client, op *provider.Operation[Function], name string) (*lambda.GetFunctionOutput, error) {
	var there *lambda.GetFunctionOutput
	err := settling.retry(ctx, c.wait, op.Progress, isBusy, func() (err error) {
		if there, err = getFunction(ctx, c, name); err != nil {
			return err
		}
		if stateOf(there.Configuration) == stateBusy {
			return errBusy()
		}
		return nil
	})
	return there, err
}

// awaitReady waits until the function can be used with its last change in effect.
func awaitReady(ctx context.Context, c *Client, op *provider.Operation[Function], name string) (*types.FunctionConfiguration, error) {
	there, err := awaitSettled(ctx, c, op, name)
	if err != nil {
		return nil, err
	}
	if config := there.Configuration; stateOf(config) == stateFailed {
		return nil, failedFunction(config)
	}
	return there.Configuration, nil
}

func failedFunction(config *types.FunctionConfiguration) error {
	code, reason := string(config.LastUpdateStatusReasonCode), sdk.ToString(config.LastUpdateStatusReason)
	if config.State == types.StateFailed {
		code, reason = string(config.StateReasonCode), sdk.ToString(config.StateReason)
	}
	failed := provider.Errorf(provider.Precondition, "Lambda could not make the function usable")
	failed.VendorCode, failed.Detail = code, reason
	return failed
}

func errBusy() error {
	return provider.Errorf(provider.NotReady, "Lambda has not finished with the function")
}

func isBusy(err error) bool { return kindNow(err) == provider.NotReady }
