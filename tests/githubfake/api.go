package githubfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// apiError is an error as GitHub answers it.
type apiError struct {
	status  int
	message string
	doc     string // the part of the documentation's address after docs.github.com/rest
	headers map[string]string
}

func (e *apiError) Error() string { return e.message }

func notFound(doc string) *apiError { return &apiError{status: 404, message: "Not Found", doc: doc} }

func invalid(doc, message string) *apiError {
	return &apiError{status: http.StatusUnprocessableEntity, message: message, doc: doc}
}

// body is the error's form on the wire.
func (e *apiError) body() any {
	return map[string]string{
		"message": e.message, "documentation_url": "https://docs.github.com/rest" + e.doc, "status": strconv.Itoa(e.status),
	}
}

// call is one authenticated request. The handler runs under the fake's lock.
type call struct {
	request *http.Request
	body    []byte
	token   Token
	user    *user
}

// handler performs a call and gives the status and the body of its answer; a nil body is no body.
type handler func(*call, http.Header) (int, any, *apiError)

func (f *Fake) api() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]handler{
		"GET /user":                 f.getUser,
		"GET /rate_limit":           f.getRateLimit,
		"GET /repos/{owner}/{repo}": f.getRepo,
		"GET /repos/{owner}/{repo}/actions/secrets":             f.listSecrets,
		"GET /repos/{owner}/{repo}/actions/secrets/public-key":  f.getPublicKey,
		"GET /repos/{owner}/{repo}/actions/secrets/{secret}":    f.getSecret,
		"PUT /repos/{owner}/{repo}/actions/secrets/{secret}":    f.putSecret,
		"DELETE /repos/{owner}/{repo}/actions/secrets/{secret}": f.deleteSecret,
	} {
		mux.Handle(pattern, f.answering(handle))
	}
	mux.Handle("/", f.answering(func(*call, http.Header) (int, any, *apiError) { return 0, nil, notFound("") }))
	return mux
}

// maxBody is far above the largest secret that GitHub takes.
const maxBody = 1 << 20

// answering does for every call what GitHub does for every call: ids, identity, rate limit, headers, error shapes.
func (f *Fake) answering(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		status, answer := f.perform(handle, &call{request: r, body: content}, w.Header())
		writeJSON(w, status, answer)
	})
}

// perform handles one call under the lock, in which nothing waits for a caller.
func (f *Fake) perform(handle handler, c *call, header http.Header) (status int, answer any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	header.Set("X-GitHub-Request-Id", fmt.Sprintf("FA4E:%06X", f.nextID()))
	header.Set("X-GitHub-Media-Type", "github.v3; format=json")
	header.Set("X-GitHub-Api-Version-Selected", "2022-11-28")

	failure := f.admit(c, header)
	if failure == nil {
		status, answer, failure = handle(c, header)
	}
	if failure != nil {
		status, answer = failure.status, failure.body()
		for name, value := range failure.headers {
			header.Set(name, value)
		}
	}
	f.requests = append(f.requests, Request{c.request.Method, c.request.URL.Path, status, c.token.Login})
	return status, answer
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller is gone if this fails
}
