// Package githubfake is a stateful stand-in for the part of GitHub's REST API that the project's GitHub provider uses: who
// am I, rate limit, repositories (read only), and repository secrets of Actions. It checks tokens and what they may do, opens
// every sealed box that it is given, counts rate limits, and pages, so that a client which is wrong is told so.
//
// It is no GitHub: repositories and tokens appear only by seeding, and there are no environments, organisations, workflows or
// renames. Its form is judged by GitHub's own description of the API (package referee). Guessed, since GitHub documents them
// nowhere: the answer to an unknown key id, to a value over 48 KB and to secret number 101 (all 422).
//
// Under /_fake/ it offers the methods of Fake to other processes; there is no access control on them, so that it belongs on
// loopback only.
package githubfake

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

// Options are what a Fake takes from outside; the zero value is usable.
type Options struct {
	Now       func() time.Time // time.Now when nil
	Random    io.Reader        // keys are made of it; crypto/rand when nil
	RateLimit int              // requests an hour for each user; 5000 when zero, as GitHub's
}

// Token is a credential that the fake knows.
type Token struct {
	Value string `json:"token"`
	Login string `json:"login"`
	// Scopes are "repo" for everything, or a fine-grained token's "secrets=read" and "secrets=write". With none of them a
	// token may look at public repositories.
	Scopes    []string  `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// String keeps the token's value out of whatever is printed.
func (t Token) String() string { return fmt.Sprintf("token of %s (***)", t.Login) }

// GoString is String.
func (t Token) GoString() string { return t.String() }

// Repo is a repository to seed.
type Repo struct {
	Owner    string `json:"owner"`
	Name     string `json:"name"`
	Private  bool   `json:"private"`
	Archived bool   `json:"archived"` // readable, but nothing in it can be written
}

// Secret is a repository secret as the fake holds it, opened.
type Secret struct {
	Name      string    `json:"name"`
	Value     string    `json:"value"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Writes    int       `json:"writes"` // how often it was put since it was created
}

// String keeps the secret's value out of whatever is printed.
func (s Secret) String() string { return s.Name + " (***)" }

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// Request is one call that the API has handled, whether or not its answer reached the caller.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Status int    `json:"status"`
	Login  string `json:"login"`
}

// Fake is the stand-in. It serves GitHub's API at the root and, as GitHub Enterprise Server does, under /api/v3/.
type Fake struct {
	now       func() time.Time
	random    io.Reader
	rateLimit int
	faults    fault.Injector
	handler   http.Handler

	mu       sync.Mutex
	tokens   map[string]Token
	users    map[string]*user
	repos    map[string]*repo
	requests []Request
	lastID   int64
}

var _ http.Handler = (*Fake)(nil)

// New makes a fake without users and repositories.
func New(options Options) *Fake {
	clock := options.Now
	if clock == nil {
		clock = time.Now
	}
	f := &Fake{
		now:    func() time.Time { return clock().UTC().Truncate(time.Second) }, // GitHub's times have no fractions
		random: options.Random, rateLimit: options.RateLimit,
		tokens: map[string]Token{}, users: map[string]*user{}, repos: map[string]*repo{},
	}
	if f.random == nil {
		f.random = rand.Reader
	}
	if f.rateLimit == 0 {
		f.rateLimit = 5000
	}
	api := f.faults.Wrap(f.api())
	mux := http.NewServeMux()
	mux.Handle("/_fake/", f.admin())
	mux.Handle("/api/v3/", http.StripPrefix("/api/v3", api))
	mux.Handle("/", api)
	f.handler = mux
	return f
}

// ServeHTTP serves the API and the routes under /_fake/.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.handler.ServeHTTP(w, r) }

// Faults is where a test makes the API misbehave; the routes under /_fake/ are never struck.
func (f *Fake) Faults() *fault.Injector { return &f.faults }

// AddToken makes a token known, and its user if need be. A token of the same value is replaced.
func (f *Fake) AddToken(token Token) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens[token.Value] = token
	f.user(token.Login)
}

// AddRepo makes a repository; one that is there stays as it is.
func (f *Fake) AddRepo(seed Repo) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, exists := f.repos[repoKey(seed.Owner, seed.Name)]; exists {
		return nil
	}
	keys, err := newKeyPair(f.random)
	if err != nil {
		return err
	}
	f.repos[repoKey(seed.Owner, seed.Name)] = &repo{
		Repo: seed, id: f.nextID(), owner: f.user(seed.Owner), keys: keys, secrets: map[string]*Secret{}, created: f.now(),
	}
	return nil
}

// RotateKey gives a repository a new key pair: what is sealed to the old one is refused from then on.
func (f *Fake) RotateKey(owner, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, ok := f.repos[repoKey(owner, name)]
	if !ok {
		return fmt.Errorf("no repository %s/%s", owner, name)
	}
	keys, err := newKeyPair(f.random)
	if err != nil {
		return err
	}
	repo.keys = keys
	return nil
}

// Secrets are a repository's secrets, opened, by name; none for a repository that is not there.
func (f *Fake) Secrets(owner, name string) []Secret {
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, ok := f.repos[repoKey(owner, name)]
	if !ok {
		return nil
	}
	return repo.sorted()
}

// Secret is one of a repository's secrets, opened.
func (f *Fake) Secret(owner, name, secret string) (Secret, bool) {
	for _, held := range f.Secrets(owner, name) {
		if strings.EqualFold(held.Name, secret) {
			return held, true
		}
	}
	return Secret{}, false
}

// SetRemaining sets how many requests a user has left in the current hour.
func (f *Fake) SetRemaining(login string, remaining int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.user(login).window(f.now()).used = f.rateLimit - remaining
}

// Requests are the calls that the API has handled so far, in the order in which it finished them.
func (f *Fake) Requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// user finds or makes a user; the caller holds the lock.
func (f *Fake) user(login string) *user {
	key := strings.ToLower(login)
	if _, ok := f.users[key]; !ok {
		f.users[key] = &user{login: login, id: f.nextID(), created: f.now()}
	}
	return f.users[key]
}

func (f *Fake) nextID() int64 {
	f.lastID++
	return f.lastID
}
