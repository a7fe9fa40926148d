package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

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
