package githubfake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// user is who a token belongs to, and who owns repositories; rate limits are counted for each.
type user struct {
	login   string
	id      int64
	created time.Time
	used    int
	reset   time.Time
}

// window begins a new hour of requests where the last one is over.
func (u *user) window(now time.Time) *user {
	if !now.Before(u.reset) {
		u.used, u.reset = 0, now.Add(time.Hour)
	}
	return u
}

// admit finds out who calls and counts the request against the caller's limit.
func (f *Fake) admit(c *call, header http.Header) *apiError {
	token, failure := f.authenticate(c.request)
	if failure != nil {
		return failure
	}
	header.Set("X-OAuth-Scopes", strings.Join(token.Scopes, ", "))
	if !token.ExpiresAt.IsZero() {
		header.Set("GitHub-Authentication-Token-Expiration", token.ExpiresAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	caller := f.user(token.Login).window(f.now())
	c.token, c.user = token, caller
	exceeded := caller.used >= f.rateLimit
	if asksForLimit := c.request.URL.Path == "/rate_limit"; asksForLimit {
		exceeded = false // asking costs nothing
	} else if !exceeded {
		caller.used++
	}
	f.setRateHeaders(header, caller)
	if exceeded {
		return &apiError{
			status:  http.StatusForbidden,
			message: fmt.Sprintf("API rate limit exceeded for user ID %d.", caller.id),
			doc:     "/using-the-rest-api/rate-limits-for-the-rest-api",
		}
	}
	return nil
}

func (f *Fake) authenticate(r *http.Request) (Token, *apiError) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if value == "" {
		return Token{}, &apiError{status: http.StatusUnauthorized, message: "Requires authentication"}
	}
	token, known := f.tokens[value]
	bearer := strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token")
	expired := !token.ExpiresAt.IsZero() && !f.now().Before(token.ExpiresAt)
	if !known || !bearer || expired {
		return Token{}, &apiError{status: http.StatusUnauthorized, message: "Bad credentials"}
	}
	return token, nil
}

func (f *Fake) setRateHeaders(header http.Header, caller *user) {
	header.Set("X-RateLimit-Limit", strconv.Itoa(f.rateLimit))
	header.Set("X-RateLimit-Used", strconv.Itoa(caller.used))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(f.rateLimit-caller.used))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(caller.reset.Unix(), 10))
	header.Set("X-RateLimit-Resource", "core")
}

func (f *Fake) getRateLimit(c *call, _ http.Header) (int, any, *apiError) {
	core := map[string]int64{
		"limit": int64(f.rateLimit), "used": int64(c.user.used),
		"remaining": int64(f.rateLimit - c.user.used), "reset": c.user.reset.Unix(),
	}
	return http.StatusOK, map[string]any{"resources": map[string]any{"core": core, "search": core}, "rate": core}, nil
}

// mayRead says whether a token may see that a repository exists.
func (t Token) mayRead(r *repo) bool {
	return !r.Private || slices.Contains(t.Scopes, "repo") || t.mayReadSecrets()
}

func (t Token) mayReadSecrets() bool {
	return t.mayWriteSecrets() || slices.Contains(t.Scopes, "secrets=read")
}

func (t Token) mayWriteSecrets() bool {
	return slices.Contains(t.Scopes, "repo") || slices.Contains(t.Scopes, "secrets=write")
}

// repository finds the repository that a call names. What the caller may not see is not found, as on GitHub.
func (f *Fake) repository(c *call, doc string) (*repo, *apiError) {
	repo, ok := f.repos[repoKey(c.request.PathValue("owner"), c.request.PathValue("repo"))]
	if !ok || !c.token.mayRead(repo) {
		return nil, notFound(doc)
	}
	return repo, nil
}

// readable finds a repository whose secrets the caller may read.
func (f *Fake) readable(c *call, doc string) (*repo, *apiError) {
	repo, failure := f.repository(c, doc)
	if failure == nil && !c.token.mayReadSecrets() {
		return nil, forbidden(doc, "secrets=read")
	}
	return repo, failure
}

// writable finds a repository whose secrets the caller may write.
func (f *Fake) writable(c *call, doc string) (*repo, *apiError) {
	repo, failure := f.repository(c, doc)
	switch {
	case failure != nil:
		return nil, failure
	case !c.token.mayWriteSecrets():
		return nil, forbidden(doc, "secrets=write")
	case repo.Archived:
		return nil, &apiError{
			status: http.StatusForbidden, message: "Repository was archived so is read-only.", doc: doc,
		}
	}
	return repo, nil
}

func forbidden(doc, needed string) *apiError {
	return &apiError{
		status: http.StatusForbidden, message: "Resource not accessible by personal access token", doc: doc,
		headers: map[string]string{"X-Accepted-OAuth-Scopes": "repo", "X-Accepted-GitHub-Permissions": needed},
	}
}
