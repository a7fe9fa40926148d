package githubfake

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

// admin offers the methods of Fake to other processes:
//
//	POST   /_fake/tokens                                   a Token
//	POST   /_fake/repos                                    a Repo
//	POST   /_fake/repos/{owner}/{repo}/rotate-key
//	GET    /_fake/repos/{owner}/{repo}/secrets             the secrets, opened: a list of Secret
//	GET    /_fake/repos/{owner}/{repo}/secrets/{secret}    a Secret
//	POST   /_fake/remaining                                {"login", "remaining"}
//	POST   /_fake/faults                                   a wireFault
//	DELETE /_fake/faults
//	GET    /_fake/requests                                 a list of Request
func (f *Fake) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /_fake/tokens", adding(func(token Token) error { f.AddToken(token); return nil }))
	mux.HandleFunc("POST /_fake/repos", adding(f.AddRepo))
	mux.HandleFunc("POST /_fake/remaining", adding(f.setRemaining))
	mux.HandleFunc("POST /_fake/faults", adding(f.inject))
	mux.HandleFunc("DELETE /_fake/faults", func(w http.ResponseWriter, _ *http.Request) {
		f.faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_fake/repos/{owner}/{repo}/rotate-key", func(w http.ResponseWriter, r *http.Request) {
		respond(w, f.RotateKey(r.PathValue("owner"), r.PathValue("repo")))
	})
	mux.HandleFunc("GET /_fake/repos/{owner}/{repo}/secrets", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, f.Secrets(r.PathValue("owner"), r.PathValue("repo")))
	})
	mux.HandleFunc("GET /_fake/repos/{owner}/{repo}/secrets/{secret}", func(w http.ResponseWriter, r *http.Request) {
		secret, ok := f.Secret(r.PathValue("owner"), r.PathValue("repo"), r.PathValue("secret"))
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		writeJSON(w, http.StatusOK, secret)
	})
	mux.HandleFunc("GET /_fake/requests", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, f.Requests())
	})
	return mux
}

type remaining struct {
	Login     string `json:"login"`
	Remaining int    `json:"remaining"`
}

func (f *Fake) setRemaining(r remaining) error {
	if r.Login == "" || r.Remaining < 0 {
		return errors.New("login must be given and remaining not negative")
	}
	f.SetRemaining(r.Login, r.Remaining)
	return nil
}

// wireFault is a fault as it is asked for from another process. Kind is one of package fault's, which then answers in GitHub's
// error shape, or "secondary_limit".
type wireFault struct {
	Kind       string `json:"kind"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Skip       int    `json:"skip"`
	Count      int    `json:"count"`
	Status     int    `json:"status"`
	RetryAfter int    `json:"retry_after_seconds"`
	Wait       int    `json:"wait_milliseconds"`
}

func (f *Fake) inject(wire wireFault) error {
	rule := fault.Rule{Kind: fault.Kind(wire.Kind), Count: wire.Count}
	switch wire.Kind {
	case "secondary_limit":
		rule = SecondaryLimit(wire.Status, wire.Count, 0)
	case string(fault.Fail):
		rule = Failure(wire.Status, wire.Count)
	}
	rule.Method, rule.Path, rule.Skip = wire.Method, wire.Path, wire.Skip
	rule.RetryAfter = time.Duration(wire.RetryAfter) * time.Second
	rule.Wait = time.Duration(wire.Wait) * time.Millisecond
	return f.faults.Inject(rule)
}

// adding decodes what a request brings and hands it on.
func adding[T any](add func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		decoder.DisallowUnknownFields()
		var value T
		if err := decoder.Decode(&value); err != nil {
			respond(w, fmt.Errorf("not a JSON %T", value))
			return
		}
		respond(w, add(value))
	}
}

func respond(w http.ResponseWriter, err error) {
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
