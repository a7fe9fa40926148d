package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (a *app) discoverCommand() *cobra.Command {
	request := &rest.DiscoverRequest{}
	command := &cobra.Command{
		Use: "discover TARGET", Short: "Look outside for what is deployed, and make its records anew", Args: cobra.ExactArgs(1),
		Long: "Look outside for what is deployed; nothing is changed there. With a deployment's file, its records are made anew from what is\n" +
			"found, on a host that has none. With a graph or a deployment that the host knows, what is found is compared with the records.\n" +
			targetHelp + "\n\n" + credentialHelp,
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				if _, err := os.Stat(args[0]); err == nil || args[0] == "-" {
					return a.discoverFile(ctx, s, args[0], request)
				}
				return a.discoverGraph(ctx, s, args[0], request)
			})
		},
	}
	set := command.Flags()
	a.clientFlags(set)
	a.sealingFlags(set)
	set.BoolVar(&request.Adopt, "adopt", false, "take what has our name and no labels for the deployment's own; write down what the records lack")
	return command
}

func (a *app) discoverFile(ctx context.Context, s *session, path string, request *rest.DiscoverRequest) error {
	document, err := a.readDocument(path)
	if err != nil {
		return err
	}
	credentials, err := a.sealed(ctx, s, document.needs(), document.DeploymentID)
	if err != nil {
		return err
	}
	text, err := document.with(credentials)
	if err != nil {
		return err
	}
	found, err := s.Discover(ctx, request, rest.WithDocument(text))
	return a.discovered(ctx, s, found, err)
}

func (a *app) discoverGraph(ctx context.Context, s *session, text string, request *rest.DiscoverRequest) error {
	target, err := a.resolve(ctx, s, text)
	if err != nil {
		return err
	}
	providers, deployment, err := needsOf(ctx, s, target.graphID)
	if err != nil {
		return err
	}
	if request.Credentials, err = a.sealed(ctx, s, providers, deployment); err != nil {
		return err
	}
	request.GraphID = target.graphID
	found, err := s.Discover(ctx, request)
	return a.discovered(ctx, s, found, err)
}

// discovered shows what was found, and waits for its verification: a host inside this process ends with the command.
func (a *app) discovered(ctx context.Context, s *session, found *rest.DiscoverResponse, err error) error {
	if err := answer(a, found, err, a.showDiscovered); err != nil {
		return err
	}
	verified := true
	if found.RunID != "" {
		result, err := s.Await(ctx, found.RunID, nil)
		if err != nil {
			return err
		}
		verified = result.Success
		a.say("verification %s: %s", result.Status, countsText(result))
	}
	if !found.Success || !verified {
		return &codeError{code: exitFailed}
	}
	return nil
}

func (a *app) showDiscovered(found *rest.DiscoverResponse) {
	a.print("%s: %d found, %d missing, %d ambiguous, %d in conflict, %d unknown, under owner %s", printable(found.DeploymentID),
		found.Found, found.Missing, found.Ambiguous, found.Conflicts, found.Unknown, printable(found.Owner))
	rows := make([][]string, len(found.Resources))
	for i, one := range found.Resources {
		status := one.Status
		if one.Differs {
			status += ", on record " + one.Recorded
		}
		rows[i] = []string{one.ResourceID, one.ResourceType, dash(one.Region), status, dash(first(one.Name, one.Identity)), one.Reason}
	}
	table(a.env.Out, []string{"RESOURCE", "TYPE", "REGION", "STATUS", "NAME", ""}, rows)
	a.warn(found.Warnings)
	if found.Stored {
		a.print("\nOn record as graph %s; run %s verifies it: mgraph-deploy watch %s --run %s", found.GraphID, found.RunID, found.GraphID, found.RunID)
	}
}
