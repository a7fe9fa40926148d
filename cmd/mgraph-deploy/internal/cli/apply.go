package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (a *app) planCommand() *cobra.Command {
	var only []string
	var graph string
	var keep, offline bool
	command := &cobra.Command{
		Use: "plan [FILE]", Short: "Validate a deployment and show what it would do", Args: cobra.MaximumNArgs(1),
		Long: "Validate a deployment and show what it would do. Nothing is changed. With credentials, the providers say what would\n" +
			"really change: + create, ~ update, -/+ replace, - delete, = nothing, ? not known, ! would fail. With --keep the plan is\n" +
			"kept, mgraph-deploy plan --graph ID asks about it again, and mgraph-deploy apply --graph ID runs exactly it.\n\n" +
			credentialHelp,
		Example: "  mgraph-deploy plan my-app.json\n  mgraph-deploy plan my-app.json --detailed-exitcode --output json",
		RunE: func(command *cobra.Command, args []string) error {
			if offline && a.flags.detailed {
				return errors.New("--detailed-exitcode needs credentials: only providers know what would change")
			}
			if (len(args) == 1) == (graph != "") {
				return errors.New("give a FILE or --graph, one of them")
			}
			if graph != "" {
				request := &rest.PlanRequest{GraphID: graph, Only: only}
				return a.call(command.Context(), func(ctx context.Context, s *session) error { return a.planAgain(ctx, s, request, offline) })
			}
			document, err := a.readDocument(args[0])
			if err != nil {
				return err
			}
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				validateOnly := !keep
				request := &rest.PlanRequest{ValidateOnly: &validateOnly, Only: only}
				return a.plan(ctx, s, document, request, offline)
			})
		},
	}
	set := command.Flags()
	a.clientFlags(set)
	a.sealingFlags(set)
	a.detailedFlag(set)
	set.StringSliceVar(&only, "only", nil, "only these resources and what they need")
	set.StringVar(&graph, "graph", "", "id of a kept plan, to ask about again as things stand now")
	set.BoolVar(&keep, "keep", false, "keep the plan, to be approved and applied later")
	set.BoolVar(&offline, "no-credentials", false, "send no credentials: providers are then not asked to check them")
	return command
}

func (a *app) plan(ctx context.Context, s *session, document *document, request *rest.PlanRequest, offline bool) error {
	var credentials rest.Credentials
	var err error
	if !offline {
		if credentials, err = a.sealed(ctx, s, document.needs(), document.DeploymentID); err != nil {
			return err
		}
	}
	text, err := document.with(credentials)
	if err != nil {
		return err
	}
	plan, err := s.Plan(ctx, request, rest.WithDocument(text), rest.WithIdempotencyKey(a.flags.key))
	return a.planned(plan, err)
}

// planAgain asks about a plan that was kept.
func (a *app) planAgain(ctx context.Context, s *session, request *rest.PlanRequest, offline bool) error {
	if !offline {
		providers, deployment, err := needsOf(ctx, s, request.GraphID)
		if err != nil {
			return err
		}
		if request.Credentials, err = a.sealed(ctx, s, providers, deployment); err != nil {
			return err
		}
	}
	plan, err := s.Plan(ctx, request)
	return a.planned(plan, err)
}

// planned shows a plan and turns it into an exit code.
func (a *app) planned(plan *rest.PlanResponse, err error) error {
	if err != nil {
		return err
	}
	if a.json() {
		err = a.writeJSON(plan)
	} else {
		a.showPlan(plan)
	}
	switch {
	case err != nil:
		return err
	case !plan.Success:
		return &codeError{code: exitFailed}
	case a.flags.detailed && plan.Changing() > 0:
		return &codeError{code: exitChanged}
	default:
		return nil
	}
}

func (a *app) applyCommand() *cobra.Command {
	var graph, mode string
	var only []string
	var force bool
	command := &cobra.Command{
		Use: "apply [FILE]", Short: "Deploy, or go on with a deployment that stopped", Args: cobra.MaximumNArgs(1),
		Long: "Deploy what FILE says, or run the stored graph that --graph names: a plan that was kept, or a run that failed or was\n" +
			"interrupted, which goes on where it stopped.\n\n" + credentialHelp,
		Example: "  mgraph-deploy apply my-app.json\n  mgraph-deploy apply --graph 5bec1234 --server https://deploy.example.com",
		RunE: func(command *cobra.Command, args []string) error {
			if (len(args) == 1) == (graph != "") {
				return errors.New("give a FILE or --graph, one of them")
			}
			request := &rest.ApplyRequest{GraphID: graph, Mode: rest.Mode(strings.ToUpper(mode)), Only: only, Force: force}
			if graph != "" {
				return a.call(command.Context(), func(ctx context.Context, s *session) error { return a.resume(ctx, s, request) })
			}
			document, err := a.readDocument(args[0])
			if err != nil {
				return err
			}
			return a.call(command.Context(), func(ctx context.Context, s *session) error { return a.apply(ctx, s, document, request) })
		},
	}
	set := command.Flags()
	a.clientFlags(set)
	a.sealingFlags(set)
	a.detailedFlag(set)
	set.StringVar(&graph, "graph", "", "id of a stored graph to run, or to go on with")
	set.StringVar(&mode, "mode", "", "FULL (the default), STEP or DRY_RUN")
	set.StringSliceVar(&only, "only", nil, "only these resources and what they need")
	set.BoolVar(&force, "force", false, "apply although the deployment has changed since the graph was made")
	return command
}

const credentialHelp = "Credentials come from where each cloud's own tools have them (AWS_ACCESS_KEY_ID and so on, the profile that AWS_PROFILE\n" +
	"names, GITHUB_TOKEN or GH_TOKEN, gh's hosts.yml) or from --credentials-file, and are sealed to the provider before they\n" +
	"leave this program. What the document itself has under credentials goes first."

func (a *app) apply(ctx context.Context, s *session, document *document, request *rest.ApplyRequest) error {
	credentials, err := a.sealed(ctx, s, document.needs(), document.DeploymentID)
	if err != nil {
		return err
	}
	text, err := document.with(credentials)
	if err != nil {
		return err
	}
	return a.run(ctx, s, "apply", func(options ...rest.CallOption) (*rest.RunResult, error) {
		return s.Apply(ctx, request, append(options, rest.WithDocument(text))...)
	})
}

func (a *app) resume(ctx context.Context, s *session, request *rest.ApplyRequest) error {
	providers, deployment, err := needsOf(ctx, s, request.GraphID)
	if err != nil {
		return err
	}
	return a.run(ctx, s, "apply", func(options ...rest.CallOption) (*rest.RunResult, error) {
		return a.withCredentials(ctx, s, providers, deployment, func(credentials rest.Credentials) (*rest.RunResult, error) {
			request.Credentials = credentials
			return s.Apply(ctx, request, options...)
		})
	})
}

// run makes a call that starts a run, shows how it goes, and says how it ended.
func (a *app) run(ctx context.Context, s *session, verb string, call func(...rest.CallOption) (*rest.RunResult, error)) error {
	shown := a.newProgress(verb)
	var begun *rest.RunResult
	result, err := call(rest.WithIdempotencyKey(a.flags.key), rest.OnEvent(shown.event), rest.OnStarted(func(run *rest.RunResult) {
		begun = run
		shown.begin(run)
	}))
	shown.end()
	if err != nil {
		a.sayWhatGoesOn(s, begun)
		return err
	}
	return a.finish(ctx, s, result)
}

// sayWhatGoesOn tells a person who stopped watching what becomes of the run.
func (a *app) sayWhatGoesOn(s *session, run *rest.RunResult) {
	switch {
	case run == nil || run.RunID == "":
	case s.local:
		a.say("run %s stops here; go on with: mgraph-deploy continue %s", run.RunID, run.GraphID)
	default:
		a.say("run %s goes on; watch it with: mgraph-deploy watch %s", run.RunID, run.GraphID)
	}
}

// finish shows a result and turns it into an exit code.
func (a *app) finish(ctx context.Context, s *session, result *rest.RunResult) error {
	if err := a.tell(ctx, s, result); err != nil {
		return err
	}
	return a.verdict(result)
}

// tell shows a result.
func (a *app) tell(ctx context.Context, s *session, result *rest.RunResult) error {
	return answer(a, result, nil, func(*rest.RunResult) { a.showResult(result, a.names(ctx, s, result)) })
}

// verdict is the exit code that a result means.
func (a *app) verdict(result *rest.RunResult) error {
	switch {
	case result.Status == rest.RunPaused:
		return &codeError{code: exitWaits}
	case !result.Success:
		return &codeError{code: exitFailed}
	case a.flags.detailed && result.Changed > 0:
		return &codeError{code: exitChanged}
	default:
		return nil
	}
}

// names says which resource each operation of a result is; what cannot be found out is shown by its id.
func (a *app) names(ctx context.Context, s *session, result *rest.RunResult) map[string]string {
	if result.RunID == "" || len(result.Outputs) == 0 && len(result.Checks) == 0 {
		return nil
	}
	status, err := s.Status(ctx, result.GraphID, result.RunID)
	if err != nil {
		return nil
	}
	operations := make([]rest.OperationSummary, len(status.Operations))
	for i := range status.Operations {
		operations[i] = status.Operations[i].OperationSummary
	}
	names := resourceNames(operations)
	for i := range status.Composites {
		for id := range status.Composites[i].Outputs {
			_, region, _ := strings.Cut(id, "@")
			names[id] = status.Composites[i].ResourceID + at(region)
		}
	}
	return names
}
