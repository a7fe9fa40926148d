package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (a *app) continueCommand() *cobra.Command {
	request := &rest.ContinueRequest{}
	var mode string
	command := &cobra.Command{
		Use: "continue TARGET", Short: "Go on with a run that is paused, failed or was interrupted", Args: cobra.ExactArgs(1),
		Long: "Go on with a run that is paused, failed or was interrupted, from exactly where it stands. What pause edges hold is released: all\n" +
			"of it, or what --from-node names. Operations are named by resource id, node id or operation id.\n" + targetHelp + "\n\n" + credentialHelp,
		Example: "  mgraph-deploy continue my-app\n  mgraph-deploy continue my-app --from-node api-lambda\n" +
			"  mgraph-deploy continue my-app --skip smoke-test --mode step",
		RunE: a.onTarget(func(ctx context.Context, s *session, found target) error {
			request.Mode = rest.Mode(strings.ToUpper(mode))
			return a.withGraph(ctx, s, "continue", found, func(credentials rest.Credentials, options []rest.CallOption) (*rest.RunResult, error) {
				request.GraphID, request.Credentials = found.graphID, credentials
				return s.Continue(ctx, request, options...)
			})
		}),
	}
	set := command.Flags()
	a.clientFlags(set)
	a.sealingFlags(set)
	a.detailedFlag(set)
	set.StringVar(&request.FromNode, "from-node", "", "release only what holds this operation")
	set.StringSliceVar(&request.Skip, "skip", nil, "leave these out; what is behind them runs")
	set.StringSliceVar(&request.Unskip, "unskip", nil, "take these up again that were left out")
	set.StringSliceVar(&request.Retry, "retry", nil, "do these once more, done or failed, with what is behind them")
	set.StringVar(&mode, "mode", "", "FULL, or STEP for one operation (default: the run's own)")
	set.StringToStringVar(&request.SealedProperties, "sealed", nil, "a secret property that is needed again: POINTER=BOX, as seal writes it")
	set.BoolVar(&request.Force, "force", false, "also when another graph of the deployment was applied since")
	return command
}

func (a *app) cancelCommand() *cobra.Command {
	var run string
	var grace time.Duration
	command := &cobra.Command{
		Use: "cancel TARGET", Short: "End a run for good", Args: cobra.ExactArgs(1),
		Long: "End a run for good. Nothing new starts; what is under way may finish within the grace, and is then broken off and asked how it\n" +
			"ended. What stays open is named, and the command ends with 1.\n" + targetHelp,
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				found, err := a.resolve(ctx, s, args[0])
				if err != nil {
					return err
				}
				request := &rest.CancelRequest{GraphID: found.graphID, RunID: run}
				if command.Flags().Changed("grace") {
					seconds := grace.Seconds()
					request.GraceSeconds = &seconds
				}
				return a.cancel(ctx, s, request)
			})
		},
	}
	set := command.Flags()
	a.clientFlags(set)
	set.StringVar(&run, "run", "", "a run of the graph; the latest that changes something when left out")
	set.DurationVar(&grace, "grace", 0, "how long calls in flight may go on, such as 10s (default 30s)")
	return command
}

// cancel ends a run. That it did not complete is what was asked for; only what stays open is a failure.
func (a *app) cancel(ctx context.Context, s *session, request *rest.CancelRequest) error {
	shown := a.newProgress("cancel")
	result, err := s.Cancel(ctx, request, rest.OnEvent(shown.event), rest.OnStarted(shown.begin))
	shown.end()
	if err != nil {
		return err
	}
	if err := a.tell(ctx, s, result); err != nil {
		return err
	}
	if len(result.Unsettled) > 0 {
		return &codeError{code: exitFailed}
	}
	return nil
}
