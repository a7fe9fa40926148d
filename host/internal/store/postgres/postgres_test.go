package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/postgres"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	schemas := map[string]string{}
	storetest.Run(t, func(t *testing.T, place string) store.Store {
		if schemas[place] == "" {
			schemas[place] = pgserver.Shared(t).Schema(t)
		}
		return open(t, schemas[place])
	})
}

func open(t testing.TB, address string) *postgres.Store {
	s, err := postgres.Open(t.Context(), address, postgres.Options{})
	require.NoError(t, err)
	return s
}
