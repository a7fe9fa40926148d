// Package cli is the command line: it reads flags, the environment and files, calls a host through sdk/rest, and shows
// answers to people or machines. It knows nothing of how a deployment is done. Without a server it runs the same host inside
// the process, and calls that.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Env is the world that one invocation lives in.
type Env struct {
	Args     []string
	In       io.Reader
	Out, Err io.Writer
	// Lookup reads the environment.
	Lookup  func(name string) (string, bool)
	Version string
}

// The exit codes. Help says the same.
const (
	exitDone        = 0
	exitFailed      = 1
	exitChanged     = 2
	exitRefused     = 3
	exitWaits       = 4
	exitInterrupted = 130
)

const exitHelp = `Exit codes:
  0    done, nothing failed
  1    it ran and failed: a run, a check, or a plan that is not valid
  2    done, and something changed, or would (only with --detailed-exitcode; 0 then means no change)
  3    not done: wrong usage, refused, or the host could not be reached
  4    the run waits for a person
  130  interrupted; a run on a server goes on`

// envPrefix begins the environment's name of every flag: --data-dir is MGRAPH_DEPLOY_DATA_DIR.
const envPrefix = "MGRAPH_DEPLOY_"

// codeError ends the program with a code; without a cause everything was said already.
type codeError struct {
	code  int
	cause error
}

func (e *codeError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *codeError) Unwrap() error { return e.cause }

// app is one invocation.
type app struct {
	env   Env
	flags flags
}

// flags are those that several commands share.
type flags struct {
	server, apiKeyFile, output, credentialsFile string
	dataDir, pluginsDir, config, logLevel, key  string
	store, storeFile, logFormat                 string
	pins                                        []string
	detailed                                    bool
}

// Run runs one command and gives the exit code.
func Run(ctx context.Context, env Env) int {
	a := &app{env: env}
	root := a.root()
	root.SetArgs(env.Args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	err := root.ExecuteContext(ctx)
	return a.exitCode(ctx, err)
}

func (a *app) exitCode(ctx context.Context, err error) int {
	var coded *codeError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded) && coded.cause == nil:
		return coded.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		a.say("interrupted")
		return exitInterrupted
	}
	a.complain(err)
	if coded != nil {
		return coded.code
	}
	return exitRefused
}

// complain says what is wrong; a problem with everything that its errors name.
func (a *app) complain(err error) {
	var problem *rest.ProblemError
	if !errors.As(err, &problem) {
		a.say("error: %s", printable(err.Error()))
		return
	}
	text := problem.Title
	if problem.Detail != "" {
		text += ": " + problem.Detail
	}
	a.say("error: %s", printable(text))
	for _, one := range problem.Errors {
		a.say("  %s: %s", printable(one.Pointer), printable(one.Detail))
	}
	if problem.Provider != "" {
		a.say("  provider %s", printable(problem.Provider))
	}
	if problem.RunID != "" {
		a.say("  run %s is in the way", printable(problem.RunID))
	}
	if problem.TraceID != "" {
		a.say("  trace %s", printable(problem.TraceID))
	}
}

// say writes a line for the person at the terminal, never into the answer.
func (a *app) say(format string, arguments ...any) {
	_, _ = fmt.Fprintf(a.env.Err, format+"\n", arguments...)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "mgraph-deploy", Short: "Deploy resources across providers from one JSON document",
		Long: "Deploy resources across providers from one JSON document.\n\nWithout --server the host runs inside this process, on the local " +
			"data directory.\nEvery flag can also stand in the environment: --data-dir as MGRAPH_DEPLOY_DATA_DIR.\n\n" + exitHelp,
		SilenceErrors: true, SilenceUsage: true, Version: a.env.Version,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			if err := a.checkArguments(); err != nil {
				return err
			}
			return a.readEnvironment(command.Flags())
		},
	}
	root.AddCommand(
		a.serveCommand(), a.planCommand(), a.applyCommand(), a.continueCommand(), a.cancelCommand(), a.statusCommand(), a.watchCommand(), a.graphCommand(), a.historyCommand(),
		a.compareCommand(), a.runsCommand(), a.verifyCommand(), a.moveCommand(), a.rollbackCommand(), a.destroyCommand(), a.forgetCommand(),
		a.discoverCommand(), a.sealCommand(), a.keysCommand(), a.versionCommand(),
	)
	return root
}

// checkArguments refuses a secret on the command line, where everyone on the machine can see it. It is asked before the
// environment is read.
func (a *app) checkArguments() error {
	if hasPassword(a.flags.store) {
		return errors.New("--store holds a password, which everyone on this machine can see: put the URL in a file and name that with " +
			"--store-file, or in MGRAPH_DEPLOY_STORE, or the password in a file that PGPASSFILE names")
	}
	return nil
}

// other names the flag that says the same in another way: where the command line has that, the environment is not asked.
var other = map[string]string{"store": "store-file", "store-file": "store"}

// readEnvironment sets what the command line leaves out.
func (a *app) readEnvironment(set *pflag.FlagSet) error {
	var failed error
	given := map[string]bool{}
	set.Visit(func(flag *pflag.Flag) { given[flag.Name] = true })
	set.VisitAll(func(flag *pflag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		value, there := a.env.Lookup(name)
		if given[flag.Name] || given[other[flag.Name]] || !there || failed != nil {
			return
		}
		if err := set.Set(flag.Name, value); err != nil {
			failed = fmt.Errorf("%s is not as --%s must be", name, flag.Name)
		}
	})
	return failed
}

// hostFlags are those of every command that can run a host.
func (a *app) hostFlags(set *pflag.FlagSet) {
	set.StringVar(&a.flags.dataDir, "data-dir", "", "directory of the store and the providers' keys (default "+defaultDataDir(a.env.Lookup)+")")
	set.StringVar(&a.flags.store, "store", "", "where the store is: sqlite, in the data directory, or the URL of a PostgreSQL database (default sqlite)")
	set.StringVar(&a.flags.storeFile, "store-file", "", "file with the URL of the store, password included, readable by you alone")
	set.StringVar(&a.flags.pluginsDir, "plugins-dir", "", "directory of the provider executables (default: beside this program)")
	set.StringVar(&a.flags.config, "config", "", "file with the operator's configuration, as JSON")
	set.StringVar(&a.flags.logFormat, "log-format", "text", "text or json")
}

// clientFlags are those of every command that calls a host.
func (a *app) clientFlags(set *pflag.FlagSet) {
	a.hostFlags(set)
	set.StringVar(&a.flags.logLevel, "log-level", "", "what a host inside this process logs: trace, debug, info, warn, error (default error)")
	set.StringVar(&a.flags.server, "server", "", "URL of a host; without it one runs inside this process")
	set.StringVar(&a.flags.apiKeyFile, "api-key-file", "", "file with the API key (or the key itself in MGRAPH_DEPLOY_API_KEY)")
	set.StringVarP(&a.flags.output, "output", "o", "text", "text or json")
}

// sealingFlags are those of commands that send credentials.
func (a *app) sealingFlags(set *pflag.FlagSet) {
	set.StringVar(&a.flags.key, "idempotency-key", "", "a name for this one call: when it is made again with the same one, nothing is started twice")
	set.StringArrayVar(&a.flags.pins, "pin", nil, "PROVIDER=KEYID: seal to no other key")
	set.StringVar(&a.flags.credentialsFile, "credentials-file", "", "file with plain credentials by provider, as JSON, readable by you alone")
}

func (a *app) checkOutput() error {
	if a.flags.output != "text" && a.flags.output != "json" {
		return errors.New("--output must be text or json")
	}
	return nil
}

func (a *app) json() bool { return a.flags.output == "json" }

// onTerminal says whether a person sees what goes to a stream.
func onTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && (isatty.IsTerminal(file.Fd()) || isatty.IsCygwinTerminal(file.Fd()))
}
