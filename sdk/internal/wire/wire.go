// Package wire converts between the contract's Go values and the messages of mgraph.deploy.provider.v1: one function a message
// each way, nil in nil out, and errors to and from gRPC statuses. Values that a later version may send are tolerated.
//
// It decides nothing: what a message means is the contract's business.
package wire

import (
	"encoding/json"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// list converts each element; nil stays nil.
func list[From, To any](all []From, convert func(*From) *To) []*To {
	if all == nil {
		return nil
	}
	converted := make([]*To, len(all))
	for i := range all {
		converted[i] = convert(&all[i])
	}
	return converted
}

// values is list for the way back, from pointers to values.
func values[From, To any](all []*From, convert func(*From) *To) []To {
	if len(all) == 0 {
		return nil
	}
	converted := make([]To, 0, len(all))
	for _, one := range all {
		if value := convert(one); value != nil {
			converted = append(converted, *value)
		}
	}
	return converted
}

// timeTo leaves the zero time out.
func timeTo(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// timeFrom gives the zero time for what was left out.
func timeFrom(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// durationTo leaves zero out.
func durationTo(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// durationFrom gives zero for what was left out.
func durationFrom(d *durationpb.Duration) time.Duration { return d.AsDuration() }

// documentFrom is one JSON document, nil when there is none.
func documentFrom(raw []byte) json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

// documentsTo converts documents by name.
func documentsTo(documents map[string]json.RawMessage) map[string][]byte {
	if documents == nil {
		return nil
	}
	converted := make(map[string][]byte, len(documents))
	for name, document := range documents {
		converted[name] = document
	}
	return converted
}

// documentsFrom converts them back.
func documentsFrom(documents map[string][]byte) map[string]json.RawMessage {
	if len(documents) == 0 {
		return nil
	}
	converted := make(map[string]json.RawMessage, len(documents))
	for name, document := range documents {
		converted[name] = document
	}
	return converted
}
