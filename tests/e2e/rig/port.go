package rig

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are taken from below the range that systems give to outgoing connections, so that a host which is started again finds
// its own still free.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 100
)

var errNoPort = errors.New("no free port was found")

var ports struct {
	sync.Mutex
	taken map[int]bool
}

// freeAddress is a loopback address that nobody listens on, and that this program gives out once.
func freeAddress() (string, error) {
	ports.Lock()
	defer ports.Unlock()
	if ports.taken == nil {
		ports.taken = map[int]bool{}
	}
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if !ports.taken[port] && free(address) {
			ports.taken[port] = true
			return address, nil
		}
	}
	return "", errNoPort
}

func free(address string) bool {
	listener, err := net.Listen("tcp", address)
	return err == nil && listener.Close() == nil
}
