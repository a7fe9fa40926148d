package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// expander asks providers what composites consist of, while one graph is built. Err is why one could not be asked.
type expander struct {
	ctx     context.Context
	engine  *Engine
	catalog *catalog
	err     error
}

// expand gives nil when there is no answer. What the provider itself says to be wrong is the graph's to report, where the
// composite stands; anything else is no fault of the request.
func (x *expander) expand(request *contract.ExpandRequest) *contract.ExpandResult {
	if x.err != nil {
		return nil
	}
	name, _, _ := strings.Cut(request.Type, ":")
	pin, _, _ := x.catalog.Provider(name)
	var result *contract.ExpandResult
	err := x.engine.ask(x.ctx, name, pin.Version, func(provider contract.Provider) (err error) {
		result, err = provider.Expand(x.ctx, request)
		return err
	})
	if err == nil {
		return result
	}
	x.engine.log.Warn("composite could not be expanded", "type", request.Type, "error", err)
	if spoken, ok := errors.AsType[*contract.Error](err); !ok || spoken.Kind == contract.KindInterrupted {
		x.err = err
	}
	return nil
}
