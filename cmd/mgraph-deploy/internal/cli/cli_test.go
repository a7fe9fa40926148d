package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestWholeLife takes a deployment through every command, with the host inside the process and on a server.
func TestWholeLife(t *testing.T) {
	for _, where := range []string{"inside", "server"} {
		t.Run(where, func(t *testing.T) {
			w := newWorld(t)
			if where == "server" {
				w.serve(t)
			}
			app := w.file(t, "app.json", twoThings)

			plan := w.must(t, exitChanged, "plan", app, "--detailed-exitcode")
			require.Contains(t, plan.out, "3 operations in 2 groups")
			require.Regexp(t, `(?m)^2 +\+ create +ensure +second +noop:regional +eu-west-1 +- +first$`, plan.out)
			require.Contains(t, plan.out, "3 create")
			require.Contains(t, w.must(t, exitRefused, "forget", "demo").err, "no such deployment")

			apply := w.must(t, exitChanged, "apply", app, "--detailed-exitcode")
			require.Contains(t, apply.out, "apply of demo completed")
			require.Regexp(t, `(?m)^second@eu-west-1 +value +x$`, apply.out)
			require.Contains(t, apply.err, "first: completed, created")

			again := w.must(t, exitDone, "apply", app, "--detailed-exitcode")
			require.Contains(t, again.out, "3 unchanged")

			require.Regexp(t, `(?m)^demo +v2 +deployed`, w.must(t, exitDone, "status").out)
			require.Contains(t, w.must(t, exitDone, "status", "demo").out, "completed, 100%")
			require.Contains(t, w.must(t, exitDone, "verify", app).out, "pass")
			require.Contains(t, w.must(t, exitDone, "watch", "demo").err, "run completed")

			history := w.must(t, exitDone, "history", "demo").out
			require.Regexp(t, `(?m)^\* +v2 +[0-9a-f]{8} +deployment +local`, history)
			require.Regexp(t, `(?m)^ +[0-9a-f]{8} +apply +completed +3 of 3 +local`, history)
			require.Regexp(t, `(?m)^[0-9a-f]{8} +demo +[0-9a-f]{8} +verify +completed`, w.must(t, exitDone, "runs", app, "--kind", "verify").out)
			first, second := graphIn(t, apply.out), graphIn(t, again.out)
			require.Contains(t, w.must(t, exitDone, "compare", first, second).out, `/version: "v1" > "v2"`)
			require.Contains(t, w.must(t, exitDone, "graph", "demo", "--format", "mermaid").out, "flowchart LR")
			require.Contains(t, w.must(t, exitDone, "graph", first, "--view", "execution", "--format", "mgraph").out, "_type_registry")

			require.Contains(t, w.must(t, exitRefused, "forget", "demo").err, "not destroyed")
			destroyed := w.must(t, exitChanged, "destroy", "demo", "--detailed-exitcode")
			require.Contains(t, destroyed.out, "3 changed")
			require.Regexp(t, `(?m)^demo +v2 +destroyed`, w.must(t, exitDone, "status").out)
			w.must(t, exitDone, "forget", "demo")
			require.NotContains(t, w.must(t, exitDone, "status").out, "demo")
		})
	}
}

func TestRollbackTakesTheLatestRunBack(t *testing.T) {
	w := newWorld(t)
	one := `{"deployment_id":"demo","resources":{"a":{"type":"noop:thing","operation":"ensure","properties":{"value":"x"}}}}`
	both := strings.Replace(one, `"resources":{`, `"resources":{"b":{"type":"noop:thing","operation":"ensure","references":{"from":"a"}},`, 1)
	w.must(t, exitDone, "apply", w.file(t, "one.json", one))
	app := w.file(t, "both.json", both)
	plan := w.must(t, exitChanged, "plan", app, "--detailed-exitcode")
	require.Regexp(t, `(?m)^1 += nothing +ensure +a `, plan.out)
	require.Regexp(t, `(?m)^2 +\+ create +ensure +b `, plan.out)
	require.Contains(t, plan.out, "1 create, 1 nothing")
	changed := w.must(t, exitDone, "plan", w.file(t, "changed.json", strings.Replace(one, `"x"`, `"z"`, 1)))
	require.Regexp(t, `(?m)^~ a$`, changed.out)
	require.Regexp(t, `(?m)^    /value: "x" -> "z"$`, changed.out)
	require.Contains(t, w.must(t, exitRefused, "plan", app, "--detailed-exitcode", "--no-credentials").err, "needs credentials")

	w.must(t, exitDone, "apply", app)
	require.Contains(t, w.must(t, exitChanged, "rollback", "demo", "--detailed-exitcode").out, "rollback of demo completed")
	require.Regexp(t, `(?m)^demo +v1 +deployed`, w.must(t, exitDone, "status").out)
	again := w.must(t, exitRefused, "rollback", "demo")
	require.Contains(t, again.err, "already")
	w.must(t, exitDone, "plan", w.file(t, "one.json", one), "--detailed-exitcode")
}

func TestJSONIsAllThatIsOnStandardOutput(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", twoThings)
	var result rest.RunResult
	apply := w.must(t, exitDone, "apply", app, "--output", "json")
	require.NoError(t, json.Unmarshal([]byte(apply.out), &result))
	require.True(t, result.Success)
	require.Len(t, result.Outputs, 3)

	var status rest.StatusResponse
	require.NoError(t, json.Unmarshal([]byte(w.must(t, exitDone, "status", result.GraphID, "-o", "json").out), &status))
	require.Equal(t, result.RunID, status.RunID)

	lines := strings.Split(strings.TrimSpace(w.must(t, exitDone, "watch", result.GraphID, "-o", "json").out), "\n")
	require.EqualValues(t, status.EventVersion, len(lines))
	for i, line := range lines {
		var event rest.Event
		require.NoError(t, json.Unmarshal([]byte(line), &event))
		require.EqualValues(t, i+1, event.Version)
	}
	last := w.must(t, exitDone, "watch", result.GraphID, "-o", "json", "--after", rest.EventID(result.RunID, status.EventVersion-1))
	require.Len(t, strings.Split(strings.TrimSpace(last.out), "\n"), 1)
}

func TestFailureIsToldAndCanBeGoneOnWith(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", `{"deployment_id":"demo","resources":{
		"good":{"type":"noop:thing"},
		"bad":{"type":"noop:thing","properties":{"fail":"permission_denied","fail_times":1},"depends_on":["good"]},
		"behind":{"type":"noop:thing","depends_on":["bad"]}}}`)
	failed := w.must(t, exitFailed, "apply", app)
	require.Contains(t, failed.out, "Failed: create bad: it was told to fail")
	require.Contains(t, failed.out, "1 blocked")
	graph := graphIn(t, failed.out)

	resumed := w.must(t, exitDone, "apply", "--graph", graph)
	require.Contains(t, resumed.out, "3 of 3 done")
	require.Contains(t, resumed.out, "graph "+graph)
}

func graphIn(t *testing.T, text string) string {
	_, after, found := strings.Cut(text, "graph ")
	require.True(t, found, text)
	return after[:8]
}

func TestCompositesAreShownOverTheirParts(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", `{"deployment_id":"demo","resources":{
		"base":{"type":"noop:thing","properties":{"value":"x"}},
		"stack":{"type":"noop:stack","references":{"from":"base.value"}},
		"behind":{"type":"noop:thing","depends_on":["stack"]}}}`)
	plan := w.must(t, exitDone, "plan", app).out
	require.Contains(t, plan, "4 operations in 4 groups")
	require.Regexp(t, `(?m)^ +create +stack +noop:stack$\n^2 +\+ create +create +  stack.base +noop:thing +- +- +base$\n^3 +\+ create +create +  stack.layer-1 +noop:regional +us-east-1 +- +stack.base$\n^4 +\+ create +create +behind`, plan)
	applied := w.must(t, exitDone, "apply", app).out
	require.Regexp(t, `(?m)^stack +value +x$`, applied)
	require.Regexp(t, `(?m)^stack +create +completed$\n^  stack.base +- +create +completed`, w.must(t, exitDone, "status", "demo").out)
	part := w.file(t, "part.json", `{"deployment_id":"demo","resources":{"stack":{"type":"noop:stack","properties":{"size":-1}}}}`)
	require.Contains(t, w.must(t, exitFailed, "plan", part).out, "/config/resources/stack/properties/size: must be at least 0")
	w.must(t, exitDone, "destroy", "demo")
}

func TestStoredPlanIsApplied(t *testing.T) {
	w := newWorld(t)
	plan := w.must(t, exitDone, "plan", w.file(t, "app.json", twoThings), "--keep")
	graph := graphIn(t, plan.out)
	require.Contains(t, w.must(t, exitDone, "status", graph).out, "planned")
	again := w.must(t, exitChanged, "plan", "--graph", graph, "--detailed-exitcode")
	require.Contains(t, again.out, "3 create")
	require.NotContains(t, w.must(t, exitDone, "plan", "--graph", graph, "--no-credentials").out, "3 create")
	w.must(t, exitRefused, "plan", w.file(t, "app.json", twoThings), "--graph", graph)
	require.Contains(t, w.must(t, exitRefused, "watch", graph).err, "was not run yet")
	require.Contains(t, w.must(t, exitDone, "apply", "--graph", graph).out, "3 changed")
}

func TestDryRun(t *testing.T) {
	w := newWorld(t)
	dry := w.must(t, exitDone, "apply", w.file(t, "app.json", twoThings), "--mode", "dry_run")
	require.Contains(t, dry.out, "3 pending")
	require.NotContains(t, w.must(t, exitDone, "status").out, "demo")
}

func TestPlanSaysAllThatIsWrong(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", `{"deployment_id":"demo","resources":{
		"a":{"type":"noop:nothing"},"b":{"type":"noop:thing","depends_on":["nobody"]}}}`)
	plan := w.must(t, exitFailed, "plan", app)
	require.Contains(t, plan.out, "Not valid: 2 problems")
	require.Contains(t, plan.out, "/config/resources/a/type")
	apply := w.must(t, exitRefused, "apply", app)
	require.Contains(t, apply.err, "/config/resources/b/depends_on")
	require.Contains(t, apply.err, "trace ")
}

func TestUnknownFieldsReachTheHost(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", `{"deployment_id":"demo","colour":"red","resources":{}}`)
	require.Contains(t, w.must(t, exitRefused, "apply", app).err, "/config/colour")
}

func TestWrongUsage(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", twoThings)
	for _, arguments := range [][]string{
		{"apply"}, {"apply", app, "--graph", "5bec1234"}, {"apply", "missing.json"}, {"nothing"}, {"plan"}, {"status", "a", "b"},
		{"plan", app, "--output", "yaml"}, {"plan", app, "--colour"}, {"plan", app, "--server", "localhost:80"},
		{"plan", app, "--log-level", "loud"}, {"plan", app, "--pin", "noop"}, {"seal", "--type", "noop:thing"}, {"seal"},
		{"serve", "--log-format", "xml"}, {"serve", "--auth", "off", "--listen", "0.0.0.0:0"}, {"serve", "--auth", "maybe"},
		{"apply", w.file(t, "broken.json", "{\n  \"a\": ]\n}")}, {"apply", w.file(t, "list.json", "[]")},
		{"plan", app, "--config", w.file(t, "odd.json", `{"colour":"red"}`)}, {"verify", "unheard-of"},
	} {
		d := w.must(t, exitRefused, arguments...)
		require.Contains(t, d.err, "error: ", arguments)
		require.Empty(t, d.out, arguments)
	}
	require.Contains(t, w.run(t, "apply", filepath.Join(w.dir, "broken.json")).err, "line 2, column 8")
}

func TestEnvironmentIsBeneathTheCommandLine(t *testing.T) {
	w := newWorld(t)
	w.vars["MGRAPH_DEPLOY_OUTPUT"] = "json"
	require.JSONEq(t, `{"name":"mgraph-deploy","version":"0.1.0","go":""}`, w.must(t, exitDone, "version").out)
	require.Equal(t, "mgraph-deploy 0.1.0\n", w.must(t, exitDone, "version", "--output", "text").out)
	w.vars["MGRAPH_DEPLOY_DETAILED_EXITCODE"] = "maybe"
	require.Contains(t, w.must(t, exitRefused, "apply", "x").err, "MGRAPH_DEPLOY_DETAILED_EXITCODE")
}

func TestHelpNamesTheExitCodes(t *testing.T) {
	help := newWorld(t).must(t, exitDone, "--help")
	require.Contains(t, help.out, exitHelp)
}

func TestServeDrainsAndEndsWithZero(t *testing.T) {
	w := newWorld(t)
	host := w.serve(t)
	app := w.file(t, "app.json", `{"deployment_id":"slow","resources":{"a":{"type":"noop:thing","properties":{"sleep_ms":500}},
		"b":{"type":"noop:thing","depends_on":["a"]}}}`)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	applied := make(chan int, 1)
	env := w.env(io.Discard, io.Discard, []string{"apply", app})
	go func() { applied <- Run(ctx, env) }()
	client, err := rest.NewClient(host.url)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		runs, err := client.Runs(t.Context(), rest.RunsQuery{Status: rest.RunRunning})
		return err == nil && len(runs.Runs) == 1
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, exitDone, host.stop())
	require.Contains(t, host.log.String(), "draining")
	leave() // it would go on looking for the host for a while
	<-applied

	// What was begun is on record, and goes on from there.
	delete(w.vars, "MGRAPH_DEPLOY_SERVER")
	status := w.must(t, exitDone, "status", "slow")
	require.Contains(t, status.out, "interrupted")
	require.Contains(t, w.must(t, exitDone, "apply", "--graph", graphIn(t, status.out)).out, "2 of 2 done")
}

func TestInterruptLeavesARunThatGoesOn(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", `{"deployment_id":"slow","resources":{"a":{"type":"noop:thing","properties":{"sleep_ms":30000}}}}`)
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	said := &buffer{}
	code := make(chan int, 1)
	w.file(t, "config.json", `{"drain_timeout_seconds":0.1,"providers":{"noop":{"dir":`+quoted(filepath.Join(w.dir, "things"))+`}}}`)
	env := w.env(&out, said, []string{"apply", app})
	go func() { code <- Run(ctx, env) }()
	require.Eventually(t, func() bool { return strings.Contains(said.String(), "a: begun") }, 20*time.Second, 5*time.Millisecond)
	cancel()
	require.Equal(t, exitInterrupted, <-code)
	require.Contains(t, said.String(), "go on with: mgraph-deploy continue ")
}

// TestDiscoverAfterTheStoreIsLost: a host with another data directory, told whose things it takes over, finds them and goes on.
func TestDiscoverAfterTheStoreIsLost(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", twoThings)
	w.must(t, exitDone, "apply", app)
	things, err := filepath.Glob(filepath.Join(w.dir, "things", "*", "*.json"))
	require.NoError(t, err)
	require.Len(t, things, 3)
	text, err := os.ReadFile(things[0])
	require.NoError(t, err)
	owner := regexp.MustCompile(`"mgraph:owner":"([0-9a-f]{16})"`).FindSubmatch(text)
	require.NotNil(t, owner, "%s", text)

	w.vars["MGRAPH_DEPLOY_DATA_DIR"] = filepath.Join(w.dir, "another")
	require.Contains(t, w.must(t, exitFailed, "discover", app).out, "nothing was found under this owner")
	w.file(t, "config.json", `{"providers":{"noop":{"dir":`+quoted(filepath.Join(w.dir, "things"))+`}},"owners":{"default":"`+string(owner[1])+`"}}`)
	found := w.must(t, exitDone, "discover", app)
	require.Contains(t, found.out, "3 found, 0 missing")
	require.Contains(t, found.err, "verification completed: 3 of 3 done")
	require.Contains(t, w.must(t, exitDone, "discover", "demo").out, "3 found")
	require.Contains(t, w.must(t, exitDone, "status", "demo").out, "discovered")
	require.Contains(t, w.must(t, exitDone, "apply", app).out, "3 unchanged")
	require.Contains(t, w.must(t, exitDone, "destroy", "demo").out, "3 changed")
}

func TestKeysOnAServer(t *testing.T) {
	w := newWorld(t)
	host := w.serve(t)
	require.Contains(t, host.log.String(), "no API key is needed")
	operator := strings.TrimSpace(w.must(t, exitDone, "keys", "create", "root", "--role", "operator").out)
	require.Contains(t, w.must(t, exitRefused, "keys", "list").err, "API key is needed")

	w.vars["MGRAPH_DEPLOY_API_KEY"] = operator
	acme := strings.TrimSpace(w.must(t, exitDone, "keys", "create", "pipe", "--tenant", "acme").out)
	require.Regexp(t, `(?m)^acme +pipe +tenant`, w.must(t, exitDone, "keys", "list").out)

	// Two tenants do not see each other's deployments.
	app := w.file(t, "app.json", twoThings)
	graph := graphIn(t, w.must(t, exitDone, "apply", app).out)
	keyFile := w.file(t, "key", acme+"\n")
	require.NotContains(t, w.must(t, exitDone, "status", "--api-key-file", keyFile).out, "demo")
	require.Contains(t, w.must(t, exitRefused, "status", graph, "--api-key-file", keyFile).err, "error")
	require.Contains(t, w.must(t, exitRefused, "keys", "list", "--api-key-file", keyFile).err, "operator")

	w.must(t, exitDone, "keys", "revoke", "pipe", "--tenant", "acme")
	require.Contains(t, w.must(t, exitRefused, "status", "--api-key-file", keyFile).err, "not known")
	for _, secret := range []string{operator, acme} {
		require.NotContains(t, host.log.String(), secret)
		database, err := os.ReadDir(filepath.Join(w.dir, "data"))
		require.NoError(t, err)
		for _, file := range database {
			text, _ := os.ReadFile(filepath.Join(w.dir, "data", file.Name()))
			require.NotContains(t, string(text), secret)
		}
	}
}

func TestSecondHostOnADataDirectoryIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the lock")
	}
	w := newWorld(t)
	w.serve(t)
	delete(w.vars, "MGRAPH_DEPLOY_SERVER")
	require.Contains(t, w.must(t, exitRefused, "status").err, "data directory")
}

// TestExamplesAreValid plans every example with the real providers.
func TestExamplesAreValid(t *testing.T) {
	w := newWorld(t)
	plugins := t.TempDir()
	for _, name := range []string{"aws", "github"} {
		build(filepath.Join(plugins, name, "0.1.0", "mgraph-provider-"+name), "../../../mgraph-provider-"+name)
	}
	w.vars["MGRAPH_DEPLOY_PLUGINS_DIR"] = plugins
	w.file(t, "config.json", "{}")
	const examples = "../../../../examples/"
	plan := w.must(t, exitDone, "plan", examples+"my-app.json", "--no-credentials")
	require.Contains(t, plan.out, "8 operations in 4 groups")
	require.Regexp(t, `(?m)^4 +ensure +lambda-arn-secret .* api-lambda@us-east-1`, plan.out)
	w.must(t, exitDone, "plan", examples+"static-bucket.json", "--no-credentials")
	composed := w.must(t, exitDone, "plan", examples+"my-api.json", "--no-credentials")
	require.Contains(t, composed.out, "8 operations in 5 groups")
	require.Regexp(t, `(?m)^ +ensure +api +aws:lambda:full$\n^3 +ensure +  api.role +aws:iam:role +.* code@us-east-1, code@eu-west-1$`, composed.out)
	require.Regexp(t, `(?m)^4 +ensure +  api.function +aws:lambda:function +eu-west-1 .* api.role$`, composed.out)

	a := &app{env: w.env(nil, nil, nil), flags: flags{config: examples + "host.json"}}
	settings, err := a.hostSettings()
	require.NoError(t, err)
	require.Equal(t, "keys", settings.Auth)
}
