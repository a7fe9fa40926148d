package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

type providerInput struct {
	Provider string `path:"provider" doc:"The provider's name" example:"aws"`
}

type nameInput struct {
	Name string `path:"name" doc:"The provider's name" example:"aws"`
}

type typeInput struct {
	Type string `path:"type" doc:"The type's name" example:"aws:s3:bucket"`
}

func (s *server) registerCatalog() {
	query(s, route{
		Operation: get("public-keys", "/public-keys/{provider}", "catalog", "Read the keys to seal values with"),
		example:   examplePublicKeys(), errors: []rest.Kind{rest.KindNotFound, rest.KindUnavailable},
	}, func(ctx context.Context, caller engine.Caller, in *providerInput) (*rest.PublicKeys, error) {
		return s.Engine.PublicKeys(ctx, caller, in.Provider)
	})
	query(s, route{
		Operation: get("list-providers", "/providers", "catalog", "List the providers and how they are"),
		example:   exampleProviders(),
	}, func(ctx context.Context, _ engine.Caller, _ *none) (rest.ProviderList, error) {
		list, err := s.Engine.Providers(ctx)
		return rest.ProviderList{Providers: list}, err
	})
	query(s, route{
		Operation: get("get-provider", "/providers/{name}", "catalog", "Read one provider, with the form of its credentials"),
		example:   exampleProvider(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, _ engine.Caller, in *nameInput) (*rest.ProviderStatus, error) {
		return s.Engine.Provider(ctx, in.Name)
	})
	s.registerTypes()
	command(s, route{
		Operation: operatorOnly(huma.Operation{
			OperationID: "reload-providers", Method: http.MethodPost, Path: "/providers/reload", Tags: []string{"catalog"},
			Summary: "Look for provider executables again, and start what is new",
		}),
		request: struct{}{}, example: exampleProviders(), errors: []rest.Kind{rest.KindUnsupportedMedia, rest.KindUnavailable},
	}, func(ctx context.Context, caller engine.Caller, _ *none, _ *none) (*output[rest.ProviderList], error) {
		list, err := s.Engine.Reload(ctx, caller)
		return &output[rest.ProviderList]{Body: rest.ProviderList{Providers: list}}, err
	})
}

func (s *server) registerTypes() {
	query(s, route{
		Operation: get("list-resource-types", "/resource-types", "catalog", "List what can be deployed"),
		example:   exampleTypes(),
	}, func(ctx context.Context, _ engine.Caller, _ *none) (rest.ResourceTypeList, error) {
		list, err := s.Engine.ResourceTypes(ctx)
		return rest.ResourceTypeList{ResourceTypes: list}, err
	})
	query(s, route{
		Operation: get("get-resource-type", "/resource-types/{type}", "catalog", "Read one type: properties, references, outputs"),
		example:   exampleType(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, _ engine.Caller, in *typeInput) (*rest.ResourceType, error) {
		return s.Engine.ResourceType(ctx, in.Type)
	})
}
