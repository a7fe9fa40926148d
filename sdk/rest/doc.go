// Package rest holds the requests and answers of the REST API as Go types, once for the host and for its callers, and a
// client. The types carry no rules: what a host accepts, it decides itself, and says in problems (RFC 9457).
//
// Ids of graphs, nodes, edges and runs are 8 lowercase hex characters. An operation's id is its node's id, with "@region"
// behind it where the node has several regions; maps by operation use that key. Times are RFC 3339, UTC, milliseconds;
// durations are seconds. Pointers are JSON Pointers (RFC 6901) into the request body.
package rest
