// Package api is the REST API over HTTP: it authenticates callers, decodes their requests strictly, hands them to the engine,
// and writes answers, problems (RFC 9457) and event streams. It decides nothing about deployments, keeps no state of its own,
// and never writes back or logs a value that it refused.
package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humahttprouter"
	"github.com/hashicorp/go-hclog"
	"github.com/julienschmidt/httprouter"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Options are what the API is made of. Zero values of the rest than Engine, Keys and Log mean the defaults.
type Options struct {
	Engine Engine
	Keys   Keys
	// Auth is auto when empty.
	Auth AuthMode
	// Listen is the address the host listens on; it decides what auto and off mean. Empty for a host inside a process.
	Listen string
	// KeyHeader is another header that may carry an API key; X-API-Key when empty.
	KeyHeader string
	Log       hclog.Logger
	Version   string
	Limits    config.Limits
	// BodyTimeout bounds the reading of a body (30 s), FollowTimeout each write to a follower of events (15 s), Heartbeat
	// is how often a silent stream says that it lives (15 s).
	BodyTimeout   time.Duration
	FollowTimeout time.Duration
	Heartbeat     time.Duration
	// feed is Engine.Events but in tests.
	feed func(ctx context.Context, caller engine.Caller, graphID, runID, after string) (*feed, error)
	// Now is the clock of access times; time.Now when nil.
	Now func() time.Time
}

const defaultBodyBytes = 10 << 20

func (o *Options) setDefaults() {
	defaultTo(&o.Auth, AuthAuto)
	defaultTo(&o.KeyHeader, "X-API-Key")
	defaultTo(&o.BodyTimeout, 30*time.Second)
	defaultTo(&o.FollowTimeout, 15*time.Second)
	defaultTo(&o.Heartbeat, 15*time.Second)
	defaultTo(&o.Limits.MaxBytes, defaultBodyBytes)
	if o.feed == nil {
		o.feed = feedOf(o.Engine)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func defaultTo[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// server is the API while it serves.
type server struct {
	Options
	api huma.API
}

// New makes the handler of the whole API. It fails with ErrAuthOff when authentication is off and the address is not a
// loopback one.
func New(options Options) (http.Handler, error) {
	options.setDefaults()
	if err := checkAuth(options.Auth, options.Listen); err != nil {
		return nil, err
	}
	configureHuma()
	s := &server{Options: options}
	s.sayIfOpen()
	router := s.router()
	s.api = humahttprouter.New(router, humaConfig(options.Version))
	s.api.UseMiddleware(s.authorize, s.negotiate)
	s.registerDeploy()
	s.registerDiscover()
	s.registerQueries()
	s.registerEvents()
	s.registerCatalog()
	s.registerInfo()
	s.registerKeys()
	if err := s.serveDocumentation(router); err != nil {
		return nil, err
	}
	return s.watch(s.guardHost(wholeQuery(router))), nil
}

// configureHuma replaces, once in the process, what huma does by itself and we must not: its errors echo what they refuse.
var configureHuma = sync.OnceFunc(func() {
	huma.NewErrorWithContext = newHumaError
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newHumaError(nil, status, message, errs...)
	}
	huma.DefaultArrayNullable = false
})

// router answers with problems where httprouter would with text, and never redirects.
func (s *server) router() *httprouter.Router {
	router := httprouter.New()
	router.RedirectTrailingSlash = false
	router.RedirectFixedPath = false
	router.NotFound = s.refusal(rest.KindNotFound, "there is nothing at this path: see /docs")
	router.MethodNotAllowed = s.refusal(rest.KindMethodNotAllowed, "this path has other methods: see the Allow header")
	return router
}

func (s *server) refusal(kind rest.Kind, detail string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		newProblem(kind, detail).write(w, r)
	})
}
