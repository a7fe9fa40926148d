package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) graphCommand() *cobra.Command {
	var run, view, format string
	command := &cobra.Command{
		Use: "graph TARGET", Short: "Write a deployment's graph: as JSON, MGraph JSON, DOT or Mermaid", Args: cobra.ExactArgs(1),
		Long: "Write what is to be deployed (--view spec), or what happened in a run (--view execution), in a form that other programs read.\n" +
			targetHelp,
		Example: "  mgraph-deploy graph my-app --format dot | dot -Tsvg -o my-app.svg",
		RunE: a.onTarget(func(ctx context.Context, s *session, found target) error {
			text, err := s.GraphAs(ctx, found.graphID, run, view, format)
			if err == nil {
				_, err = a.env.Out.Write(text)
			}
			return err
		}),
	}
	set := command.Flags()
	a.clientFlags(set)
	set.StringVar(&run, "run", "", "a run of the graph; the latest when left out")
	set.StringVar(&view, "view", "spec", "spec or execution")
	set.StringVar(&format, "format", "json", "json, mgraph, dot or mermaid")
	return command
}
