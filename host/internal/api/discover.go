package api

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (s *server) registerDiscover() {
	command(s, route{
		Operation: deployOperation("discover", "/deploy/discover", "Look outside for what is deployed, and make its records anew",
			"Changes nothing outside. With `config`, of a deployment that this host has no record of: the records are made from "+
				"what is found by labels, or by name where a type has none, and a verification of it is started. With `graph_id`, what "+
				"is found is compared with the records; `adopt` writes down what they lack. Nothing is stored while anything is "+
				"ambiguous, in conflict or unknown. Sent again, it comes to the same."),
		request: exampleDiscoverRequest(), example: exampleDiscovered(), errors: commandErrors,
	}, func(ctx context.Context, caller engine.Caller, body *rest.DiscoverRequest, _ *none) (*output[*rest.DiscoverResponse], error) {
		found, err := s.Engine.Discover(ctx, caller, body)
		return &output[*rest.DiscoverResponse]{Body: found}, err
	})
}

func exampleDiscoverRequest() *rest.DiscoverRequest {
	return &rest.DiscoverRequest{Config: exampleConfig()}
}

func exampleDiscovered() *rest.DiscoverResponse {
	return &rest.DiscoverResponse{
		Success: true, DeploymentID: exampleID, GraphID: exampleGraphID, Version: "v1.2.3", Owner: "5d41402abc4b2a76", Stored: true,
		RunID: exampleRunID, Found: 2, Resources: []rest.DiscoveredResource{
			{ResourceID: "execution-role", ResourceType: "aws:iam:role", Status: rest.DiscoveredFound, NodeID: exampleRole,
				Name: "my-app-lambda-role-1111aaaa", Identity: "arn:aws:iam::123456789012:role/my-app-lambda-role-1111aaaa"},
			{ResourceID: "api-lambda", ResourceType: "aws:lambda:function", Region: "us-east-1", Status: rest.DiscoveredFound,
				NodeID: exampleFunction, Name: "my-app-api-2222bbbb", Identity: exampleArn},
		},
		Next: []rest.Call{{Method: "GET", Path: "/deploy/runs/" + exampleRunID, Why: "read what the verification found"}},
	}
}
