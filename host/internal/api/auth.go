package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humahttprouter"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// AuthMode says when API keys are needed.
type AuthMode string

// The modes. Auto asks for keys as soon as there is one, and everywhere but on loopback.
const (
	AuthAuto AuthMode = "auto"
	AuthKeys AuthMode = "keys"
	AuthOff  AuthMode = "off"
)

// AuthModes lists every mode.
func AuthModes() []AuthMode { return []AuthMode{AuthAuto, AuthKeys, AuthOff} }

// The ways that a host can be told to do what it must not.
var (
	ErrAuthOff     = errors.New("authentication can be off on a loopback address only")
	ErrAuthUnknown = errors.New("unknown authentication mode: use auto, keys or off")
)

// DefaultTenant is whose graphs a caller without a key sees.
const DefaultTenant = "default"

func checkAuth(mode AuthMode, listen string) error {
	switch {
	case mode == AuthOff && !onLoopback(listen):
		return ErrAuthOff
	case mode != AuthAuto && mode != AuthKeys && mode != AuthOff:
		return ErrAuthUnknown
	default:
		return nil
	}
}

// onLoopback says whether only this machine can reach the address. No address at all is a host inside a process.
func onLoopback(listen string) bool {
	if listen == "" {
		return true
	}
	host, _, err := net.SplitHostPort(listen)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// sayIfOpen warns at start-up. A host inside a process is open to nobody else.
func (s *server) sayIfOpen() {
	if s.Listen == "" {
		return
	}
	if open, err := s.open(context.Background()); err == nil && open {
		s.Log.Warn("no API key is needed: anyone on this machine can deploy as tenant " + DefaultTenant)
	}
}

// open says whether no key is needed now.
func (s *server) open(ctx context.Context) (bool, error) {
	if s.Auth == AuthOff {
		return true, nil
	}
	if s.Auth == AuthKeys || !onLoopback(s.Listen) {
		return false, nil
	}
	keys, err := s.Keys.Keys(ctx)
	return err == nil && len(keys) == 0, err
}

// authState is what the API says of itself.
func (s *server) authState(ctx context.Context) string {
	open, err := s.open(ctx)
	switch {
	case err != nil || !open:
		return string(AuthKeys)
	case s.Auth == AuthOff:
		return string(AuthOff)
	default:
		return "open"
	}
}

// guardHost keeps web pages away from a host that needs no key: a page can make its own name resolve to 127.0.0.1, but it
// cannot make the browser send another name than that.
func (s *server) guardHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open, err := s.open(r.Context())
		switch {
		case err != nil:
			s.Log.Error("keys cannot be read", "error", err)
			newProblem(rest.KindUnavailable, "the store does not answer").write(w, r)
		case open && !isLoopback(hostName(r.Host)):
			newProblem(rest.KindMisdirected, "without API keys only loopback names are answered to").write(w, r)
		case open && http.NewCrossOriginProtection().Check(r) != nil:
			newProblem(rest.KindForbidden, "a page of another site may not call a host that needs no key").write(w, r)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), openKey{}, open)))
		}
	})
}

// wholeQuery refuses a query that cannot be read whole: what is dropped from it may be the filter of a list.
func wholeQuery(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
			p := newProblem(rest.KindInvalid, "a parameter is not as it must be")
			p.Errors = []rest.FieldError{{Pointer: "#/query", Detail: "must be name=value, joined by &, with what is special escaped by %"}}
			p.write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type openKey struct{}

func hostName(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return hostPort
}

// authorize finds the caller of every operation that is not public, and checks the role.
func (s *server) authorize(ctx huma.Context, next func(huma.Context)) {
	request, w, params := humahttprouter.Unwrap(ctx)
	current := exchangeOf(ctx.Context())
	current.route = ctx.Operation().Path
	if id := params.ByName("graph_id"); hexID.MatchString(id) {
		current.graphID = id
	}
	if isPublic(ctx.Operation()) {
		next(ctx)
		return
	}
	caller, err := s.authenticate(request)
	if err == nil && needsOperator(ctx.Operation()) && caller.Role != rest.RoleOperator {
		err = newProblem(rest.KindForbidden, "this needs the role "+rest.RoleOperator)
	}
	if err != nil {
		s.problemOf(ctx.Context(), err).write(w, request)
		return
	}
	current.caller = caller
	next(ctx)
}

func (s *server) authenticate(r *http.Request) (engine.Caller, error) {
	if open, _ := r.Context().Value(openKey{}).(bool); open {
		return engine.Caller{Tenant: DefaultTenant, Name: "local", Role: rest.RoleOperator}, nil
	}
	secret := s.keyOf(r)
	if secret == "" {
		return engine.Caller{}, newProblem(rest.KindUnauthorized, "the request carries no API key")
	}
	hash := HashKey(secret)
	key, err := s.Keys.KeyByHash(r.Context(), hash)
	if errors.Is(err, store.ErrNotFound) || (err == nil && subtle.ConstantTimeCompare([]byte(key.Hash), []byte(hash)) != 1) {
		return engine.Caller{}, newProblem(rest.KindUnauthorized, "the API key is not known")
	}
	if err != nil {
		s.Log.Error("keys cannot be read", "error", err)
		return engine.Caller{}, newProblem(rest.KindUnavailable, "the store does not answer")
	}
	return engine.Caller{Tenant: key.Tenant, Name: key.Name, Role: key.Role}, nil
}

func (s *server) keyOf(r *http.Request) string {
	scheme, secret, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(secret)
	}
	return strings.TrimSpace(r.Header.Get(s.KeyHeader))
}

// HashKey is what the store knows of an API key: keys are long and random, so that one plain SHA-256 does.
func HashKey(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
