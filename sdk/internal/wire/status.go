package wire

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// codeOf is the status code that an error kind travels under. The kind itself travels in the status details; the code is for
// those who know no details.
func codeOf(kind contract.Kind) codes.Code {
	switch kind {
	case contract.KindInvalidInput, contract.KindDecryptionFailed:
		return codes.InvalidArgument
	case contract.KindUnauthenticated, contract.KindCredentialsExpired:
		return codes.Unauthenticated
	case contract.KindPermissionDenied:
		return codes.PermissionDenied
	case contract.KindNotFound:
		return codes.NotFound
	case contract.KindAlreadyExists:
		return codes.AlreadyExists
	case contract.KindAmbiguous, contract.KindNotReady, contract.KindPrecondition:
		return codes.FailedPrecondition
	case contract.KindConflict:
		return codes.Aborted
	case contract.KindThrottled, contract.KindQuotaExceeded:
		return codes.ResourceExhausted
	case contract.KindUnsupported:
		return codes.Unimplemented
	case contract.KindCancelled:
		return codes.Canceled
	case contract.KindDeadline:
		return codes.DeadlineExceeded
	case contract.KindNetwork, contract.KindRemoteError:
		return codes.Unknown
	case contract.KindInterrupted:
		return codes.Unavailable
	default:
		return codes.Internal
	}
}

// kindOf is the kind of a status without details: the transport's own.
func kindOf(code codes.Code) contract.Kind {
	switch code {
	case codes.Canceled:
		return contract.KindCancelled
	case codes.DeadlineExceeded:
		return contract.KindDeadline
	case codes.Unavailable, codes.Aborted:
		return contract.KindInterrupted
	case codes.Unimplemented:
		return contract.KindUnsupported
	case codes.InvalidArgument:
		return contract.KindInvalidInput
	default:
		return contract.KindProviderFault
	}
}

// ErrorTo makes any error a status that carries its diagnostic.
func ErrorTo(err error) error {
	if err == nil {
		return nil
	}
	diagnostic := contract.DiagnosticOf(err)
	base := status.New(codeOf(diagnostic.Kind), diagnostic.Summary)
	detailed, failed := base.WithDetails(DiagnosticTo(&diagnostic))
	if failed != nil {
		return base.Err()
	}
	return detailed.Err()
}

// ErrorFrom reads an error that came over a connection. A stream that ended before it said how is interrupted.
func ErrorFrom(err error) error {
	var known *contract.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, io.EOF):
		return transport(contract.KindInterrupted, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return transport(contract.KindOf(err), err)
	}
	said := status.Convert(err)
	for _, detail := range said.Details() {
		if diagnostic, ok := detail.(*pb.Diagnostic); ok {
			return &contract.Error{Diagnostic: *DiagnosticFrom(diagnostic), Cause: err}
		}
	}
	return transport(kindOf(said.Code()), err)
}

// transport is an error of which the provider said nothing.
func transport(kind contract.Kind, cause error) error {
	made := contract.New(kind, "the call to the provider ended with "+string(kind))
	made.Cause = cause
	return made
}
