package githubfake

import (
	"fmt"
	"net/http"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

// SecondaryLimit is a rule that answers as GitHub does to a caller who is too quick; the status is 403 or 429.
func SecondaryLimit(status, count int, retryAfter time.Duration) fault.Rule {
	rule := failure(status, count, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		"/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits")
	rule.RetryAfter = retryAfter
	return rule
}

// Failure is a rule that answers with this error status, in GitHub's shape, before anything is done; 500 when zero.
func Failure(status, count int) fault.Rule {
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return failure(status, count, http.StatusText(status), "")
}

func failure(status, count int, message, doc string) fault.Rule {
	return fault.Rule{
		Kind: fault.Fail, Status: status, Count: count,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body: fmt.Sprintf(`{"message":%q,"documentation_url":%q,"status":"%d"}`+"\n",
			message, "https://docs.github.com/rest"+doc, status),
	}
}
