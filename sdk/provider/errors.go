package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Error is what an author answers with: a kind, one sentence, and the vendor's own code and request id. What is not an Error
// is reported as provider_fault, without its text.
type Error = contract.Error

// Kind is the class of an error.
type Kind = contract.Kind

// The kinds of errors.
const (
	InvalidInput       = contract.KindInvalidInput
	Unauthenticated    = contract.KindUnauthenticated
	PermissionDenied   = contract.KindPermissionDenied
	CredentialsExpired = contract.KindCredentialsExpired
	DecryptionFailed   = contract.KindDecryptionFailed
	NotFound           = contract.KindNotFound
	AlreadyExists      = contract.KindAlreadyExists
	Ambiguous          = contract.KindAmbiguous
	Conflict           = contract.KindConflict
	Throttled          = contract.KindThrottled
	QuotaExceeded      = contract.KindQuotaExceeded
	NotReady           = contract.KindNotReady
	Precondition       = contract.KindPrecondition
	Unsupported        = contract.KindUnsupported
	Network            = contract.KindNetwork
	RemoteError        = contract.KindRemoteError
	Cancelled          = contract.KindCancelled
	Deadline           = contract.KindDeadline
	ProviderFault      = contract.KindProviderFault
	Interrupted        = contract.KindInterrupted
)

// Errorf makes an error of a kind. The text is for a person: never a secret, never the rejected value. An error given with %w
// is kept as the cause, for logs inside this process.
func Errorf(kind Kind, format string, args ...any) *Error {
	text := fmt.Errorf(format, args...)
	made := contract.New(kind, text.Error())
	made.Cause = errors.Unwrap(text)
	return made
}

// at points an error to where in the input it arose.
func at(err *Error, pointer string) *Error {
	err.Pointer = pointer
	return err
}

// inconclusive is what Inconclusive returns.
type inconclusive struct{ after time.Duration }

func (inconclusive) Error() string { return "the reads used may lag behind" }

// Inconclusive is what Find returns when it cannot be sure of having seen everything: ask again after this long.
func Inconclusive(after time.Duration) error { return inconclusive{after} }

// classify gives any error a kind. Text of errors that are not ours stays inside.
func classify(err error) *Error {
	var known *Error
	var lagging inconclusive
	var network net.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &lagging):
		return notReady(lagging.after)
	case errors.Is(err, context.Canceled):
		return wrap(Cancelled, "the call was cancelled", err)
	case errors.Is(err, context.DeadlineExceeded):
		return wrap(Deadline, "the call ran out of time", err)
	case errors.As(err, &network):
		return wrap(Network, "the vendor could not be reached", err)
	default:
		return wrap(ProviderFault, "the provider failed without saying why; its log may tell", err)
	}
}

// wrap makes an error of a kind that keeps its cause to itself.
func wrap(kind Kind, summary string, cause error) *Error {
	made := contract.New(kind, summary)
	made.Cause = cause
	return made
}

// notReady asks for patience.
func notReady(after time.Duration) *Error {
	made := contract.New(NotReady, "what exists cannot be told for certain yet")
	made.RetryAfter = after
	return made
}
