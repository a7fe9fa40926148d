package storetest

import (
	"path/filepath"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

func (s *suite) installation() {
	first, err := s.store.Installation(s.ctx())
	require.NoError(s, err)
	require.NotEmpty(s, first)
	standing, err := s.store.Standing(s.ctx())
	require.NoError(s, err)
	require.NotEmpty(s, standing.Kind)
	s.reopen()
	again, err := s.store.Installation(s.ctx())
	require.NoError(s, err)
	require.Equal(s, first, again)

	other := &suite{T: s.T, open: s.open, place: filepath.Join(s.TempDir(), "store")}
	other.reopen()
	second, err := other.store.Installation(s.ctx())
	require.NoError(s, err)
	require.NotEqual(s, first, second)
}

func (s *suite) keys() {
	ctx := s.ctx()
	none, err := s.store.Keys(ctx)
	require.NoError(s, err)
	require.Empty(s, none)

	newer := store.APIKey{Name: "ci", Tenant: tenantA, Role: "tenant", Hash: "aa", CreatedAt: at(2)}
	older := store.APIKey{Name: "ci", Tenant: tenantB, Role: "operator", Hash: "bb", CreatedAt: at(1)}
	s.requireFilled(newer)
	require.NoError(s, s.store.CreateKey(ctx, newer))
	require.NoError(s, s.store.CreateKey(ctx, older))
	require.ErrorIs(s, s.store.CreateKey(ctx, store.APIKey{Name: "ci", Tenant: tenantA, Role: "tenant", Hash: "cc"}), store.ErrExists)
	require.ErrorIs(s, s.store.CreateKey(ctx, store.APIKey{Name: "other", Tenant: tenantA, Role: "tenant", Hash: "aa"}), store.ErrExists)
	require.Error(s, s.store.CreateKey(ctx, store.APIKey{Name: "other", Tenant: tenantA, Role: "king", Hash: "dd"}))

	s.reopen()
	all, err := s.store.Keys(ctx)
	require.NoError(s, err)
	require.Equal(s, []store.APIKey{older, newer}, all)
	found, err := s.store.KeyByHash(ctx, "aa")
	require.NoError(s, err)
	require.Equal(s, newer, found)
	_, err = s.store.KeyByHash(ctx, "a")
	require.ErrorIs(s, err, store.ErrNotFound)

	require.NoError(s, s.store.RevokeKey(ctx, tenantA, "ci"))
	require.ErrorIs(s, s.store.RevokeKey(ctx, tenantA, "ci"), store.ErrNotFound)
	_, err = s.store.KeyByHash(ctx, "aa")
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.KeyByHash(ctx, "bb")
	require.NoError(s, err, "a key of the same name of another tenant stays")
	require.NoError(s, s.store.CreateKey(ctx, newer), "a revoked name is free again")
}

func (s *suite) digests() {
	for _, step := range []struct{ provider, version, digest, recorded string }{
		{"aws", "1.0.0", "first", "first"},
		{"aws", "1.0.0", "second", "first"},
		{"aws", "1.0.1", "second", "second"},
		{"github", "1.0.0", "third", "third"},
		{"aws", "1.0.0", "first", "first"},
	} {
		recorded, err := s.store.PinDigest(s.ctx(), step.provider, step.version, step.digest)
		require.NoError(s, err)
		require.Equal(s, step.recorded, recorded)
		s.reopen()
	}
}

func (s *suite) providerKeys() {
	for _, step := range []struct {
		provider string
		ids      []string
		before   []string
	}{
		{"aws", []string{"k2"}, nil},
		{"aws", []string{"k2", "k1"}, []string{"k2"}},
		{"github", []string{"k1"}, nil},
		{"aws", nil, []string{"k2", "k1"}},
		{"aws", []string{"k3"}, []string{"k2", "k1"}},
		{"aws", []string{"k3", "k2"}, []string{"k2", "k1"}},
		{"aws", []string{"k3", "k1", "k2"}, []string{"k2", "k1"}},
		{"aws", nil, []string{"k2", "k1", "k3"}},
	} {
		before, err := s.store.PinKeys(s.ctx(), step.provider, step.ids)
		require.NoError(s, err)
		require.Equal(s, step.before, before)
		s.reopen()
	}
}
