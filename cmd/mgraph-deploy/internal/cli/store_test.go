package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

const storePassword = "c4n4ry-of-the-store"

const storeURL = "postgres://mgraph:" + storePassword + "@127.0.0.1:1/postgres?connect_timeout=1"

// Where the store is can be said in many ways; what is nearest counts.
func TestWhereTheStoreIs(t *testing.T) {
	for name, test := range map[string]struct {
		file      string
		vars      map[string]string
		arguments []string
		want      string
	}{
		"nothing":                       {want: ""},
		"file":                          {file: `{"store": "postgres://a/b"}`, want: "postgres://a/b"},
		"file, with a password":         {file: `{"store": "` + storeURL + `"}`, want: storeURL},
		"file of the file":              {file: `{"store_file": "url"}`, want: storeURL},
		"environment before file":       {file: `{"store": "sqlite"}`, vars: map[string]string{"STORE": storeURL}, want: storeURL},
		"file of the environment":       {file: `{"store": "sqlite"}`, vars: map[string]string{"STORE_FILE": "url"}, want: storeURL},
		"argument before environment":   {vars: map[string]string{"STORE": storeURL}, arguments: []string{"--store", "sqlite"}, want: "sqlite"},
		"argument before the other one": {vars: map[string]string{"STORE_FILE": "none"}, arguments: []string{"--store", "sqlite"}, want: "sqlite"},
		"file of an argument":           {vars: map[string]string{"STORE": "sqlite"}, arguments: []string{"--store-file", "url"}, want: storeURL},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			t.Chdir(w.dir)
			w.file(t, "url", storeURL+"\n")
			if test.file != "" {
				w.file(t, "config.json", test.file)
			}
			for key, value := range test.vars {
				w.vars["MGRAPH_DEPLOY_"+key] = value
			}
			a := &app{env: w.env(nil, nil, nil)}
			set := a.serveCommand().Flags()
			require.NoError(t, set.Parse(test.arguments))
			require.NoError(t, a.checkArguments())
			require.NoError(t, a.readEnvironment(set))
			settings, err := a.hostSettings()
			require.NoError(t, err)
			require.Equal(t, test.want, settings.Store)
		})
	}
}

// No word of a command shows the store's password, and one that others can see is refused.
func TestThePasswordOfTheStoreIsNotShown(t *testing.T) {
	w := newWorld(t)
	url := w.file(t, "url", storeURL)
	open := w.file(t, "open", storeURL)
	require.NoError(t, os.Chmod(open, 0o644))
	public := w.file(t, "public.json", `{"store": "`+storeURL+`"}`)
	require.NoError(t, os.Chmod(public, 0o644))
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"argument":            {[]string{"--store", storeURL}, "--store-file"},
		"argument, unread":    {[]string{"--store", "postgres://mgraph:" + storePassword + "@[::1/x"}, "--store-file"},
		"query":               {[]string{"--store", "postgres://h/x?password=" + storePassword}, "--store-file"},
		"file others read":    {[]string{"--store-file", open}, "chmod 600"},
		"config others read":  {[]string{"--config", public}, "store_file"},
		"no such file":        {[]string{"--store-file", filepath.Join(w.dir, "none")}, "no such file"},
		"nobody there":        {[]string{"--store-file", url}, "failed to connect"},
		"both":                {[]string{"--store-file", url, "--store", "sqlite"}, "one of them"},
		"neither of the two":  {[]string{"--store", "mysql://x"}, "postgres://"},
		"settings, not a URL": {[]string{"--store-file", w.file(t, "dsn", "host=x password="+storePassword)}, "postgres://"},
	} {
		for _, command := range []string{"serve", "runs"} {
			d := w.must(t, exitRefused, append([]string{command, "--log-level", "trace"}, test.arguments...)...)
			require.Contains(t, d.err, test.says, name)
			require.NotContains(t, d.err+d.out, storePassword, name)
		}
	}
}

// Two hosts on one database answer for each other.
func TestHostsShareAStore(t *testing.T) {
	w := newWorld(t)
	address := pgserver.Shared(t).Schema(t)
	require.NotContains(t, host.Database(address).String(), "@")
	w.vars["MGRAPH_DEPLOY_STORE_FILE"] = w.file(t, "url", address)
	document := w.file(t, "two.json", twoThings)
	w.must(t, exitDone, "apply", document)

	// Another host, which has the same key files.
	first := w.vars["MGRAPH_DEPLOY_DATA_DIR"]
	w.vars["MGRAPH_DEPLOY_DATA_DIR"] = filepath.Join(w.dir, "another")
	require.NoError(t, os.MkdirAll(filepath.Join(w.dir, "another", "keys"), 0o700))
	key, err := os.ReadFile(filepath.Join(first, "keys", "noop.key"))
	require.NoError(t, err)
	w.file(t, "another/keys/noop.key", string(key))
	w.serve(t)
	require.Contains(t, w.must(t, exitDone, "runs").out, "completed")
	require.Contains(t, w.must(t, exitDone, "status", "demo").out, "completed")
}
