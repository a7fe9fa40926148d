package noop_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

// crashIn makes the test binary create a thing in a directory, with the properties of the next variable.
const (
	crashIn   = "NOOP_TEST_DIR"
	crashWith = "NOOP_TEST_PROPERTIES"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashIn); dir != "" {
		p, err := noop.New("1.0.0")
		if err == nil {
			_, err = p.Execute(context.Background(), request("noop:thing", contract.VerbCreate, os.Getenv(crashWith), dir),
				func(contract.Event) {})
		}
		if err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func request(kind string, verb contract.Verb, properties, dir string) *contract.ExecuteRequest {
	settings, _ := json.Marshal(map[string]string{"dir": dir})
	return &contract.ExecuteRequest{
		Verb: verb, Context: contract.CallContext{Tenant: "t", DeploymentID: "d", Owner: "o", Settings: settings},
		Target: contract.Target{
			Type: kind, Properties: json.RawMessage(properties),
			Labels: map[string]string{
				contract.LabelOwner: "o", contract.LabelDeployID: "d", contract.LabelResourceID: "r", contract.LabelNodeID: "n",
			},
		},
	}
}

func made(t *testing.T) (*provider.Provider, *sealedbox.Ring) {
	t.Helper()
	p, err := noop.New("1.0.0")
	require.NoError(t, err)
	keys, err := sealedbox.Generate(time.Now())
	require.NoError(t, err)
	p.Use(provider.Runtime{Keys: keys})
	t.Cleanup(p.Close)
	return p, keys
}

func run(t *testing.T, p *provider.Provider, r *contract.ExecuteRequest) *contract.Result {
	t.Helper()
	result, err := p.Execute(context.Background(), r, func(contract.Event) {})
	require.NoError(t, err)
	return result
}

func TestThingsOutliveTheProcessInADirectory(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "directory": filepath.Join(t.TempDir(), "things")} {
		t.Run(name, func(t *testing.T) {
			p, _ := made(t)
			require.Equal(t, contract.ChangeCreated, run(t, p, request("noop:thing", contract.VerbCreate, `{"value":"1"}`, dir)).Change)
			next, _ := made(t)
			result := run(t, next, request("noop:thing", contract.VerbEnsure, `{"value":"1"}`, dir))
			if dir == "" {
				require.Equal(t, contract.ChangeCreated, result.Change, "another process knows nothing")
				return
			}
			require.Equal(t, contract.ChangeNone, result.Change)
			require.Equal(t, contract.ChangeUpdated, run(t, next, request("noop:thing", contract.VerbUpdate, `{"value":"2"}`, dir)).Change)
			counted, err := noop.Count(dir)
			require.NoError(t, err)
			require.Equal(t, 1, counted)
			require.Equal(t, contract.ChangeDeleted, run(t, next, request("noop:thing", contract.VerbDelete, `{}`, dir)).Change)
			counted, err = noop.Count(dir)
			require.NoError(t, err)
			require.Zero(t, counted)
		})
	}
}

func TestItFailsAsOftenAsItIsTold(t *testing.T) {
	p, _ := made(t)
	create := func(properties string) *contract.Result {
		return run(t, p, request("noop:thing", contract.VerbCreate, properties, ""))
	}
	for range 2 {
		result := create(`{"fail":"throttled","fail_times":2}`)
		require.Equal(t, provider.Throttled, result.Diagnostics[0].Kind)
		require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
	}
	require.Equal(t, contract.OutcomeApplied, create(`{"fail":"throttled","fail_times":2}`).Outcome)
	judged, err := p.Validate(context.Background(), []contract.ValidateItem{{Type: "noop:thing", Properties: json.RawMessage(`{"fail":"what"}`)}})
	require.NoError(t, err)
	require.Equal(t, "/fail", judged[0][0].Pointer)
}

func TestItCrashesWhereItIsTold(t *testing.T) {
	for where, left := range map[string]int{"before_write": 0, "after_write": 1, "after_made": 1} {
		t.Run(where, func(t *testing.T) {
			dir := t.TempDir()
			create := func() int {
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), crashIn+"="+dir, crashWith+`={"crash":"`+where+`","crash_times":2}`)
				_ = child.Run()
				return child.ProcessState.ExitCode()
			}
			require.Equal(t, 70, create())
			counted, err := noop.Count(dir)
			require.NoError(t, err)
			require.Equal(t, left, counted)
			if left == 0 {
				require.Equal(t, 70, create())
				require.Equal(t, 0, create())
			}
		})
	}
}

func TestItGivesItsSecretToItsConsumersOnly(t *testing.T) {
	p, keys := made(t)
	consumer, err := sealedbox.Generate(time.Now())
	require.NoError(t, err)
	box, err := sealedbox.Seal(keys.Primary().Key, sealedbox.Envelope{
		Audience: "t", Provider: "noop", Purpose: "noop:thing#/secret", Value: "a secret of a thing",
	})
	require.NoError(t, err)
	r := request("noop:thing", contract.VerbCreate, `{"secret":"`+box+`"}`, "")
	r.Consumers = []contract.Consumer{{Provider: "other", Key: consumer.Primary(), Outputs: []string{"secret"}, Purpose: "other:x#/y"}}
	result := run(t, p, r)
	require.NotContains(t, string(result.Outputs), "a secret")
	require.Contains(t, string(result.Outputs), keys.Fingerprint("t", "a secret of a thing"))
	require.Len(t, result.SealedOutputs, 1)
	opened, err := consumer.Open(result.SealedOutputs[0].Box, sealedbox.Expect{
		Audience: "t", Provider: "other", Purpose: "other:x#/y", Deployment: "d", Now: time.Now(),
	})
	require.NoError(t, err)
	require.Equal(t, "a secret of a thing", opened.Value)
}

func TestFastKnowsWhatItMade(t *testing.T) {
	p, _ := made(t)
	require.Equal(t, contract.ChangeCreated, run(t, p, request("noop:fast", contract.VerbEnsure, `{}`, "")).Change)
	require.Equal(t, contract.ChangeNone, run(t, p, request("noop:fast", contract.VerbEnsure, `{}`, "")).Change)
	require.Equal(t, contract.ChangeDeleted, run(t, p, request("noop:fast", contract.VerbDelete, `{}`, "")).Change)
	require.Equal(t, contract.ChangeNone, run(t, p, request("noop:fast", contract.VerbDelete, `{}`, "")).Change)
}

func TestAccountsAndContents(t *testing.T) {
	p, _ := made(t)
	in := func(account string, verb contract.Verb) *contract.ExecuteRequest {
		r := request("noop:thing", verb, `{"full":true}`, "")
		r.Context.Credentials, r.Context.Account = json.RawMessage(`{"account":"`+account+`"}`), account
		return r
	}
	require.Equal(t, contract.ChangeCreated, run(t, p, in("one", contract.VerbEnsure)).Change)
	require.Equal(t, contract.ChangeCreated, run(t, p, in("two", contract.VerbEnsure)).Change, "what is in one account is not in another")
	kept := in("one", contract.VerbDelete)
	kept.KeepContents = true
	refused := run(t, p, kept)
	require.Equal(t, contract.OutcomeNotApplied, refused.Outcome, "%+v", refused.Diagnostics)
	require.Equal(t, contract.KindPrecondition, refused.Diagnostics[0].Kind)
	require.Equal(t, contract.ChangeDeleted, run(t, p, in("one", contract.VerbDelete)).Change)
	require.Equal(t, contract.ChangeNone, run(t, p, in("two", contract.VerbEnsure)).Change)
}
