package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// kindsOfEngine is the one place where the engine's kinds become the API's.
func kindOfEngine(kind engine.ErrorKind) rest.Kind {
	switch kind {
	case engine.Malformed:
		return rest.KindMalformed
	case engine.Unauthorized:
		return rest.KindUnauthorized
	case engine.Forbidden:
		return rest.KindForbidden
	case engine.NotFound:
		return rest.KindNotFound
	case engine.Conflict:
		return rest.KindConflict
	case engine.Invalid:
		return rest.KindInvalid
	case engine.TooLarge:
		return rest.KindTooLarge
	case engine.TooMany:
		return rest.KindTooMany
	case engine.Unavailable:
		return rest.KindUnavailable
	default:
		return rest.KindInternal
	}
}

// problemOf turns any error into what the caller may know of it. What is nobody's fault but ours goes to the log.
func (s *server) problemOf(ctx context.Context, err error) *problem {
	p := translate(err)
	exchange := exchangeOf(ctx)
	p.TraceID = exchange.trace
	if p.Kind == rest.KindInternal && ctx.Err() == nil {
		s.Log.Error("request failed", "trace_id", exchange.trace, "route", exchange.route, "error", err)
	}
	return p
}

func translate(err error) *problem {
	var (
		known     *problem
		refused   *engine.Error
		syntax    *config.SyntaxError
		invalid   *config.InvalidError
		size      *config.SizeError
		oversized *http.MaxBytesError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		return refusedBy(refused)
	case errors.As(err, &syntax):
		return newProblem(rest.KindMalformed, syntax.Error())
	case errors.As(err, &invalid):
		p := newProblem(rest.KindInvalid, "the body is not as it must be")
		p.Errors = fieldErrors(invalid.Problems)
		return p
	case errors.As(err, &oversized), errors.As(err, &size):
		return newProblem(rest.KindTooLarge, "the body is longer than this host takes")
	default:
		return newProblem(rest.KindInternal, "")
	}
}

func refusedBy(err *engine.Error) *problem {
	p := newProblem(kindOfEngine(err.Kind), err.Message)
	p.Errors = fieldErrors(err.Problems)
	p.RunID = err.RunID
	p.Provider = err.Provider
	if err.Provider != "" && p.Kind == rest.KindInvalid {
		p.PublicKey = "/public-keys/" + err.Provider
	}
	if p.Kind == rest.KindInternal {
		p.Detail = ""
	}
	return p
}

func fieldErrors(problems []graph.Problem) []rest.FieldError {
	var list []rest.FieldError
	for _, problem := range problems {
		list = append(list, rest.FieldError{Pointer: problem.Pointer, Detail: problem.Message})
	}
	return list
}
