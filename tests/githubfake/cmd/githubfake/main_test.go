package main

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServesUntilToldToEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, "127.0.0.1:0") }()
	cancel()
	require.NoError(t, <-ended)
}

func TestServesOnLoopbackOnly(t *testing.T) {
	require.ErrorContains(t, serve(t.Context(), "0.0.0.0:0"), "loopback")
}

func TestTakenAddressIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	require.Error(t, serve(t.Context(), listener.Addr().String()))
}
