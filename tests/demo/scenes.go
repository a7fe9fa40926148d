package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

//go:embed my-app.json
var myApp []byte

// example is the smallest of the examples that come with the project.
const example = "examples/static-bucket.json"

// scene is one step of the show. plugins are the providers that make build has left.
type scene struct {
	title string
	play  func(s *stage, ctx context.Context, plugins string) error
}

func scenes() []scene {
	alone := func(play func(*stage, context.Context) error) func(*stage, context.Context, string) error {
		return func(s *stage, ctx context.Context, _ string) error { return play(s, ctx) }
	}
	return []scene{
		{"Set up: providers, stand-ins for AWS and GitHub, the host", (*stage).setUp},
		{"Keys: one to call the host with, and those to seal to", alone((*stage).fetchKeys)},
		{"Plan: what would be done, and in which order", alone((*stage).plan)},
		{"Apply: do just that", alone((*stage).apply)},
		{"Status", alone((*stage).status)},
		{"Verify: is everything as it was asked for?", alone((*stage).verify)},
		{"Apply again, now with ensure: nothing is to change", alone((*stage).applyAgain)},
		{"Destroy: leave nothing", alone((*stage).destroy)},
		{"Secrets: they stand in nothing that the host has written", alone((*stage).searchForSecrets)},
		{"Without a server: the same host inside the command", alone((*stage).withoutServer)},
	}
}

func (s *stage) setUp(ctx context.Context, plugins string) error {
	if err := os.CopyFS(s.path("plugins"), os.DirFS(plugins)); err != nil {
		return fmt.Errorf("install the providers: %w", err)
	}
	s.say("  starting the stand-ins; where this machine has no moto, build/venv is made first, which takes about a minute")
	if err := s.clouds(ctx); err != nil {
		return err
	}
	if err := s.writeFiles(); err != nil {
		return err
	}
	if err := s.startHost(ctx); err != nil {
		return err
	}
	providers, err := s.client.Providers(ctx)
	if err != nil {
		return err
	}
	for _, p := range providers.Providers {
		s.say("  provider  %s %s, installed for the host", p.Name, p.Version)
	}
	s.say("  AWS       %s is moto, an empty account, behind a counter of requests", s.aws.URL)
	s.say("  GitHub    %s is a fake with one repository, %s/%s", s.fakeURL, owner, repository)
	s.say("  host      %s, a process of its own; its store is one SQLite file", s.host.URL)
	return nil
}

// writeFiles writes the operator's configuration and the deployments.
func (s *stage) writeFiles() error {
	config, err := json.MarshalIndent(map[string]any{"providers": map[string]any{
		"aws": map[string]string{"endpoint": s.aws.URL}, "github": map[string]string{"endpoint": s.fakeURL},
	}}, "", "  ")
	if err != nil {
		return err
	}
	again := bytes.ReplaceAll(myApp, []byte(`"operation": "create"`), []byte(`"operation": "ensure"`))
	smallest, err := exampleFile()
	if err != nil {
		return err
	}
	for _, dir := range []string{"work", "work/examples", "home", "t"} {
		if err := os.Mkdir(s.path(dir), 0o700); err != nil {
			return err
		}
	}
	for name, content := range map[string][]byte{
		"config.json": config, "work/my-app.json": myApp, "work/my-app-again.json": again, "work/" + example: smallest,
	} {
		if err := os.WriteFile(s.path(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func exampleFile() ([]byte, error) {
	root, err := standin.Root()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(root, example))
}

// fetchKeys makes the first API key, after which the host wants one, and shows the providers' public keys.
func (s *stage) fetchKeys(ctx context.Context) error {
	made, err := s.invoke(ctx, io.Discard, []string{"MGRAPH_DEPLOY_SERVER=" + s.host.URL}, []string{"keys", "create", "demo", "--role", "operator"})
	if err != nil || made.code != 0 {
		return errors.Join(err, fmt.Errorf("exit code %d", made.code))
	}
	s.say("(it prints the key, this once)")
	_, refused := s.client.Deployments(ctx, rest.ListQuery{})
	s.apiKey = strings.TrimSpace(made.stdout)
	if err := s.connect(); err != nil {
		return err
	}
	p := &proof{stage: s}
	p.that(errors.Is(refused, rest.KindUnauthorized), "without a key the host answers nobody any more")
	for _, provider := range []string{"aws", "github"} {
		keys, err := s.client.PublicKeys(ctx, provider)
		if err != nil {
			return err
		}
		key, err := base64.StdEncoding.DecodeString(keys.PublicKeyBase64)
		p.that(err == nil && len(key) == 32, "GET /public-keys/%s: %s, key id %s", provider, keys.Algorithm, keys.KeyID)
		s.pins = append(s.pins, "--pin", provider+"="+keys.KeyID)
	}
	s.say("\nThe commands below find credentials where AWS's and GitHub's own tools do, seal them to these keys, and send only that.")
	return p.result()
}

var kept = regexp.MustCompile(`--graph ([0-9a-f]{8})`)

func (s *stage) plan(ctx context.Context) error {
	done, err := s.deploy(ctx, "plan", "my-app.json", "--keep")
	if err != nil {
		return err
	}
	p := &proof{stage: s}
	s.say("")
	p.that(done.code == 0 && kept.MatchString(done.stdout), "the plan is valid and kept, to be approved and then run as it is")
	p.that(s.aws.traffic().reads > 0 && len(s.github.Requests()) > 0, "AWS and GitHub were asked whose the credentials are")
	p.that(s.aws.traffic().writes == 0 && s.githubWrites() == 0, "nothing was written to them")
	if p.failed {
		return p.result()
	}
	plan, err := s.client.StoredPlan(ctx, kept.FindStringSubmatch(done.stdout)[1])
	if err != nil {
		return err
	}
	p.that(len(plan.Operations) == operationCount && len(plan.Groups) == 4, "%d operations in %d groups, each of which can run side by side", len(plan.Operations), len(plan.Groups))
	s.graph = plan.SpecGraphID
	return p.result()
}

func (s *stage) apply(ctx context.Context) error {
	done, err := s.deploy(ctx, append([]string{"apply", "--graph", s.graph}, s.pins...)...)
	if err != nil {
		return err
	}
	found, err := s.readBack(ctx)
	if err != nil {
		return err
	}
	run, err := s.latest(ctx)
	if err != nil {
		return err
	}
	p := &proof{stage: s}
	s.say("")
	p.that(done.code == 0, "exit code %d", done.code)
	p.completed(run, "apply", operationCount)
	zip, err := packaged()
	if err != nil {
		return err
	}
	p.asAsked(found, zip)
	return p.result()
}

// packaged is the code package that the document carries.
func packaged() ([]byte, error) {
	var config rest.Config
	if err := json.Unmarshal(myApp, &config); err != nil {
		return nil, err
	}
	for _, resource := range config.Resources {
		var properties struct {
			Content []byte `json:"content_base64"`
		}
		if err := json.Unmarshal(resource.Definition.Properties, &properties); err != nil {
			return nil, err
		}
		if properties.Content != nil {
			return properties.Content, nil
		}
	}
	return nil, errors.New("the document carries no package")
}

func (s *stage) status(ctx context.Context) error {
	done, err := s.deploy(ctx, "status", deployment)
	if err != nil {
		return err
	}
	p := &proof{stage: s}
	s.say("")
	p.that(done.code == 0, "exit code %d", done.code)
	return p.result()
}

func (s *stage) verify(ctx context.Context) error {
	before := s.aws.traffic()
	done, err := s.deploy(ctx, "verify", deployment)
	if err != nil {
		return err
	}
	run, err := s.latest(ctx)
	if err != nil {
		return err
	}
	p := &proof{stage: s}
	passed, others := 0, 0
	for _, checks := range run.Checks {
		for _, check := range checks {
			if check.Status == "pass" {
				passed++
			} else {
				others++
			}
		}
	}
	s.say("")
	p.that(done.code == 0, "exit code %d", done.code)
	p.completed(run, "verify", 0)
	p.that(passed > 0 && others == 0, "%d checks pass, %d do not", passed, others)
	p.that(s.aws.traffic().since(before).writes == 0, "it wrote nothing")
	return p.result()
}

func (s *stage) applyAgain(ctx context.Context) error {
	before, err := s.readBack(ctx)
	if err != nil {
		return err
	}
	asked, put := s.aws.traffic(), s.githubWrites()
	s.say("my-app-again.json is my-app.json with \"operation\": \"ensure\" in place of \"create\".")
	done, err := s.deploy(ctx, "apply", "my-app-again.json", "--detailed-exitcode")
	if err != nil {
		return err
	}
	requests := s.aws.traffic().since(asked)
	after, err := s.readBack(ctx)
	if err != nil {
		return err
	}
	run, err := s.latest(ctx)
	if err != nil {
		return err
	}
	p := &proof{stage: s}
	s.say("")
	p.that(done.code == 0, "exit code %d (with --detailed-exitcode, 0 says that nothing changed)", done.code)
	p.completed(run, "apply", 0)
	p.that(requests.writes == 0 && requests.reads > 0, "AWS was asked %d times, and written to %d times", requests.reads, requests.writes)
	p.that(s.githubWrites() == put, "GitHub was written to %d times", s.githubWrites()-put)
	p.same(before, after)
	return p.result()
}

// githubWrites counts what was asked of GitHub that may change something.
func (s *stage) githubWrites() int {
	count := 0
	for _, request := range s.github.Requests() {
		if request.Method != "GET" {
			count++
		}
	}
	return count
}

func (s *stage) destroy(ctx context.Context) error {
	done, err := s.deploy(ctx, "destroy", deployment, "--yes")
	if err != nil {
		return err
	}
	run, err := s.latest(ctx)
	if err != nil {
		return err
	}
	found, err := s.readBack(ctx)
	if err != nil {
		return err
	}
	p := &proof{stage: s}
	s.say("")
	p.that(done.code == 0, "exit code %d", done.code)
	p.completed(run, "destroy", operationCount)
	p.that(len(run.LeftOver) == 0, "the host says that %d things are left over", len(run.LeftOver))
	p.nothingThere(found)
	return p.result()
}

// searchForSecrets looks through all that the host and its providers have left on disk.
func (s *stage) searchForSecrets(context.Context) error {
	needles := map[string]string{"AWS secret key": s.secretKey, "GitHub token": s.token, "API key": s.apiKey}
	for what, needle := range needles {
		needles[what+" in base64"] = base64.StdEncoding.EncodeToString([]byte(needle))
	}
	p := &proof{stage: s}
	files, bytesRead := 0, 0
	for _, place := range []string{s.path("data"), s.log.Name()} {
		err := filepath.WalkDir(place, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			for what, needle := range needles {
				if bytes.Contains(content, []byte(needle)) {
					p.that(false, "the %s stands in %s", what, filepath.Base(path))
				}
			}
			files, bytesRead = files+1, bytesRead+len(content)
			return err
		})
		if err != nil {
			return err
		}
	}
	p.that(files > 2 && !p.failed, "searched the store, the key files and the log: %d files, %d KB", files, bytesRead/1000)
	return p.result()
}

// withoutServer shows that a first deployment needs no server.
func (s *stage) withoutServer(ctx context.Context) error {
	p := &proof{stage: s}
	for _, arguments := range [][]string{
		{"apply", example}, {"apply", example, "--detailed-exitcode"},
	} {
		done, err := s.deployAlone(ctx, arguments...)
		if err != nil {
			return err
		}
		s.say("")
		p.that(done.code == 0, "exit code %d", done.code)
	}
	there, err := s.readBack(ctx)
	if err != nil {
		return err
	}
	made := len(there.aws.Buckets) == 1 && len(there.aws.Buckets[0].Objects) == 1 && there.aws.Buckets[0].Region == "eu-west-1"
	p.that(made, "boto3 finds one bucket in eu-west-1, with one object")
	done, err := s.deployAlone(ctx, "destroy", example, "--yes")
	if err != nil {
		return err
	}
	s.say("")
	p.that(done.code == 0, "exit code %d", done.code)
	gone, err := s.readBack(ctx)
	if err != nil {
		return err
	}
	p.nothingThere(gone)
	return p.result()
}
