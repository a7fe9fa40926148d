package postgres

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// The conditions that are told apart, as the manual's appendix on error codes names them.
const (
	notText              = "22021"
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	duplicateTable       = "42P07"
	duplicateObject      = "42710"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	cannotConnectNow     = "57P03"
)

// oneActive is the index that keeps a deployment to one active run.
const oneActive = "runs_one_active"

// answerOf is what the server said; nil when it is not of the server.
func answerOf(err error) *pgconn.PgError {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer
	}
	return nil
}

// contended says that the server took the transaction back whole, and that it can be made again: it was in another's way, or
// another was first at the one active run, which the next attempt will see.
func contended(err error) bool {
	answer := answerOf(err)
	return answer != nil && (answer.Code == serializationFailure || answer.Code == deadlockDetected) || errors.Is(err, errAgain)
}

// errAgain ends an attempt that has to be made anew, on what is there by then.
var errAgain = errors.New("it has to be tried again")

// class is the group that a condition belongs to, "" for none.
func class(err error) string {
	if answer := answerOf(err); answer != nil && len(answer.Code) == 5 {
		return answer.Code[:2]
	}
	return ""
}

// gone says that the server was not reached, or went away: it ends, it crashed, it has no room for one more.
func gone(err error) bool {
	if answer := answerOf(err); answer != nil {
		return slices.Contains([]string{adminShutdown, crashShutdown, cannotConnectNow}, answer.Code) ||
			class(err) == "08" || class(err) == "53"
	}
	var unconnected *pgconn.ConnectError
	var broken *net.OpError
	return errors.As(err, &unconnected) || errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// constrained says that a row broke a rule of its table, or held what no column takes: its writer's fault, not the store's.
func constrained(err error) bool { return class(err) == "23" || class(err) == "22" }

// taken says that a unique value is in use.
func taken(err error) bool {
	answer := answerOf(err)
	return answer != nil && answer.Code == uniqueViolation
}

// made says that what was to be made is there already: two that make a table at once are told so in one of these ways.
func made(err error) bool {
	answer := answerOf(err)
	return answer != nil && slices.Contains([]string{duplicateTable, duplicateObject, uniqueViolation}, answer.Code)
}

// fault names what was being done, and maps what PostgreSQL answers to the port's kinds.
func fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrNotFound
	}
	if gone(err) {
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return fmt.Errorf("store: %s: %w", doing, quiet(err))
}

// read ends a question for one row. A text that no column holds (it has a NUL, or is no UTF-8) names no row.
func read(doing string, err error) error {
	if unheard(err) {
		err = store.ErrNotFound
	}
	return fault(doing, err)
}

// unheard says that the server refused the text that it was asked about, since none of its texts can be that one.
func unheard(err error) bool {
	answer := answerOf(err)
	return answer != nil && answer.Code == notText
}

// quietError is an answer of the server without what it may repeat of a row.
type quietError struct{ answer *pgconn.PgError }

func (e *quietError) Error() string {
	return fmt.Sprintf("condition %s of %s%s", e.answer.Code, e.answer.TableName, e.answer.ConstraintName)
}

// Unwrap gives the answer, for those who ask for its code.
func (e *quietError) Unwrap() error { return e.answer }

// quiet hides the message of an answer about a row. What is left says which rule it was.
func quiet(err error) error {
	if !constrained(err) {
		return err
	}
	if class(err) == "22" {
		return fmt.Errorf("%w: %w", store.ErrInvalid, &quietError{answerOf(err)})
	}
	return &quietError{answerOf(err)}
}
