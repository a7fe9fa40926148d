package engine

import (
	"errors"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// ErrorKind is the class of an engine error.
type ErrorKind string

// The kinds.
const (
	Malformed    ErrorKind = "malformed"
	Unauthorized ErrorKind = "unauthorized"
	Forbidden    ErrorKind = "forbidden"
	NotFound     ErrorKind = "not_found"
	Conflict     ErrorKind = "conflict"
	Invalid      ErrorKind = "invalid"
	TooLarge     ErrorKind = "too_large"
	TooMany      ErrorKind = "too_many"
	Unavailable  ErrorKind = "unavailable"
	Internal     ErrorKind = "internal"
)

// Error is what a command is refused with. It never holds a value that the caller sent.
type Error struct {
	Kind     ErrorKind
	Message  string
	Problems []graph.Problem
	// RunID names the run that stands in the way, Provider whose credentials are missing or wrong.
	RunID    string
	Provider string
	cause    error
}

// Error says kind, message and cause, for the log: a caller is shown Message only.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Kind, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Kind, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

func refuse(kind ErrorKind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func invalid(problems ...graph.Problem) *Error {
	return &Error{Kind: Invalid, Message: "the request breaks rules", Problems: problems}
}

// refused is invalid where there are problems, and nil where there are none.
func refused(problems []graph.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return invalid(problems...)
}

// classified gives every error of a stage its kind; what has none is internal.
func classified(err error) error {
	var known *Error
	var active *store.ActiveRunError
	var held *store.HeldError
	var problems *config.InvalidError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &problems):
		return &Error{Kind: Invalid, Message: "the request breaks rules", Problems: problems.Problems, cause: err}
	case errors.As(err, &active):
		return &Error{Kind: Conflict, Message: "a run is active on this deployment", RunID: active.RunID, cause: err}
	case errors.As(err, &held):
		return &Error{Kind: Conflict, Message: "another host has this run: ask again when its lease has run out", RunID: held.RunID, cause: err}
	case errors.Is(err, store.ErrTooMany):
		return &Error{Kind: TooMany, Message: "as many runs as this tenant may have are active: wait for one to end", cause: err}
	case errors.Is(err, store.ErrNotFound):
		return &Error{Kind: NotFound, Message: "there is no such thing", cause: err}
	case errors.Is(err, store.ErrStale):
		return &Error{Kind: Conflict, Message: "the deployment changed meanwhile: plan again", cause: err}
	case errors.Is(err, store.ErrUnavailable):
		return &Error{Kind: Unavailable, Message: "the store does not answer: try again", cause: err}
	case errors.Is(err, store.ErrFenced), errors.Is(err, journal.ErrClosed), errors.Is(err, pluginhost.ErrStopped):
		return &Error{Kind: Unavailable, Message: "the host is going away", cause: err}
	case errors.Is(err, pluginhost.ErrUnknown):
		return &Error{Kind: Conflict, Message: "a provider version that this needs is not installed", cause: err}
	case errors.Is(err, pluginhost.ErrBroken):
		return &Error{Kind: Unavailable, Message: "a provider that this needs does not start: see GET /providers", cause: err}
	case contract.KindOf(err) == contract.KindInterrupted:
		return &Error{Kind: Unavailable, Message: "a provider that this needs ended while it was asked: try again", cause: err}
	default:
		return &Error{Kind: Internal, Message: "something went wrong in the host: see its log", cause: err}
	}
}
