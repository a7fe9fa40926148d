package conformance_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/conformance"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
)

// The environment by which this test talks to the copies of itself.
const (
	asFlawed = "CONFORMANCE_TEST_FLAW"
	asJudge  = "CONFORMANCE_TEST_JUDGE"
	inFolder = "CONFORMANCE_TEST_FOLDER"
)

// noWait spares each process under the race detector a second at its end.
const noWait = "GORACE=atexit_sleep_ms=0"

// flaw is what a provider does wrong, and the rule that must notice.
type flaw struct{ name, rule string }

var flaws = []flaw{
	{"none", ""},
	{"makes two", "lives from create to delete"},
	{"never deletes", "lives from create to delete"},
	{"verifies blindly", "lives from create to delete"},
	{"announces nothing", "lives from create to delete"},
	{"loses labels", "lives from create to delete"},
	{"makes existing again", "existing is finished"},
	{"labels late", "a killed process leaves one thing"},
	{"prints secrets", "gives no secret away"},
	{"outputs secrets", "gives no secret away"},
	{"writes when verifying", "reads change nothing"},
	{"validates by chance", "validates repeatably"},
	{"plans blindly", "plans what it will do"},
	{"writes when planning", "plans what it will do"},
	{"plans with secrets", "gives no secret away"},
	{"brings nothing back", "brings back what was there"},
	{"expands by chance", "expands repeatably"},
}

// pages is a type whose things are files, with one flaw.
type pages struct{ flaw, folder string }

type page struct {
	Text   string          `json:"text"`
	Secret provider.Sealed `json:"secret,omitempty"`
}

type sheet struct {
	Text   string
	Labels map[string]string
}

func (p pages) Describe() provider.Description {
	return provider.Description{
		Type: "flawed:page", Placement: contract.Global, Discovery: contract.DiscoverByLabel, RepeatSafety: contract.ByLabel,
		Outputs: []contract.OutputField{{Name: "text"}},
	}
}

func (p pages) write(id string, s sheet) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.folder, id), raw, 0o600)
}

func (p pages) Create(_ context.Context, _ struct{}, op *provider.Operation[page]) (provider.Outputs, error) {
	if op.Existing != nil && p.flaw != "makes existing again" {
		return provider.Outputs{"text": op.Properties.Text}, p.write(op.Existing.Identity, sheet{op.Properties.Text, op.Labels})
	}
	secret, err := op.Open(op.Properties.Secret)
	if err != nil {
		return nil, err
	}
	made := sheet{op.Properties.Text, op.Labels}
	outputs := provider.Outputs{"text": op.Properties.Text}
	id := rand.Text()
	switch p.flaw {
	case "makes two":
		err = p.write(rand.Text(), sheet{Text: op.Properties.Text})
	case "loses labels":
		made.Labels = nil
	case "labels late":
		err = p.write(id, sheet{Text: op.Properties.Text})
		op.Made(id)
		time.Sleep(time.Second) // a vendor that takes its time before the labels are on
	case "prints secrets":
		fmt.Fprintln(os.Stderr, "creating with", secret.Reveal())
	case "outputs secrets":
		outputs["more"] = secret.Reveal()
	}
	op.Wrote()
	err = errors.Join(err, p.write(id, made))
	if p.flaw != "announces nothing" {
		op.Made(id)
	}
	return outputs, err
}

func (p pages) Update(_ context.Context, _ struct{}, op *provider.Operation[page]) (provider.Outputs, error) {
	if op.Existing.Outputs["text"] != op.Properties.Text {
		op.Wrote()
	}
	return nil, p.write(op.Existing.Identity, sheet{op.Properties.Text, op.Labels})
}

func (p pages) Delete(_ context.Context, _ struct{}, op *provider.Operation[page]) (provider.Outputs, error) {
	op.Wrote()
	if p.flaw == "never deletes" {
		return nil, nil
	}
	return nil, os.Remove(filepath.Join(p.folder, op.Existing.Identity))
}

func (p pages) Verify(_ context.Context, _ struct{}, op *provider.Operation[page]) ([]provider.Check, error) {
	switch p.flaw {
	case "verifies blindly":
		return []provider.Check{provider.Equal("text", "", "")}, nil
	case "writes when verifying":
		return nil, p.write(rand.Text(), sheet{})
	}
	return []provider.Check{provider.Equal[any]("text", op.Properties.Text, op.Existing.Outputs["text"])}, nil
}

func (p pages) Find(_ context.Context, _ struct{}, q *provider.Query[page], found func(provider.Found) error) error {
	files, err := os.ReadDir(p.folder)
	if err != nil {
		return err
	}
	for _, file := range files {
		var s sheet
		raw, err := os.ReadFile(filepath.Join(p.folder, file.Name()))
		if err != nil || json.Unmarshal(raw, &s) != nil || contract.OwnershipOf(s.Labels, q.Labels) != contract.OwnershipOurs {
			continue
		}
		err = found(provider.Found{
			Identity: file.Name(), Labels: s.Labels, Outputs: provider.Outputs{"text": s.Text}, Ready: true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p pages) Validate(page, provider.References) []provider.Diagnostic {
	if p.flaw != "validates by chance" {
		return nil
	}
	return []provider.Diagnostic{{Severity: contract.SeverityWarning, Summary: rand.Text()}}
}

func (p pages) Plan(_ context.Context, _ struct{}, op *provider.Operation[page]) (provider.Preview, error) {
	preview := provider.Preview{Former: sheet{Text: op.Existing.Outputs["text"].(string)}}
	switch p.flaw {
	case "plans blindly":
		return preview, nil
	case "writes when planning":
		return preview, p.write(rand.Text(), sheet{})
	case "plans with secrets":
		preview.Compare("/text", op.Properties.Secret.Ciphertext(), "canary-property-66")
	}
	preview.Compare("/text", op.Existing.Outputs["text"], op.Properties.Text)
	return preview, nil
}

func (p pages) Rollback(_ context.Context, _ struct{}, op *provider.Operation[page]) (provider.Outputs, error) {
	var was sheet
	if err := op.Former.Read(&was); err != nil {
		return nil, err
	}
	id := rand.Text()
	if op.Existing != nil {
		id = op.Existing.Identity
		if p.flaw == "brings nothing back" || op.Existing.Outputs["text"] == was.Text {
			return nil, nil
		}
	}
	op.Made(id)
	op.Wrote()
	return nil, p.write(id, sheet{was.Text, op.Labels})
}

// books is a composite with one flaw.
type books struct{ flaw string }

func (books) Describe() provider.Description { return provider.Description{Type: "flawed:book"} }

func (b books) Expand(page, provider.References) (provider.Subgraph, error) {
	name := "page"
	if b.flaw == "expands by chance" {
		name = rand.Text()
	}
	return provider.Subgraph{Parts: []provider.Part{{Name: name, Type: "flawed:page", Properties: page{Text: "one"}}}}, nil
}

// serveFlawed is the process that is judged.
func serveFlawed(flaw string) {
	serve.MainVersion("1.0.0", func(version string) (*provider.Provider, error) {
		type keys struct {
			Secret provider.Sealed `json:"secret"`
		}
		connect := func(_ context.Context, access provider.Access[keys, struct{}]) (struct{}, error) {
			_, err := access.Open(access.Credentials.Secret)
			return struct{}{}, err
		}
		return provider.New("flawed", version, connect, provider.TypeOf(pages{flaw, os.Getenv(inFolder)}),
			provider.CompositeOf[struct{}](books{flaw}),
			provider.Identify(func(context.Context, struct{}) (provider.Principal, error) {
				return provider.Principal{Account: "account"}, nil
			}))
	})
}

// TestJudge is the judge in a process of its own, so that its verdict can be read.
func TestJudge(t *testing.T) {
	if os.Getenv(asJudge) == "" {
		t.Skip("run by TestFlawsAreNoticed")
	}
	folder := os.Getenv(inFolder)
	conformance.Run(t, conformance.Target{
		Binary: os.Args[0], Env: []string{asFlawed + "=" + os.Getenv(asJudge), inFolder + "=" + folder, noWait},
		Credentials: map[string]any{"secret": "canary-credential-55"},
		Cases: []conformance.Case{{
			Type: "flawed:page", Properties: map[string]any{"text": "one", "secret": "canary-property-66"},
			Changed: map[string]any{"text": "two"},
		}},
		Composites: []conformance.Case{{Type: "flawed:book", Properties: map[string]any{}}},
		Count: func() (int, error) {
			files, err := os.ReadDir(folder)
			return len(files), err
		},
	})
}

func TestFlawsAreNoticed(t *testing.T) {
	for _, f := range flaws {
		t.Run(f.name, func(t *testing.T) {
			judge := exec.Command(os.Args[0], "-test.v", "-test.run=^TestJudge$"+f.only())
			judge.Env = append(os.Environ(), asJudge+"="+f.name, inFolder+"="+t.TempDir(), noWait)
			verdict, err := judge.CombinedOutput()
			if f.rule == "" {
				require.NoError(t, err, string(verdict))
				return
			}
			require.Error(t, err, "the flaw was not noticed")
			require.Contains(t, string(verdict), "--- FAIL: TestJudge/"+underscored(f.rule))
		})
	}
}

// only limits the judge to the rule in question, where that rule does not need what the others heard.
func (f flaw) only() string {
	if f.rule == "" || f.rule == "gives no secret away" {
		return ""
	}
	return "/^" + underscored(f.rule) + "$"
}

// underscored is how go test writes a name.
func underscored(name string) string {
	raw := []byte(name)
	for i, c := range raw {
		if c == ' ' {
			raw[i] = '_'
		}
	}
	return string(raw)
}
