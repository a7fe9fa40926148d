package github

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	vendor "github.com/google/go-github/v92/github"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// patience is for a secondary limit that does not say how long it lasts: GitHub's documentation asks for a minute.
const patience = time.Minute

// kinds maps HTTP statuses; what is not here is a remote error from 500 on and otherwise invalid input.
var kinds = map[int]provider.Kind{
	http.StatusMovedPermanently:    provider.InvalidInput,
	http.StatusFound:               provider.InvalidInput,
	http.StatusTemporaryRedirect:   provider.InvalidInput,
	http.StatusPermanentRedirect:   provider.InvalidInput,
	http.StatusBadRequest:          provider.InvalidInput,
	http.StatusUnauthorized:        provider.Unauthenticated,
	http.StatusForbidden:           provider.PermissionDenied,
	http.StatusNotFound:            provider.NotFound,
	http.StatusMethodNotAllowed:    provider.Unsupported,
	http.StatusConflict:            provider.Conflict,
	http.StatusGone:                provider.NotFound,
	http.StatusPreconditionFailed:  provider.Conflict,
	http.StatusUnprocessableEntity: provider.InvalidInput,
	http.StatusLocked:              provider.Conflict,
	http.StatusTooManyRequests:     provider.Throttled,

	http.StatusUnavailableForLegalReasons: provider.PermissionDenied,
}

// classify turns what go-github returns into an error of ours; nil stays nil, and an error of ours stays as it is. GitHub's
// messages are left out: it repeats rejected values in them.
func (c *Client) classify(err error) error {
	var known *provider.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var primary *vendor.RateLimitError
	var secondary *vendor.AbuseRateLimitError
	var refused *vendor.ErrorResponse
	var moved *vendor.RedirectionError
	switch {
	case errors.As(err, &primary):
		return c.throttled(err, primary.Response, "GitHub's hourly limit is used up", primary.Rate.Reset.Time)
	case errors.As(err, &secondary):
		until := time.Time{}
		if secondary.RetryAfter != nil {
			until = c.now().Add(*secondary.RetryAfter)
		}
		return c.throttled(err, secondary.Response, "GitHub asks for fewer requests at once", until)
	case errors.As(err, &moved) && moved.Response != nil:
		return c.refused(err, moved.Response)
	case errors.As(err, &refused) && refused.Response != nil:
		return c.refused(err, refused.Response)
	default:
		return unanswered(err)
	}
}

// throttled tells how long to wait: by the answer's own header, else until the limit ends.
func (c *Client) throttled(err error, response *http.Response, summary string, until time.Time) error {
	made := provider.Errorf(provider.Throttled, "%s", summary)
	made.Cause, made.RetryAfter = err, patience
	if left := until.Sub(c.now()); !until.IsZero() {
		made.RetryAfter = max(left, time.Second)
	}
	if response != nil {
		made.VendorCode, made.VendorRequestID = strconv.Itoa(response.StatusCode), requestID(response)
		if seconds, bad := strconv.Atoi(response.Header.Get("Retry-After")); bad == nil && seconds > 0 {
			made.RetryAfter = time.Duration(seconds) * time.Second
		}
	}
	return made
}

func (c *Client) refused(err error, response *http.Response) error {
	kind, known := kinds[response.StatusCode]
	switch {
	case kind == provider.Throttled, asksToWait(response):
		return c.throttled(err, response, "GitHub asks for fewer requests at once", time.Time{})
	case !known && response.StatusCode >= 500:
		kind = provider.RemoteError
	case !known:
		kind = provider.InvalidInput
	}
	made := provider.Errorf(kind, "GitHub answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	made.VendorCode, made.VendorRequestID, made.Cause = strconv.Itoa(response.StatusCode), requestID(response), unspoken{err}
	return made
}

// asksToWait tells a refusal that means "later" from one that means "no".
func asksToWait(response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusForbidden, http.StatusServiceUnavailable:
		return response.Header.Get("Retry-After") != ""
	default:
		return false
	}
}

// unspoken keeps a cause for errors.As and its text out of logs: GitHub repeats in it what it was given.
type unspoken struct{ cause error }

func (u unspoken) Error() string { return "GitHub's message is left out" }

func (u unspoken) Unwrap() error { return u.cause }

// unanswered is for requests without an answer that could be understood.
func unanswered(err error) error {
	kind := provider.RemoteError
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		kind = provider.Cancelled
	case errors.Is(err, context.DeadlineExceeded):
		kind = provider.Deadline
	case errors.As(err, &network):
		kind = provider.Network
	}
	made := provider.Errorf(kind, "GitHub gave no answer that can be used")
	made.Cause = err
	return made
}

func requestID(response *http.Response) string { return response.Header.Get("X-GitHub-Request-Id") }

// missing is for a repository that cannot be seen.
func missing(err error) error {
	gone := invalid("/repo", "there is no such repository, or the token may not see its secrets")
	var known *provider.Error
	if errors.As(err, &known) {
		gone.VendorCode, gone.VendorRequestID, gone.Cause = known.VendorCode, known.VendorRequestID, known.Cause
	}
	return gone
}

// at points an error of ours to the property that it is about.
func at(pointer string, err error) error {
	var known *provider.Error
	if !errors.As(err, &known) {
		return err
	}
	pointed := *known
	pointed.Pointer = pointer
	return &pointed
}

// invalid is an error in the caller's input.
func invalid(pointer, text string) *provider.Error {
	made := provider.Errorf(provider.InvalidInput, "%s", text)
	made.Pointer = pointer
	return made
}

func kindOf(err error) provider.Kind {
	var known *provider.Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return ""
}
