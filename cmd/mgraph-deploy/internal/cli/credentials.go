package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"go.yaml.in/yaml/v3"
)

// plain are one provider's credentials before anything is sealed, by field. They print as ***.
type plain map[string]secret

// secret prints as ***.
type secret string

// Format hides the value under every verb.
func (s secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte("***")) }

// errNoCredentials: the usual places have none.
var errNoCredentials = errors.New("no credentials were found")

// find looks for a provider's credentials: in the file that was named, then where each cloud's own tools look.
func (a *app) find(ctx context.Context, provider string) (plain, error) {
	fromFile, err := a.credentialsFile()
	if err != nil {
		return nil, err
	}
	if found, ok := fromFile[provider]; ok {
		return found, nil
	}
	switch provider {
	case "aws":
		return findAWS(ctx)
	case "github":
		return a.findGitHub()
	default:
		return nil, errNoCredentials
	}
}

// credentialsFile reads --credentials-file, which must be nobody else's to read.
func (a *app) credentialsFile() (map[string]plain, error) {
	path := a.flags.credentialsFile
	if path == "" {
		return nil, nil
	}
	text, err := readPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	var all map[string]plain
	if json.Unmarshal(text, &all) != nil {
		return nil, fmt.Errorf("%s: must be an object by provider of objects of text", path)
	}
	return all, nil
}

// readPrivate reads a file that nobody else may read.
func readPrivate(path string) ([]byte, error) {
	about, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if about.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others: chmod 600 it", path)
	}
	return os.ReadFile(path)
}

// findAWS looks where the AWS CLI does: environment, shared files, the profile that AWS_PROFILE names, what that profile
// leads to. It does not ask the machine's metadata service, which off EC2 only costs time.
func findAWS(ctx context.Context) (plain, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration cannot be read: %w", err)
	}
	found, err := loaded.Credentials.Retrieve(ctx)
	if err != nil {
		// The SDK's reason names files and profiles at best; the values it read stay out of it.
		return nil, errNoCredentials
	}
	fields := plain{"access_key_id": secret(found.AccessKeyID), "secret_access_key": secret(found.SecretAccessKey)}
	if found.SessionToken != "" {
		fields["session_token"] = secret(found.SessionToken)
	}
	if loaded.Region != "" {
		fields["region"] = secret(loaded.Region)
	}
	return fields, nil
}

// findGitHub looks where GitHub's own CLI does.
func (a *app) findGitHub() (plain, error) {
	for _, name := range []string{"GH_TOKEN", "GITHUB_TOKEN"} {
		if token, ok := a.env.Lookup(name); ok && token != "" {
			return plain{"pat": secret(token)}, nil
		}
	}
	text, err := os.ReadFile(filepath.Join(a.ghConfigDir(), "hosts.yml"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errNoCredentials
	}
	if err != nil {
		return nil, fmt.Errorf("read gh's hosts: %w", err)
	}
	var hosts map[string]struct {
		Token string `yaml:"oauth_token"`
	}
	if yaml.Unmarshal(text, &hosts) != nil {
		return nil, errors.New("gh's hosts.yml is not as gh writes it")
	}
	name, _ := a.env.Lookup("GH_HOST")
	token := hosts[first(name, "github.com")].Token
	if token == "" {
		return nil, errNoCredentials
	}
	return plain{"pat": secret(token)}, nil
}

func (a *app) ghConfigDir() string {
	if dir, ok := a.env.Lookup("GH_CONFIG_DIR"); ok && dir != "" {
		return dir
	}
	if base, ok := a.env.Lookup("XDG_CONFIG_HOME"); ok && base != "" {
		return filepath.Join(base, "gh")
	}
	home, _ := a.env.Lookup("HOME")
	return filepath.Join(home, ".config", "gh")
}

// remedies say where credentials are looked for.
var remedies = map[string]string{
	"aws": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give --credentials-file",
	"github": "set GITHUB_TOKEN (GITHUB_TOKEN=$(gh auth token) where gh keeps it in a keyring), or give " +
		"--credentials-file",
}

func remedy(provider string) string {
	return first(remedies[provider], "give --credentials-file")
}
