package tests_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

const module = "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy"

// stages says what each package of the host may import of the host. The way goes down: config, graph, plan, schedule, dispatch,
// pluginhost; execution is the vocabulary beneath them; the engine alone wires.
var stages = map[string]string{
	"host":                             "api config engine pluginhost store store/postgres store/sqlite",
	"host/internal/api":                "config engine graph store",
	"host/internal/config":             "config/document",
	"host/internal/config/document":    "",
	"host/internal/dag":                "",
	"host/internal/export":             "",
	"host/internal/graph":              "config/document dag",
	"host/internal/graph/graphtest":    "graph",
	"host/internal/plan":               "dag graph",
	"host/internal/schedule":           "execution plan",
	"host/internal/dispatch":           "config/document execution graph plan",
	"host/internal/pluginhost":         "",
	"host/internal/execution":          "",
	"host/internal/journal":            "execution store",
	"host/internal/engine":             "config config/document dispatch execution export graph journal plan pluginhost schedule store",
	"host/internal/store":              "execution",
	"host/internal/store/row":          "execution store",
	"host/internal/store/sqlite":       "execution store store/row",
	"host/internal/store/postgres":     "execution store store/row",
	"host/internal/simulate":           "engine execution graph pluginhost simulate/cloud simulate/invariant store store/sqlite store/storetest",
	"host/internal/simulate/cloud":     "",
	"host/internal/simulate/invariant": "execution graph plan simulate/cloud store",
	"host/internal/store/storetest":    "execution store",
	"sdk/contract":                     "",
	"sdk/rest":                         "contract",
	"sdk/sealedbox":                    "contract",
	"sdk/provider":                     "contract sealedbox",
	"sdk/internal/wire":                "contract",
	"sdk/remote":                       "contract internal/wire",
	"sdk/serve":                        "contract internal/wire provider remote sealedbox",
	"sdk/conformance":                  "contract remote sealedbox serve",
	"plugins/aws":                      "",
	"plugins/github":                   "",
	"proto/mgraph/deploy/provider/v1":  "",
}

// owners says which folders may import a library. A library that is not here has no owner yet: give it one.
var owners = map[string]string{
	"github.com/danielgtaylor/huma/v2":              "host/internal/api",
	"github.com/julienschmidt/httprouter":           "host/internal/api",
	"github.com/pressly/goose/v3":                   "host/internal/store/sqlite host/internal/store/postgres",
	"github.com/jackc/pgx/v5":                       "host/internal/store/postgres tests/standin/pgserver tests/crash", // the checker reads the store by itself
	"modernc.org/sqlite":                            "host/internal/store/sqlite tests/crash",                          // the checker reads the file by itself
	"github.com/santhosh-tekuri/jsonschema/v6":      "host/internal/graph sdk/conformance",
	"github.com/Masterminds/semver/v3":              "host/internal/pluginhost host/internal/store/sqlite",
	"golang.org/x/time":                             "host/internal/dispatch",
	"golang.org/x/sync":                             "host/internal/dispatch tests",
	"github.com/hashicorp/go-plugin":                "sdk/serve sdk/conformance host/internal/pluginhost tests/bench", // the bare rate, to compare with
	"github.com/hashicorp/go-hclog":                 "host sdk cmd tests",                                             // passed down from where it is made
	"google.golang.org/grpc":                        "sdk proto tests/bench host/internal/simulate",                   // which is both ends of a connection
	"google.golang.org/protobuf":                    "sdk proto tests/bench",
	"github.com/invopop/jsonschema":                 "sdk/provider",
	"golang.org/x/crypto":                           "sdk/sealedbox tests/githubfake", // the fake opens what was sealed, by its own means
	"golang.org/x/sys":                              "sdk/serve",
	"github.com/aws/aws-sdk-go-v2":                  "plugins/aws",
	"github.com/aws/aws-sdk-go-v2/config":           "cmd/mgraph-deploy/internal/cli", // a person's credentials, from the usual places
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds": "cmd/mgraph-deploy/internal/cli",
	"github.com/aws/aws-sdk-go-v2/aws":              "plugins/aws tests/crash", // the checker reads the stand-in by itself
	"github.com/aws/aws-sdk-go-v2/credentials":      "plugins/aws tests/crash",
	"github.com/aws/aws-sdk-go-v2/service":          "plugins/aws tests/crash",
	"github.com/aws/smithy-go":                      "plugins/aws tests/crash",
	"github.com/google/go-github/v92":               "plugins/github",
	"github.com/spf13/cobra":                        "cmd/mgraph-deploy/internal/cli",
	"github.com/spf13/pflag":                        "cmd/mgraph-deploy/internal/cli",
	"github.com/vbauerster/mpb/v8":                  "cmd/mgraph-deploy/internal/cli",
	"github.com/mattn/go-isatty":                    "cmd/mgraph-deploy/internal/cli",
	"go.yaml.in/yaml/v3":                            "cmd/mgraph-deploy/internal/cli",
	"golang.org/x/term":                             "cmd/mgraph-deploy/internal/cli",
	"github.com/getkin/kin-openapi":                 "tests/githubfake/referee",
	"github.com/stretchr/testify":                   "host/internal/store/storetest sdk/conformance", // suites that others' tests call
	"pgregory.net/rapid":                            "host/internal/store/storetest",
}

// unreachable says what must not be part of a program at all, however far down.
var unreachable = []struct{ from, what, why string }{
	{"host", "github.com/aws/", "the host knows no cloud"},
	{"host", "github.com/google/go-github", "the host knows no cloud"},
	{"host", module + "/plugins/", "providers are other processes"},
	{"host", module + "/tests", "the product does not depend on its tests"},
	{"sdk", "modernc.org/", "an author's build must not grow with a database"},
	{"sdk", "github.com/jackc/", "an author's build must not grow with a database"},
	{"sdk", "github.com/pressly/", "an author's build must not grow with a database"},
	{"sdk", "github.com/aws/", "an author's build must not grow with a cloud"},
	{"sdk", "github.com/google/go-github", "an author's build must not grow with a cloud"},
	{"sdk", "github.com/danielgtaylor/", "an author's build must not grow with a web framework"},
	{"sdk", "github.com/julienschmidt/", "an author's build must not grow with a web framework"},
	{"sdk", "github.com/spf13/", "an author's build must not grow with a command line"},
	{"sdk", module + "/host", "the SDK can be read alone"},
	{"plugins", module + "/host", "a provider never sees the host"},
	{"plugins", module + "/tests", "the product does not depend on its tests"},
	{"cmd/mgraph-provider-aws", module + "/host", "a provider never sees the host"},
	{"cmd/mgraph-provider-github", module + "/host", "a provider never sees the host"},
	{"cmd", module + "/tests", "the product does not depend on its tests"},
	{"sdk/provider", module + "/sdk/serve", "what an author tests needs no process"},
	{"sdk/provider", "google.golang.org/grpc", "what an author tests needs no wire"},
}

// worldly says which files beyond cmd/ and tests/ may end the process, or read flags and the environment, and why.
var worldly = map[string]string{
	"sdk/serve/serve.go":                 "it is the main of every provider",
	"sdk/serve/streams.go":               "a provider ends with its host, whatever it is doing",
	"host/internal/pluginhost/runner.go": "providers inherit an allow-list of the environment and nothing else",
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Doc string
	Standard             bool
	Imports, Deps        []string
	GoFiles              []string
}

// path is the folder in the project, "." for its root.
func (p *listed) path() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func (p *listed) ours() bool {
	return p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
}

// packages are all of this module, in every package pattern of it.
func packages(t *testing.T) []listed {
	root, err := standin.Root()
	require.NoError(t, err)
	command := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Doc,Standard,Imports,Deps,GoFiles", "./...")
	command.Dir = root
	out, err := command.Output()
	require.NoError(t, err)
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if p.ours() {
			all = append(all, p)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// within says whether a path is a folder of the list, or lies in one.
func within(path, folders string) bool {
	return slices.ContainsFunc(strings.Fields(folders), func(folder string) bool {
		return path == folder || strings.HasPrefix(path, folder+"/")
	})
}

// ownerOf gives the entry for an import: the longest that it lies in.
func ownerOf(imported string) (folders string, known bool) {
	longest := ""
	for library, allowed := range owners {
		if (imported == library || strings.HasPrefix(imported, library+"/")) && len(library) >= len(longest) {
			longest, folders, known = library, allowed, true
		}
	}
	return folders, known
}

// thirdParty: the standard library's paths have no dot in their first part.
func thirdParty(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(imported, module)
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if strings.HasPrefix(p.path(), "tests/") && len(p.GoFiles) == 0 {
			continue // nothing but tests, which say it themselves
		}
		require.NotEmpty(t, p.Doc, "%s has no package comment", p.ImportPath)
	}
}

func TestStagesImportWhatTheyMay(t *testing.T) {
	for _, p := range packages(t) {
		top, _, _ := strings.Cut(p.path(), "/")
		if top != "host" && top != "sdk" && top != "plugins" && top != "proto" {
			continue
		}
		allowed, known := stages[p.path()]
		require.True(t, known, "%s is new: say in the table what it may import", p.path())
		base := map[string]string{"host": "host/internal/", "sdk": "sdk/"}[top]
		for _, imported := range p.Imports {
			own, ours := strings.CutPrefix(imported, module+"/"+top+"/")
			if !ours {
				continue
			}
			own = strings.TrimPrefix(top+"/"+own, base)
			require.Contains(t, strings.Fields(allowed), own, "%s imports %s", p.path(), imported)
		}
	}
}

func TestNoRowOfTheTablesIsStale(t *testing.T) {
	exists, imported := map[string]bool{}, map[string]bool{}
	for _, p := range packages(t) {
		exists[p.path()] = true
		for _, i := range p.Imports {
			imported[i] = true
		}
	}
	for path := range stages {
		require.True(t, exists[path], "%s is gone", path)
	}
	for library := range owners {
		used := false
		for i := range imported {
			used = used || i == library || strings.HasPrefix(i, library+"/")
		}
		require.True(t, used, "%s is not used any more", library)
	}
}

func TestEveryLibraryHasItsOwner(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if !thirdParty(imported) {
				continue
			}
			folders, known := ownerOf(imported)
			require.True(t, known, "%s imports %s, which has no owner", p.path(), imported)
			require.True(t, within(p.path(), folders), "%s imports %s, which belongs to %s", p.path(), imported, folders)
		}
	}
}

func TestWhatMustNotBeReachedIsNot(t *testing.T) {
	for _, p := range packages(t) {
		for _, rule := range unreachable {
			if !within(p.path(), rule.from) {
				continue
			}
			for _, dependency := range p.Deps {
				require.False(t, dependency == rule.what || strings.HasPrefix(dependency, rule.what),
					"%s depends on %s: %s", p.path(), dependency, rule.why)
			}
		}
	}
}

// TestOnlyMainsTouchTheWorld: ending the process, flags and the environment are for programs, not for packages.
func TestOnlyMainsTouchTheWorld(t *testing.T) {
	root, err := standin.Root()
	require.NoError(t, err)
	used := map[string]bool{}
	for _, p := range packages(t) {
		if within(p.path(), "cmd tests") {
			continue
		}
		for _, name := range p.GoFiles {
			file, err := filepath.Rel(root, filepath.Join(p.Dir, name))
			require.NoError(t, err)
			calls := worldlyCalls(t, filepath.Join(p.Dir, name))
			if worldly[file] == "" {
				require.Empty(t, calls, "%s is no program's main", file)
			}
			used[file] = len(calls) > 0
		}
	}
	for file := range worldly {
		require.True(t, used[file], "%s does not need its exception any more", file)
	}
}

// worldlyCalls names what a file uses of the process's surroundings.
func worldlyCalls(t *testing.T, path string) (found []string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, imported := range parsed.Imports {
		if imported.Path.Value == `"flag"` {
			found = append(found, "flag")
		}
	}
	forbidden := strings.Fields("os.Exit os.Args os.Getenv os.LookupEnv os.Environ os.Setenv os.Unsetenv os.ExpandEnv " +
		"syscall.Exit syscall.Getenv log.Fatal log.Fatalf log.Fatalln")
	ast.Inspect(parsed, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := selector.X.(*ast.Ident); ok && slices.Contains(forbidden, of.Name+"."+selector.Sel.Name) {
			found = append(found, of.Name+"."+selector.Sel.Name)
		}
		return true
	})
	return found
}
