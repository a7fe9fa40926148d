package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (a *app) rollbackCommand() *cobra.Command {
	var run string
	var force, yes bool
	command := &cobra.Command{
		Use: "rollback TARGET", Short: "Take back what the latest run of a deployment changed", Args: cobra.ExactArgs(1),
		Long: "Take back what the latest run of a deployment changed, in reverse order: what it made is deleted, what it changed or\n" +
			"deleted is brought back by the record that its provider wrote before. Where not all can be taken back nothing is done,\n" +
			"unless --force says to take back the rest. A rollback that stopped is gone on with. On a terminal it asks first.\n" +
			targetHelp + "\n\n" + credentialHelp,
		Example: "  mgraph-deploy rollback my-app\n  mgraph-deploy rollback my-app --run 7ac40001",
		RunE: a.onTarget(func(ctx context.Context, s *session, found target) error {
			if err := a.confirm("takes back what the latest run of %s changed", found.deploymentID, yes); err != nil {
				return err
			}
			return a.withGraph(ctx, s, "rollback", found, func(credentials rest.Credentials, options []rest.CallOption) (*rest.RunResult, error) {
				request := &rest.RollbackRequest{GraphID: found.graphID, Credentials: credentials, RunID: run, Force: force}
				return s.Rollback(ctx, request, options...)
			})
		}),
	}
	set := command.Flags()
	a.clientFlags(set)
	a.sealingFlags(set)
	a.detailedFlag(set)
	set.StringVar(&run, "run", "", "the run to take back, to go back further than the latest one")
	set.BoolVar(&force, "force", false, "leave what cannot be taken back; also when the graph is not the deployment's head")
	set.BoolVarP(&yes, "yes", "y", false, "do not ask")
	return command
}
