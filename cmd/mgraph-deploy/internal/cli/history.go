package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (a *app) historyCommand() *cobra.Command {
	var query rest.ListQuery
	command := &cobra.Command{
		Use: "history TARGET", Short: "List the graphs of a deployment, their runs, and who started them", Args: cobra.ExactArgs(1),
		Long: "List the graphs of a deployment, newest first, with the runs of each and who started them. The one that was last applied is\n" +
			"marked with a star.\n" + targetHelp,
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				deployment, err := a.deploymentOf(ctx, s, args[0])
				if err != nil {
					return err
				}
				history, err := s.History(ctx, deployment, query)
				return answer(a, history, err, a.showHistory)
			})
		},
	}
	a.clientFlags(command.Flags())
	a.pageFlags(command, &query)
	return command
}

func (a *app) pageFlags(command *cobra.Command, query *rest.ListQuery) {
	command.Flags().IntVar(&query.Limit, "limit", 0, "how many at most")
	command.Flags().StringVar(&query.Cursor, "cursor", "", "go on behind the page that gave this")
}

func (a *app) runsCommand() *cobra.Command {
	var query rest.RunsQuery
	command := &cobra.Command{
		Use: "runs [TARGET]", Short: "List runs, newest first", Args: cobra.MaximumNArgs(1),
		Long: "List runs, newest first; with a target, those of one deployment.\n" + targetHelp,
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) (err error) {
				if len(args) == 1 {
					if query.DeploymentID, err = a.deploymentOf(ctx, s, args[0]); err != nil {
						return err
					}
				}
				list, err := s.Runs(ctx, query)
				return answer(a, list, err, a.showRuns)
			})
		},
	}
	set := command.Flags()
	a.clientFlags(set)
	a.pageFlags(command, &query.ListQuery)
	set.StringVar(&query.Kind, "kind", "", "only apply, destroy, verify, move or rollback")
	set.StringVar(&query.Status, "status", "", "only runs that stand like this: running, failed, paused ...")
	return command
}

func (a *app) compareCommand() *cobra.Command {
	command := &cobra.Command{
		Use: "compare FROM TO", Short: "Show what is different between two graphs of a deployment", Args: cobra.ExactArgs(2),
		Long: "Show what is different between two graphs of a deployment, resource by resource and value by value. Of secrets only is said\n" +
			"that they are others. FROM and TO are graph ids: mgraph-deploy history lists them.",
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				compared, err := s.Compare(ctx, args[0], args[1])
				return answer(a, compared, err, a.showComparison)
			})
		},
	}
	a.clientFlags(command.Flags())
	return command
}

func (a *app) forgetCommand() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use: "forget TARGET", Short: "Delete the records of a deployment that is destroyed", Args: cobra.ExactArgs(1),
		Long: "Delete the records of a deployment that is destroyed: its graphs, runs, events and resources. What is not destroyed is kept,\n" +
			"since its records say what it made. On a terminal it asks first.\n" + targetHelp,
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				deployment, err := a.deploymentOf(ctx, s, args[0])
				if err != nil {
					return err
				}
				if err := a.confirm("deletes the records of %s", deployment, yes); err != nil {
					return err
				}
				return s.Forget(ctx, deployment)
			})
		},
	}
	a.clientFlags(command.Flags())
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return command
}

func (a *app) showHistory(history *rest.History) {
	var rows [][]string
	for _, version := range history.Versions {
		mark := ""
		if version.Head {
			mark = "*"
		}
		rows = append(rows, []string{mark, version.Version, version.GraphID, version.Kind, "", "", version.CreatedBy, version.CreatedAt.String()})
		for _, run := range version.Runs {
			rows = append(rows, []string{
				"", "", "  " + run.RunID, run.Kind, run.Status, doneText(&run.Counts), run.StartedBy, run.CreatedAt.String(),
			})
		}
	}
	table(a.env.Out, []string{"", "VERSION", "GRAPH / RUN", "KIND", "STATUS", "DONE", "BY", "AT"}, rows)
	a.sayMore(history.NextCursor)
}

func doneText(c *rest.Counts) string { return fmt.Sprintf("%d of %d", c.Completed, c.Total) }

func (a *app) showRuns(list *rest.RunList) {
	rows := make([][]string, len(list.Runs))
	for i, run := range list.Runs {
		rows[i] = []string{
			run.RunID, run.DeploymentID, run.GraphID, run.Kind, run.Status, dash(run.StartedBy), run.CreatedAt.String(),
		}
	}
	table(a.env.Out, []string{"RUN", "DEPLOYMENT", "GRAPH", "KIND", "STATUS", "BY", "AT"}, rows)
	a.sayMore(list.NextCursor)
}

func (a *app) sayMore(cursor string) {
	if cursor != "" {
		a.say("there is more: --cursor %s", cursor)
	}
}

func (a *app) showComparison(c *rest.Comparison) {
	a.print("%s: %s added, %d changed, %d removed, %d unchanged", printable(c.DeploymentID), plural(c.Added, "resource"), c.Changed, c.Removed, c.Unchanged)
	a.showDifferences(c.Differences)
	marks := map[string]string{"added": "+", "removed": "-", "changed": "~"}
	for _, one := range c.Resources {
		if mark := marks[one.Change]; mark != "" {
			a.print("%s %s (%s)", mark, printable(one.ResourceID), printable(one.ResourceType))
			a.showDifferences(one.Differences)
		}
	}
}

func (a *app) showDifferences(differences []rest.Difference) {
	for _, d := range differences {
		text := valueText(d.Before) + " > " + valueText(d.After)
		switch {
		case d.Unknown:
			text = "a secret: whether it is another one cannot be told"
		case d.Sealed:
			text = "another secret"
		}
		a.print("    %s: %s", printable(d.Pointer), printable(text))
	}
}

func valueText(value json.RawMessage) string { return first(string(value), "(none)") }
