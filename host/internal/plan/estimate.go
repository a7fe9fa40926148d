package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// unknownDuration stands in for one that nobody declared.
const unknownDuration = time.Second

// estimate follows the longest way through the operations, which are in order. Behind an end edge nothing runs.
func (p *Plan) estimate(catalog graph.Catalog) {
	p.catalog = catalog
	typical := durations{catalog: catalog, known: map[step]time.Duration{}}
	done, skipped := make([]time.Duration, len(p.Operations)), make([]bool, len(p.Operations))
	p.Estimate = 0
	for i := range p.Operations {
		operation := &p.Operations[i]
		var start time.Duration
		for _, edge := range operation.Predecessors {
			start = max(start, done[edge.Operation])
			skipped[i] = skipped[i] || edge.Type == graph.End || skipped[edge.Operation]
		}
		operation.Typical = typical.of(operation.Node)
		done[i] = start + operation.Typical
		if !skipped[i] {
			p.Estimate = max(p.Estimate, done[i])
		}
	}
}

// durations remembers what the catalog says of a type and verb.
type durations struct {
	catalog graph.Catalog
	known   map[step]time.Duration
}

type step struct {
	name string
	verb contract.Verb
}

func (d durations) of(node *graph.Node) time.Duration {
	at := step{node.Type, node.Verb}
	duration, ok := d.known[at]
	if !ok {
		duration = d.declared(at)
		d.known[at] = duration
	}
	return duration
}

func (d durations) declared(at step) time.Duration {
	if d.catalog == nil {
		return unknownDuration
	}
	if kind, ok := d.catalog.Type(at.name); ok {
		if support, _ := kind.Verb(at.verb); support.TypicalDuration > 0 {
			return support.TypicalDuration
		}
	}
	return unknownDuration
}

// name gives each operation its id in the execution graph: a hash of seed and operation, and of a count where that is taken.
func (p *Plan) name(seed string) {
	taken := make(map[string]bool, len(p.Operations))
	for i := range p.Operations {
		operation := &p.Operations[i]
		id := execNodeID(seed, operation.ID, 0)
		for attempt := 1; taken[id]; attempt++ {
			id = execNodeID(seed, operation.ID, attempt)
		}
		taken[id] = true
		operation.ExecNodeID = id
	}
}

func execNodeID(seed, operation string, attempt int) string {
	sum := sha256.Sum256([]byte(seed + "\x00" + operation + "\x00" + strconv.Itoa(attempt)))
	return hex.EncodeToString(sum[:4])
}
