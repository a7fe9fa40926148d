package rest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
)

// WithIdempotencyKey names the call: when a call with this key was made before, nothing is started, and the answer is what that
// one came to. Without it each call has a key of its own, which lets a lost connection be tried again.
func WithIdempotencyKey(key string) CallOption {
	return func(o *callOptions) { o.key = key }
}

// once sends a command and reads its answer. When the connection is lost before the answer has come, it asks again under the same
// key: the host knows then whether it began.
func once[T any](ctx context.Context, c *Client, path string, header http.Header, body []byte, key string) (*T, error) {
	if key == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		key = hex.EncodeToString(random[:])
	}
	header.Set("Idempotency-Key", key)
	pause := c.follow.first
	for try := 1; ; try++ {
		answer, err := command[T](ctx, c, path, header, body)
		if err == nil || try >= c.follow.tries || !unanswered(err, try > 1) || ctx.Err() != nil {
			return answer, err
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, c.follow.most)
	}
}

func command[T any](ctx context.Context, c *Client, path string, header http.Header, body []byte) (*T, error) {
	response, err := c.send(ctx, http.MethodPost, path, nil, header, body)
	if err != nil {
		return nil, err
	}
	return read[T](response)
}

// unanswered says that the host may have got the command, and that its answer did not come through. A host that nobody reached
// yet is not waited for; one that is gone since then may be starting again.
func unanswered(err error, reached bool) bool {
	var problem *ProblemError
	if errors.As(err, &problem) {
		gateway := problem.Status == http.StatusBadGateway || problem.Status == http.StatusGatewayTimeout
		return problem.Kind == KindUnexpected && gateway
	}
	var network *net.OpError
	return reached || !errors.As(err, &network) || network.Op != "dial"
}
