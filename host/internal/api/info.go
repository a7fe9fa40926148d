package api

import (
	"context"
	"runtime"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const (
	healthPath  = "/info/health"
	serviceName = "mgraph-deploy"
)

func (s *server) registerInfo() {
	query(s, route{
		Operation: public(get("health", healthPath, "info", "Say whether requests are taken; needs no key")),
		example:   exampleHealth(), errors: []rest.Kind{rest.KindUnavailable},
	}, func(ctx context.Context, _ engine.Caller, _ *none) (rest.Health, error) {
		if err := s.Engine.Ready(ctx); err != nil {
			s.Log.Warn("not ready", "error", err)
			return rest.Health{}, newProblem(rest.KindUnavailable, "the host does not take requests now")
		}
		return rest.Health{Status: "ok"}, nil
	})
	query(s, route{
		Operation: get("info-status", "/info/status", "info", "Say how the host and its parts are"), example: exampleSystem(),
	}, func(ctx context.Context, _ engine.Caller, _ *none) (*rest.SystemStatus, error) {
		status, err := s.Engine.SystemStatus(ctx)
		if err == nil {
			status.Auth = s.authState(ctx)
		}
		return status, err
	})
	query(s, route{
		Operation: get("version", "/info/version", "info", "Say which version this is"), example: exampleVersion(),
	}, func(context.Context, engine.Caller, *none) (rest.Version, error) {
		return rest.Version{Name: serviceName, Version: s.Version, Go: runtime.Version()}, nil
	})
	query(s, route{
		Operation: get("whoami", "/info/whoami", "info", "Say whom the host takes the caller for"), example: exampleWhoami(),
	}, func(ctx context.Context, caller engine.Caller, _ *none) (rest.Whoami, error) {
		return rest.Whoami{Tenant: caller.Tenant, Name: caller.Name, Role: caller.Role, Auth: s.authState(ctx)}, nil
	})
}
