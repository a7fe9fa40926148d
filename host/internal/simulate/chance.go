package simulate

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// chance draws what goes wrong, and counts it. It is safe for concurrent use.
type chance struct {
	mu     sync.Mutex
	random *rand.Rand
	rates  rates
	calm   bool
	counts map[string]int
}

// rates say how often something befalls a request to the vendor, of a thousand; each simulation has its own.
type rates struct{ refuse, fail, lose, slow, stale, providerLost, hostLost int }

func newChance(seed uint64) *chance {
	c := &chance{random: rand.New(rand.NewPCG(seed, 0x6d67726170680000)), counts: map[string]int{}}
	some := func(most int) int { // half of all simulations know nothing of a fault
		if c.random.IntN(2) == 0 {
			return 0
		}
		return c.random.IntN(most)
	}
	c.rates = rates{some(120), some(80), some(120), some(60), some(150), some(80), some(40)}
	return c
}

// draw is a number below n.
func (c *chance) draw(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

// in says whether a chance of one in n came true.
func (c *chance) in(n int) bool { return c.draw(n) == 0 }

// id draws an MGraph id.
func (c *chance) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%08x", c.random.Uint32())
}

func (c *chance) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
}

func (c *chance) tally(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what] += n
}

// quiet ends all faults.
func (c *chance) quiet() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calm = true
}

// The losses that a request can meet, beside what Weather says.
type loss int

const (
	nothingLost loss = iota
	providerLost
	hostLost
)

// weather draws what becomes of one request, and who is lost over it: before it arrives, or after.
func (c *chance) weather() (w cloud.Weather, lost loss, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Way = time.Millisecond
	if c.calm {
		return w, nothingLost, false
	}
	w.Way += time.Duration(c.random.IntN(40)) * time.Millisecond
	w.Back = time.Duration(c.random.IntN(20)) * time.Millisecond
	hit := func(rate int, what string) bool {
		happens := c.random.IntN(1000) < rate
		if happens {
			c.counts[what]++
		}
		return happens
	}
	switch r := c.rates; {
	case hit(r.refuse, "vendor refuses (429)"):
		w.Refuse, w.After = contract.KindThrottled, time.Duration(c.random.IntN(3000))*time.Millisecond
	case hit(r.fail, "vendor fails (500)"):
		w.Refuse = contract.KindRemoteError
	case hit(r.lose, "answer lost"):
		w.Lose = true
	case hit(r.slow, "slow answer"):
		w.Back += time.Duration(c.random.IntN(150)) * time.Second
	case hit(r.stale, "stale read"):
		w.Stale = time.Duration(1+c.random.IntN(8)) * time.Second
	case hit(r.providerLost, "provider process lost"):
		lost = providerLost
	case hit(r.hostLost, "host lost in a call"):
		lost = hostLost
	}
	return w, lost, c.random.IntN(2) == 0
}

// fate draws how the next host ends.
func (c *chance) fate() fate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calm || c.random.IntN(2) == 0 {
		return fate{}
	}
	f := fate{at: moment(c.random.IntN(2)), commit: int64(1 + c.random.IntN(40))}
	f.freeze = f.at == beforeCommit && c.random.IntN(4) == 0
	if f.at == beforeCommit && c.random.IntN(2) == 0 {
		f.stall = time.Duration(c.random.IntN(200)) * time.Millisecond
	}
	return f
}

// storeMethods can fail; what is written fails more often.
var storeMethods = []string{
	"Commit", "Commit", "Commit", "Commit", "CreateRun", "CreateRun", "AcquireRun", "AcquireRun", "CreateGraph", "Events", "Graph",
	"Resources", "Deployment", "LatestRun", "Run", "Installation", "ListRuns",
}

// armStore puts faults into a host's store.
func (c *chance) armStore(s *storetest.FaultyStore) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calm {
		return
	}
	for range c.random.IntN(4) {
		f := storetest.Fault{
			Method: storeMethods[c.random.IntN(len(storeMethods))], Call: 1 + c.random.IntN(4), Times: 1 + c.random.IntN(2),
		}
		if f.Method == "Commit" {
			f.Call = 1 + c.random.IntN(40)
		}
		switch c.random.IntN(3) {
		case 0:
			f.Fail = storetest.Before
		case 1:
			f.Fail = storetest.After
		default:
			f.Delay = time.Duration(c.random.IntN(4000)) * time.Millisecond
		}
		c.counts["store fault armed"]++
		s.Arm(f)
	}
}

// pick is one of some.
func pick[T any](c *chance, of ...T) T { return of[c.draw(len(of))] }
