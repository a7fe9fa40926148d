package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (a *app) moveCommand() *cobra.Command {
	request, sealed, away := &rest.MoveRequest{}, "", ""
	command := &cobra.Command{
		Use: "move TARGET --from REGION --to REGION", Short: "Move a deployment's resources to another region or account", Args: cobra.ExactArgs(1),
		Long: "Make what is in one region in another, verify it, and repoint what reads it. Then the move waits for its commit, or commits\n" +
			"by itself with --delete-after-verify. Run again it goes on where it stopped.\n" + targetHelp + "\n\n" + credentialHelp,
		RunE: a.onTarget(func(ctx context.Context, s *session, found target) (err error) {
			if request.SealedProperties, request.ToCredentials, err = a.moveSecrets(ctx, s, found, sealed, away); err != nil {
				return err
			}
			return a.withGraph(ctx, s, "move", found, func(credentials rest.Credentials, options []rest.CallOption) (*rest.RunResult, error) {
				request.GraphID, request.Credentials = found.graphID, credentials
				return s.Move(ctx, request, options...)
			})
		}),
	}
	set := command.Flags()
	a.clientFlags(set)
	a.sealingFlags(set)
	a.detailedFlag(set)
	set.StringVar(&request.FromRegion, "from", "", "the region to leave")
	set.StringVar(&request.ToRegion, "to", "", "the region to go to")
	set.BoolVar(&request.DeleteAfterVerify, "delete-after-verify", false, "commit by itself once everything new is verified")
	set.StringSliceVar(&request.Only, "only", nil, "only these resources and what they need")
	set.BoolVar(&request.Force, "force", false, "also when the graph is not the deployment's head, or its last run did not finish")
	moveSecretFlags(set, &sealed, &away)
	command.AddCommand(
		a.endMoveCommand("commit", "Make a move final: what was left behind is deleted", (*session).CommitMove),
		a.endMoveCommand("discard", "Undo a move that was not committed", (*session).DiscardMove),
	)
	return command
}

// endMoveCommand ends the move that TARGET is in.
func (a *app) endMoveCommand(verb, short string,
	end func(*session, context.Context, string, *rest.MoveEndRequest, ...rest.CallOption) (*rest.RunResult, error),
) *cobra.Command {
	request, sealed, away := &rest.MoveEndRequest{}, "", ""
	command := &cobra.Command{
		Use: verb + " TARGET", Short: short, Args: cobra.ExactArgs(1),
		Long: short + ".\nTARGET is the move's graph id, the deployment's id, or its file.\n\n" + credentialHelp,
		RunE: a.onTargetBy(a.resolveMove, func(ctx context.Context, s *session, found target) (err error) {
			if request.SealedProperties, request.ToCredentials, err = a.moveSecrets(ctx, s, found, sealed, away); err != nil {
				return err
			}
			return a.withGraph(ctx, s, verb, found, func(credentials rest.Credentials, options []rest.CallOption) (*rest.RunResult, error) {
				request.Credentials = credentials
				return end(s, ctx, found.graphID, request, options...)
			})
		}),
	}
	a.clientFlags(command.Flags())
	a.sealingFlags(command.Flags())
	a.detailedFlag(command.Flags())
	moveSecretFlags(command.Flags(), &sealed, &away)
	return command
}

func moveSecretFlags(set *pflag.FlagSet, sealed, away *string) {
	set.StringVar(sealed, "sealed-properties", "", "a file with boxes by pointer, as the seal command makes them, for what was never stored")
	set.StringVar(away, "to-credentials-file", "", "like --credentials-file, for another account that all goes to of the providers in it")
}

// moveSecrets are what a move may need beside credentials: the boxes of one file, and the credentials of another for the account that
// it goes to.
func (a *app) moveSecrets(ctx context.Context, s *session, found target, sealed, away string) (map[string]string, rest.Credentials, error) {
	boxes, err := readSealed(sealed)
	if err != nil {
		return nil, nil, err
	}
	credentials, err := a.sealedAway(ctx, s, away, found.deploymentID)
	return boxes, credentials, err
}

// sealedAway seals the credentials of a file for the account that a move goes to; none when there is no file.
func (a *app) sealedAway(ctx context.Context, s *session, path, deployment string) (rest.Credentials, error) {
	if path == "" {
		return nil, nil
	}
	here := a.flags.credentialsFile
	defer func() { a.flags.credentialsFile = here }()
	a.flags.credentialsFile = path
	all, err := a.credentialsFile()
	if err != nil {
		return nil, err
	}
	return a.sealed(ctx, s, slices.Sorted(maps.Keys(all)), deployment)
}

// readSealed reads the boxes of a file; none when there is none.
func readSealed(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read sealed properties: %w", err)
	}
	var boxes map[string]string
	if json.Unmarshal(text, &boxes) != nil {
		return nil, fmt.Errorf("%s: must be an object of boxes by pointer", path)
	}
	return boxes, nil
}

// resolveMove finds the graph of a move: the one that is named, or that of the deployment's last move.
func (a *app) resolveMove(ctx context.Context, s *session, text string) (target, error) {
	return a.resolveBy(ctx, s, text, func(ctx context.Context, s *session, deployment string) (string, error) {
		runs, err := s.Runs(ctx, rest.RunsQuery{DeploymentID: deployment, Kind: "move", ListQuery: rest.ListQuery{Limit: 1}})
		if err != nil {
			return "", err
		}
		if len(runs.Runs) == 0 {
			return "", fmt.Errorf("nothing of this deployment was ever moved: %s", deployment)
		}
		return runs.Runs[0].GraphID, nil
	})
}
