package contract

import (
	"context"
	"errors"
	"time"
)

// Kind is the class of an error. The list is closed within a protocol version; an unknown kind reads as provider_fault.
type Kind string

// The kinds.
const (
	KindInvalidInput       Kind = "invalid_input"
	KindUnauthenticated    Kind = "unauthenticated"
	KindPermissionDenied   Kind = "permission_denied"
	KindCredentialsExpired Kind = "credentials_expired"
	KindDecryptionFailed   Kind = "decryption_failed"
	KindNotFound           Kind = "not_found"
	KindAlreadyExists      Kind = "already_exists"
	KindAmbiguous          Kind = "ambiguous"
	KindConflict           Kind = "conflict"
	KindThrottled          Kind = "throttled"
	KindQuotaExceeded      Kind = "quota_exceeded"
	KindNotReady           Kind = "not_ready"
	KindPrecondition       Kind = "precondition"
	KindUnsupported        Kind = "unsupported"
	KindNetwork            Kind = "network"
	KindRemoteError        Kind = "remote_error"
	KindCancelled          Kind = "cancelled"
	KindDeadline           Kind = "deadline"
	KindProviderFault      Kind = "provider_fault"
	KindInterrupted        Kind = "interrupted"
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{
		KindInvalidInput, KindUnauthenticated, KindPermissionDenied, KindCredentialsExpired, KindDecryptionFailed,
		KindNotFound, KindAlreadyExists, KindAmbiguous, KindConflict, KindThrottled, KindQuotaExceeded, KindNotReady,
		KindPrecondition, KindUnsupported, KindNetwork, KindRemoteError, KindCancelled, KindDeadline, KindProviderFault,
		KindInterrupted,
	}
}

// Severity of a diagnostic.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Severities lists every one.
func Severities() []Severity { return []Severity{SeverityError, SeverityWarning, SeverityInfo} }

// RetryClass says what must happen before the same operation can go better.
type RetryClass string

// The retry classes.
const (
	RetryNever               RetryClass = "never"
	RetryAfterDelay          RetryClass = "after_delay"
	RetryAfterNewCredentials RetryClass = "after_new_credentials"
	RetryAfterFix            RetryClass = "after_fix"
	RetryAfterFind           RetryClass = "after_find"
)

// RetryClasses lists every one.
func RetryClasses() []RetryClass {
	return []RetryClass{RetryNever, RetryAfterDelay, RetryAfterNewCredentials, RetryAfterFix, RetryAfterFind}
}

// RetryOf is the retry class a kind has when nobody says otherwise.
func RetryOf(kind Kind) RetryClass {
	switch kind {
	case KindThrottled, KindNotReady, KindNetwork, KindRemoteError:
		return RetryAfterDelay
	case KindUnauthenticated, KindCredentialsExpired, KindDecryptionFailed:
		return RetryAfterNewCredentials
	case KindInvalidInput, KindPermissionDenied, KindQuotaExceeded, KindPrecondition, KindNotFound, KindAlreadyExists:
		return RetryAfterFix
	case KindConflict:
		return RetryAfterDelay
	case KindDeadline, KindInterrupted, KindCancelled:
		return RetryAfterFind
	default:
		return RetryNever
	}
}

// Diagnostic is one finding for a person and a program. It never holds a secret nor a rejected value.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Kind     Kind     `json:"kind"`
	// Summary is one sentence; Detail may say more.
	Summary string `json:"summary"`
	Detail  string `json:"detail,omitempty"`
	// Pointer is a JSON Pointer into the properties, "" for the whole.
	Pointer    string        `json:"pointer,omitempty"`
	Retry      RetryClass    `json:"retry,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// VendorCode and VendorRequestID are the vendor's own.
	VendorCode      string `json:"vendor_code,omitempty"`
	VendorRequestID string `json:"vendor_request_id,omitempty"`
}

// Error is a diagnostic as a Go error.
type Error struct {
	Diagnostic
	// Cause is for logs inside the process that made it; it does not cross the wire.
	Cause error
}

// Error says kind and summary.
func (e *Error) Error() string { return string(e.Kind) + ": " + e.Summary }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf-like constructors are in package provider; New makes an error of a kind with its usual retry class.
func New(kind Kind, summary string) *Error {
	return &Error{Diagnostic: Diagnostic{Severity: SeverityError, Kind: kind, Summary: summary, Retry: RetryOf(kind)}}
}

// KindOf tells the kind of any error: that of an *Error in its chain, cancelled and deadline for the context's own, and
// provider_fault for all else. It is "" for nil.
func KindOf(err error) Kind {
	var known *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &known):
		return known.Kind
	case errors.Is(err, context.Canceled):
		return KindCancelled
	case errors.Is(err, context.DeadlineExceeded):
		return KindDeadline
	default:
		return KindProviderFault
	}
}

// DiagnosticOf turns any error into a diagnostic; what is not an *Error gives only its kind away.
func DiagnosticOf(err error) Diagnostic {
	var known *Error
	if errors.As(err, &known) {
		return known.Diagnostic
	}
	kind := KindOf(err)
	return New(kind, "the call ended with "+string(kind)).Diagnostic
}
