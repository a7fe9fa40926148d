package provider

import (
	"fmt"
	"runtime/debug"
)

// guarded calls the author's code: a panic becomes an error, its stack goes to the process's log only.
func guarded[T any](c *call, author func() (T, error)) (result T, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = c.survive(panicked)
		}
	}()
	return author()
}

// survive turns a panic into an error.
func (c *call) survive(panicked any) error {
	c.mu.Lock()
	c.panicked = true
	message := c.secrets.redact(fmt.Sprint(panicked))
	c.mu.Unlock()
	c.runtime.Log.Error("the provider's code panicked", "type", c.kind, "call", c.context.CallID,
		"panic", message, "stack", string(debug.Stack()))
	return Errorf(ProviderFault, "the provider's code panicked; its log has the stack")
}
