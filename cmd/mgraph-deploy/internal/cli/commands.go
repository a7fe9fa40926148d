package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (a *app) detailedFlag(set *pflag.FlagSet) {
	set.BoolVar(&a.flags.detailed, "detailed-exitcode", false, "end with 2 when something changed, or would, with 0 when nothing did")
}

func (a *app) statusCommand() *cobra.Command {
	var run string
	command := &cobra.Command{
		Use: "status [TARGET]", Short: "Show how a deployment stands; without a target, list deployments", Args: cobra.MaximumNArgs(1),
		Long: "Show how a deployment stands; without a target, list deployments.\n" + targetHelp,
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				if len(args) == 0 {
					return a.listDeployments(ctx, s)
				}
				found, err := a.resolve(ctx, s, args[0])
				if err != nil {
					return err
				}
				status, err := s.Status(ctx, found.graphID, run)
				return answer(a, status, err, a.showStatus)
			})
		},
	}
	a.clientFlags(command.Flags())
	command.Flags().StringVar(&run, "run", "", "a run of the graph; the latest when left out")
	return command
}

func (a *app) listDeployments(ctx context.Context, s *session) error {
	list, err := s.Deployments(ctx, rest.ListQuery{Limit: 500})
	return answer(a, list, err, a.showDeployments)
}

func (a *app) watchCommand() *cobra.Command {
	var run, after string
	command := &cobra.Command{
		Use: "watch TARGET", Short: "Follow a run until it stands", Args: cobra.ExactArgs(1),
		Long: "Follow a run until it stands, from its first event on; with --output json, one event a line.\n" + targetHelp,
		RunE: a.onTarget(func(ctx context.Context, s *session, found target) error {
			return a.watch(ctx, s, rest.FollowFrom{GraphID: found.graphID, RunID: run, After: after})
		}),
	}
	a.clientFlags(command.Flags())
	command.Flags().StringVar(&run, "run", "", "a run of the graph; the latest when left out")
	command.Flags().StringVar(&after, "after", "", "the id of an event: only what follows it is shown")
	return command
}

func (a *app) watch(ctx context.Context, s *session, from rest.FollowFrom) error {
	status, err := s.Status(ctx, from.GraphID, from.RunID)
	if err != nil {
		return err
	}
	if status.RunID == "" {
		return errors.New("this graph was not run yet")
	}
	from.RunID = status.RunID
	shown := a.newProgress("watch")
	if a.json() {
		shown = &jsonLines{out: a.env.Out}
	}
	shown.begin(&rest.RunResult{RunID: status.RunID, GraphID: from.GraphID, Counts: rest.Counts{Total: status.Total}})
	err = s.Follow(ctx, from, shown.event)
	shown.end()
	if err != nil {
		return err
	}
	result, err := s.Run(ctx, status.RunID)
	if err != nil {
		return err
	}
	if !a.json() {
		return a.finish(ctx, s, result)
	}
	return a.verdict(result)
}

func (a *app) verifyCommand() *cobra.Command {
	var only []string
	command := &cobra.Command{
		Use: "verify TARGET", Short: "Compare what exists with what was deployed", Args: cobra.ExactArgs(1),
		Long: "Compare what exists with what was deployed; nothing is changed.\n" + targetHelp + "\n\n" + credentialHelp,
		RunE: a.onTarget(func(ctx context.Context, s *session, found target) error {
			return a.withGraph(ctx, s, "verify", found, func(credentials rest.Credentials, options []rest.CallOption) (*rest.RunResult, error) {
				request := &rest.VerifyRequest{GraphID: found.graphID, Credentials: credentials, Only: only}
				return s.Verify(ctx, request, options...)
			})
		}),
	}
	a.clientFlags(command.Flags())
	a.sealingFlags(command.Flags())
	command.Flags().StringSliceVar(&only, "only", nil, "only these resources")
	return command
}

// withGraph runs something on a stored graph with the credentials that it needs.
func (a *app) withGraph(ctx context.Context, s *session, verb string, found target,
	call func(rest.Credentials, []rest.CallOption) (*rest.RunResult, error),
) error {
	providers, _, err := needsOf(ctx, s, found.graphID)
	if err != nil {
		return err
	}
	return a.run(ctx, s, verb, func(options ...rest.CallOption) (*rest.RunResult, error) {
		return a.withCredentials(ctx, s, providers, found.deploymentID, func(credentials rest.Credentials) (*rest.RunResult, error) {
			return call(credentials, options)
		})
	})
}

func (a *app) destroyCommand() *cobra.Command {
	var only []string
	var force, yes bool
	command := &cobra.Command{
		Use: "destroy TARGET", Short: "Delete all that a deployment made", Args: cobra.ExactArgs(1),
		Long: "Delete all that a deployment made, in reverse order of its dependencies. On a terminal it asks first.\n" + targetHelp + "\n\n" +
			credentialHelp,
		RunE: a.onTarget(func(ctx context.Context, s *session, found target) error {
			if err := a.confirm("deletes all that %s made", found.deploymentID, yes); err != nil {
				return err
			}
			return a.withGraph(ctx, s, "destroy", found, func(credentials rest.Credentials, options []rest.CallOption) (*rest.RunResult, error) {
				request := &rest.DestroyRequest{GraphID: found.graphID, Credentials: credentials, Force: force, Only: only}
				return s.Destroy(ctx, request, options...)
			})
		}),
	}
	set := command.Flags()
	a.clientFlags(set)
	a.sealingFlags(set)
	a.detailedFlag(set)
	set.StringSliceVar(&only, "only", nil, "only these resources and what depends on them")
	set.BoolVar(&force, "force", false, "also when the graph is not the deployment's head")
	set.BoolVarP(&yes, "yes", "y", false, "do not ask")
	return command
}

// confirm asks the person at the terminal; where nobody sits, the command is enough.
func (a *app) confirm(what, deployment string, yes bool) error {
	file, ok := a.env.In.(*os.File)
	if yes || !ok || !onTerminal(file) {
		return nil
	}
	_, _ = fmt.Fprintf(a.env.Err, "This "+what+". Type its name to go on: ", printable(deployment))
	answer, err := bufio.NewReader(file).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != deployment {
		return errors.New("not confirmed: nothing was done")
	}
	return nil
}

func (a *app) keysCommand() *cobra.Command {
	command := &cobra.Command{Use: "keys", Short: "Make, list and revoke API keys", Args: cobra.NoArgs}
	command.AddCommand(a.createKeyCommand(), a.listKeysCommand(), a.revokeKeyCommand())
	return command
}

func (a *app) createKeyCommand() *cobra.Command {
	request := &rest.KeyRequest{}
	command := &cobra.Command{
		Use: "create NAME", Short: "Make an API key; it is shown this once", Args: cobra.ExactArgs(1),
		Long: "Make an API key. It is shown this once; the host keeps its hash. From the first key on, a host asks for one. With --server\n" +
			"this takes an operator's key, or a host that is still open; else the data directory must be free.",
		RunE: func(command *cobra.Command, args []string) error {
			request.Name = args[0]
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				created, err := s.CreateKey(ctx, request)
				return answer(a, created, err, func(key *rest.CreatedKey) { a.print("%s", key.Secret) })
			})
		},
	}
	a.clientFlags(command.Flags())
	command.Flags().StringVar(&request.Tenant, "tenant", "", "whose deployments the key sees (default \"default\")")
	command.Flags().StringVar(&request.Role, "role", "", "tenant or operator (default tenant)")
	return command
}

func (a *app) listKeysCommand() *cobra.Command {
	command := &cobra.Command{
		Use: "list", Short: "List API keys, without their secrets", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				list, err := s.Keys(ctx)
				return answer(a, list, err, a.showKeys)
			})
		},
	}
	a.clientFlags(command.Flags())
	return command
}

func (a *app) revokeKeyCommand() *cobra.Command {
	var tenant string
	command := &cobra.Command{
		Use: "revoke NAME", Short: "Revoke an API key at once", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				return s.RevokeKey(ctx, tenant, args[0])
			})
		},
	}
	a.clientFlags(command.Flags())
	command.Flags().StringVar(&tenant, "tenant", "default", "the key's tenant")
	return command
}

func (a *app) versionCommand() *cobra.Command {
	command := &cobra.Command{
		Use: "version", Short: "Show the version of this program, and with --server that of the host", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if a.flags.server == "" {
				return answer(a, &rest.Version{Name: "mgraph-deploy", Version: a.env.Version}, a.checkOutput(), a.showVersion)
			}
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				version, err := s.Version(ctx)
				return answer(a, version, err, a.showVersion)
			})
		},
	}
	a.clientFlags(command.Flags())
	return command
}
