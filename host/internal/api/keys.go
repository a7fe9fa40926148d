package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

type keyInput struct {
	Tenant string `path:"tenant" doc:"The key's tenant" example:"default"`
	Name   string `path:"name" doc:"The key's name" example:"pipeline"`
}

type createdOutput struct {
	Status int
	Body   rest.CreatedKey
}

func (s *server) registerKeys() {
	command(s, route{
		Operation: operatorOnly(huma.Operation{
			OperationID: "create-key", Method: http.MethodPost, Path: "/keys", Tags: []string{"keys"}, DefaultStatus: http.StatusCreated,
			Summary:     "Make an API key",
			Description: "The secret is shown this once. From the first key on, every request needs one.",
		}),
		request: exampleKeyRequest(), example: exampleCreatedKey(),
		errors: []rest.Kind{rest.KindMalformed, rest.KindConflict, rest.KindUnsupportedMedia, rest.KindInvalid},
	}, s.createKey)
	query(s, route{
		Operation: operatorOnly(get("list-keys", "/keys", "keys", "List the API keys, without their secrets")), example: exampleKeys(),
	}, func(ctx context.Context, _ engine.Caller, _ *none) (rest.KeyList, error) {
		keys, err := s.Keys.Keys(ctx)
		return rest.KeyList{Keys: keysOf(keys)}, err
	})
	handle(s, route{
		Operation: operatorOnly(huma.Operation{
			OperationID: "revoke-key", Method: http.MethodDelete, Path: "/keys/{tenant}/{name}", Tags: []string{"keys"},
			Summary: "Revoke an API key at once", DefaultStatus: http.StatusNoContent,
		}),
		errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, _ engine.Caller, in *keyInput) (*struct{}, error) {
		err := s.Keys.RevokeKey(ctx, in.Tenant, in.Name)
		if errors.Is(err, store.ErrNotFound) {
			err = newProblem(rest.KindNotFound, "there is no such key")
		}
		return &struct{}{}, err
	})
}

func (s *server) createKey(ctx context.Context, _ engine.Caller, body *rest.KeyRequest, _ *none) (*createdOutput, error) {
	defaultTo(&body.Tenant, DefaultTenant)
	defaultTo(&body.Role, rest.RoleTenant)
	if err := checkKey(body); err != nil {
		return nil, err
	}
	secret := newSecret()
	key := store.APIKey{
		Name: body.Name, Tenant: body.Tenant, Role: body.Role, Hash: HashKey(secret), CreatedAt: s.Now().UTC(),
	}
	err := s.Keys.CreateKey(ctx, key)
	if errors.Is(err, store.ErrExists) {
		return nil, newProblem(rest.KindConflict, "the tenant has a key of that name")
	}
	if err != nil {
		return nil, err
	}
	created := rest.CreatedKey{Key: keysOf([]store.APIKey{key})[0], Secret: secret}
	return &createdOutput{Status: http.StatusCreated, Body: created}, nil
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func checkKey(body *rest.KeyRequest) error {
	p := newProblem(rest.KindInvalid, "the key cannot be made so")
	if !keyName.MatchString(body.Name) {
		p.Errors = append(p.Errors, rest.FieldError{Pointer: "/name", Detail: "must be letters, digits, '_', '-', 1 to 64"})
	}
	if !keyName.MatchString(body.Tenant) {
		p.Errors = append(p.Errors, rest.FieldError{Pointer: "/tenant", Detail: "must be letters, digits, '_', '-', 1 to 64"})
	}
	if body.Role != rest.RoleTenant && body.Role != rest.RoleOperator {
		p.Errors = append(p.Errors, rest.FieldError{Pointer: "/role", Detail: "must be tenant or operator"})
	}
	if p.Errors == nil {
		return nil
	}
	return p
}

// newSecret makes a key: a prefix that scanners for leaked secrets can look for, and 256 random bits.
func newSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:])
	return "mgd_" + base64.RawURLEncoding.EncodeToString(random[:])
}

func keysOf(keys []store.APIKey) []rest.Key {
	list := make([]rest.Key, len(keys))
	for i, key := range keys {
		list[i] = rest.Key{Name: key.Name, Tenant: key.Tenant, Role: key.Role, CreatedAt: rest.At(key.CreatedAt)}
	}
	return list
}
