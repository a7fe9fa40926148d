package rest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type followSettings struct {
	tries       int
	first, most time.Duration
	silence     time.Duration
}

func defaultFollow() followSettings {
	return followSettings{tries: 12, first: 200 * time.Millisecond, most: 5 * time.Second, silence: time.Minute}
}

// FollowFrom says which events to follow.
type FollowFrom struct {
	GraphID string
	// RunID is a run of the graph; the latest when empty.
	RunID string
	// After is the id of the last event seen; all events when empty.
	After string
	// Reset, when set, is told that all events come again, since the host does not know the last one.
	Reset func()
}

// Follow tells each event in order until the run stands. It gets a lost connection back, going on behind the last event.
func (c *Client) Follow(ctx context.Context, from FollowFrom, event func(Event)) error {
	pause := c.follow.first
	for failures := 0; ; {
		last := from.After
		done, err := c.followOnce(ctx, &from, event)
		if done || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if from.After != last {
			failures, pause = 0, c.follow.first
		}
		if failures++; failures >= c.follow.tries || !passing(err) {
			return fmt.Errorf("follow events: %w", err)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, c.follow.most)
	}
}

// passing says that another try may go better: the connection failed, or the host is not well.
func passing(err error) bool {
	var problem *ProblemError
	return !errors.As(err, &problem) || problem.Status >= 500 || problem.Status == http.StatusTooManyRequests
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var (
	errSilent = errors.New("the stream fell silent")
	errEnded  = errors.New("the stream ended early")
)

// followOnce reads one connection's events. done says that the run stands.
func (c *Client) followOnce(parent context.Context, from *FollowFrom, event func(Event)) (done bool, err error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	watchdog := time.AfterFunc(c.follow.silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	header := http.Header{"Accept": {"text/event-stream"}}
	if from.After != "" {
		header.Set("Last-Event-ID", from.After)
	}
	response, err := c.send(ctx, http.MethodGet, path("deploy", "events", from.GraphID), runValues(from.RunID), header, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = response.Body.Close() }()
	frames := &frameReader{lines: bufio.NewReader(response.Body), alive: func() { watchdog.Reset(c.follow.silence) }}
	for {
		frame, err := frames.next()
		if err != nil {
			return false, err
		}
		if done, err = frame.deliver(from, event); done || err != nil {
			return done, err
		}
	}
}

// frame is one server-sent event.
type frame struct {
	name string
	data []byte
}

func (f frame) deliver(from *FollowFrom, event func(Event)) (done bool, err error) {
	switch f.name {
	case "end":
		return true, nil
	case "reset":
		from.After = ""
		if from.Reset != nil {
			from.Reset()
		}
		return false, nil
	}
	var read Event
	if err := json.Unmarshal(f.data, &read); err != nil {
		return false, fmt.Errorf("read an event: %w", err)
	}
	from.After = read.ID
	event(read)
	return false, nil
}

// maxLine bounds one line of a stream: an event with all its outputs.
const maxLine = 32 << 20

// frameReader takes a stream apart.
type frameReader struct {
	lines *bufio.Reader
	alive func()
}

// next gives the next frame that has data; comments only show that the stream lives.
func (r *frameReader) next() (frame, error) {
	var next frame
	for {
		line, err := r.line()
		if err != nil {
			return frame{}, err
		}
		r.alive()
		field, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case len(line) == 0 && next.data != nil:
			return next, nil
		case len(line) == 0:
			next = frame{}
		case field == "event":
			next.name = value
		case field == "data":
			next.data = append(next.data, value...)
		}
	}
}

func (r *frameReader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, io.EOF):
			return nil, errEnded
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxLine:
			return nil, errors.New("a line of the stream is too long")
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		}
	}
}
