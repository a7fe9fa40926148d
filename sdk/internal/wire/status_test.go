package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

func TestEveryKindCrosses(t *testing.T) {
	for _, kind := range contract.Kinds() {
		want := contract.Diagnostic{
			Severity: contract.SeverityError, Kind: kind, Summary: "summary", Detail: "detail", Pointer: "/a",
			Retry: contract.RetryAfterFix, RetryAfter: time.Second, VendorCode: "code", VendorRequestID: "request",
		}
		sent := ErrorTo(fmt.Errorf("wrapped: %w", &contract.Error{Diagnostic: want, Cause: errors.New("secret")}))
		require.NotContains(t, sent.Error(), "secret")
		require.NotEqual(t, codes.OK, status.Code(sent))
		var got *contract.Error
		require.ErrorAs(t, ErrorFrom(sent), &got)
		require.Equal(t, want, got.Diagnostic)
	}
	require.NoError(t, ErrorTo(nil))
	require.NoError(t, ErrorFrom(nil))
}

func TestOtherErrorsGiveOnlyTheirKindAway(t *testing.T) {
	for err, want := range map[error]contract.Kind{
		errors.New("canary"):     contract.KindProviderFault,
		context.Canceled:         contract.KindCancelled,
		context.DeadlineExceeded: contract.KindDeadline,
	} {
		got := ErrorFrom(ErrorTo(err))
		require.Equal(t, want, contract.KindOf(got))
		require.NotContains(t, got.Error(), "canary")
	}
}

func TestWhatTheTransportSaysHasAKind(t *testing.T) {
	for err, want := range map[error]contract.Kind{
		io.EOF:                   contract.KindInterrupted,
		io.ErrUnexpectedEOF:      contract.KindProviderFault,
		context.Canceled:         contract.KindCancelled,
		context.DeadlineExceeded: contract.KindDeadline,
		status.Error(codes.Unavailable, "canary"):      contract.KindInterrupted,
		status.Error(codes.Canceled, "canary"):         contract.KindCancelled,
		status.Error(codes.DeadlineExceeded, "canary"): contract.KindDeadline,
		status.Error(codes.Unimplemented, "canary"):    contract.KindUnsupported,
		status.Error(codes.Internal, "canary"):         contract.KindProviderFault,
		status.Error(codes.ResourceExhausted, "x"):     contract.KindProviderFault,
		contract.New(contract.KindConflict, "x"):       contract.KindConflict,
	} {
		got := ErrorFrom(err)
		require.Equal(t, want, contract.KindOf(got), err)
		require.NotContains(t, got.Error(), "canary")
		var known *contract.Error
		require.ErrorAs(t, got, &known)
		require.NotEmpty(t, known.Retry)
	}
}
