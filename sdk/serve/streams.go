package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"google.golang.org/grpc"
)

// streams gives standard output and error back their places. go-plugin puts pipes there that only a host of its own kind
// empties: with any other one, 64 KB of output would stop the provider for good.
type streams struct {
	stderr *os.File
	once   sync.Once
}

// options act at the first call, which is after go-plugin has put its pipes there and before any work.
func (s *streams) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(
			ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
		) (any, error) {
			s.once.Do(s.restore)
			return handler(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(
			server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
		) error {
			s.once.Do(s.restore)
			return handler(server, stream)
		}),
	}
}

func (s *streams) restore() { os.Stdout, os.Stderr = s.stderr, s.stderr }

// holdLifeline ends the process when the host's end of an inherited pipe closes. "" means that there is none.
func holdLifeline(number string) error {
	if number == "" {
		return nil
	}
	fd, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return fmt.Errorf("%s is not the number of a descriptor: %w", EnvLifeline, errors.Unwrap(err))
	}
	lifeline := os.NewFile(uintptr(fd), "lifeline")
	if _, err := lifeline.Stat(); err != nil {
		return fmt.Errorf("%s names no open descriptor: %w", EnvLifeline, err)
	}
	closeOnExec(fd)
	go func() {
		_, _ = io.Copy(io.Discard, lifeline)
		os.Exit(0)
	}()
	return nil
}
