package api

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Feed lets tests stand in for the engine's event streams, which only an engine can make.
type Feed = feed

// NewFeed makes one.
func NewFeed(runID string, reset bool, next func(context.Context) ([]rest.Event, bool, error)) *Feed {
	return &feed{runID: runID, reset: reset, next: next}
}

// FeedOf has the API take its events from a function.
func FeedOf(make func(graphID, runID, after string) *Feed) func(*Options) {
	return func(o *Options) {
		o.feed = func(_ context.Context, _ engine.Caller, graphID, runID, after string) (*feed, error) {
			return make(graphID, runID, after), nil
		}
	}
}
