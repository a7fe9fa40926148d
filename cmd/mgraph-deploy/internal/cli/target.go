package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// target is what a command is about, once it was looked up.
type target struct {
	graphID      string
	deploymentID string
}

var graphID = regexp.MustCompile(`^[0-9a-f]{8}$`)

const targetHelp = "TARGET is a graph id, a deployment id, or a deployment's file."

// resolve finds what a person means: the graph that is named, or the one of the deployment that was last applied.
func (a *app) resolve(ctx context.Context, s *session, text string) (target, error) {
	return a.resolveBy(ctx, s, text, headOf)
}

// resolveBy finds what a person means, by one of a deployment's graphs where a deployment is named.
func (a *app) resolveBy(ctx context.Context, s *session, text string,
	graphOf func(ctx context.Context, s *session, deployment string) (string, error),
) (target, error) {
	found, err := a.named(ctx, s, text)
	if err == nil && found.graphID == "" {
		found.graphID, err = graphOf(ctx, s, found.deploymentID)
	}
	return found, err
}

// named finds the graph that the text is the id of, or else the deployment that it names, whether or not anything of that was applied.
func (a *app) named(ctx context.Context, s *session, text string) (target, error) {
	if graphID.MatchString(text) {
		status, err := s.Status(ctx, text, "")
		if err == nil {
			return target{graphID: text, deploymentID: status.DeploymentID}, nil
		}
		if !errors.Is(err, rest.KindNotFound) {
			return target{}, err
		}
	}
	deployment, err := a.nameIn(text)
	return target{deploymentID: deployment}, err
}

// onTarget runs a command that is about what its first argument names.
func (a *app) onTarget(command func(ctx context.Context, s *session, found target) error) func(*cobra.Command, []string) error {
	return a.onTargetBy(a.resolve, command)
}

func (a *app) onTargetBy(resolve func(ctx context.Context, s *session, text string) (target, error),
	command func(ctx context.Context, s *session, found target) error,
) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		return a.call(c.Context(), func(ctx context.Context, s *session) error {
			found, err := resolve(ctx, s, args[0])
			if err != nil {
				return err
			}
			return command(ctx, s, found)
		})
	}
}

// nameIn gives the deployment that a file describes, or takes the text for its name.
func (a *app) nameIn(text string) (string, error) {
	if _, err := os.Stat(text); err != nil && text != "-" {
		return text, nil
	}
	document, err := a.readDocument(text)
	if err != nil {
		return "", err
	}
	return document.DeploymentID, nil
}

// deploymentOf finds whose graphs a person means, whether or not any of them was applied.
func (a *app) deploymentOf(ctx context.Context, s *session, text string) (string, error) {
	found, err := a.named(ctx, s, text)
	return found.deploymentID, err
}

// headOf finds the graph that was last applied.
func headOf(ctx context.Context, s *session, deployment string) (string, error) {
	query := rest.ListQuery{Limit: 500}
	for {
		page, err := s.Deployments(ctx, query)
		if err != nil {
			return "", err
		}
		for _, one := range page.Deployments {
			if one.DeploymentID == deployment && one.HeadGraphID != "" {
				return one.HeadGraphID, nil
			}
		}
		if query.Cursor = page.NextCursor; query.Cursor == "" {
			return "", fmt.Errorf("nothing was ever applied under this name: %s", deployment)
		}
	}
}

// needsOf says which providers a stored graph uses, and whose graph it is.
func needsOf(ctx context.Context, s *session, graph string) (providers []string, deployment string, err error) {
	plan, err := s.StoredPlan(ctx, graph)
	if err != nil {
		return nil, "", err
	}
	return slices.Sorted(maps.Keys(plan.Providers)), plan.DeploymentID, nil
}

// withCredentials makes a call with the credentials of the providers named, and of those that the host asks for besides: a
// destroy can need more than the present graph names.
func (a *app) withCredentials(ctx context.Context, s *session, providers []string, deployment string,
	call func(rest.Credentials) (*rest.RunResult, error),
) (*rest.RunResult, error) {
	for {
		credentials, err := a.sealed(ctx, s, providers, deployment)
		if err != nil {
			return nil, err
		}
		result, err := call(credentials)
		var problem *rest.ProblemError
		if !errors.As(err, &problem) || problem.Kind != rest.KindInvalid || problem.Provider == "" ||
			slices.Contains(providers, problem.Provider) {
			return result, err
		}
		providers = append(providers, problem.Provider)
	}
}
