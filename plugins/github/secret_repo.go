package github

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	vendor "github.com/google/go-github/v92/github"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// RepoSecret are the properties of github:secret:repo.
type RepoSecret struct {
	Owner          string          `json:"owner" jsonschema:"minLength=1,maxLength=100,pattern=^[A-Za-z0-9_][A-Za-z0-9_-]*$" jsonschema_description:"The user or organisation that owns the repository."`
	Repo           string          `json:"repo" jsonschema:"minLength=1,maxLength=100,pattern=^[A-Za-z0-9._-]+$" jsonschema_description:"The repository's name."`
	SecretName     string          `json:"secret_name" jsonschema:"minLength=1,maxLength=200,pattern=^[A-Za-z_][A-Za-z0-9_]*$" jsonschema_description:"The secret's name before its suffix. GitHub stores names in upper case."`
	EncryptedValue provider.Sealed `json:"encrypted_value,omitzero" jsonschema_description:"The value, sealed to this provider's public key. Either this or the reference value_from."`
	Value          *string         `json:"value,omitempty" jsonschema_description:"The value; filled by the reference value_from only."`
}

// maxValue is GitHub's bound on a secret's value, in bytes.
const maxValue = 48 * 1024

// secretAPI are the calls on a repository's secrets.
type secretAPI interface {
	GetRepoPublicKey(ctx context.Context, owner, repo string) (*vendor.PublicKey, *vendor.Response, error)
	GetRepoSecret(ctx context.Context, owner, repo, name string) (*vendor.Secret, *vendor.Response, error)
	ListRepoSecrets(ctx context.Context, owner, repo string, opts *vendor.ListOptions) (*vendor.Secrets, *vendor.Response, error)
	CreateOrUpdateRepoSecret(ctx context.Context, owner, repo, name string, body vendor.SecretRequest) (*vendor.Response, error)
	DeleteRepoSecret(ctx context.Context, owner, repo, name string) (*vendor.Response, error)
}

// repoSecrets is the type github:secret:repo.
type repoSecrets struct{}

var (
	_ provider.Resource[*Client, RepoSecret] = repoSecrets{}
	_ provider.Updater[*Client, RepoSecret]  = repoSecrets{}
	_ provider.Validator[RepoSecret]         = repoSecrets{}
	_ provider.Planner[*Client, RepoSecret]  = repoSecrets{}
)

func (repoSecrets) Describe() provider.Description {
	return provider.Description{
		Type: "github:secret:repo", Summary: "A secret of a repository, for GitHub Actions.",
		Placement:   contract.Global,
		Identifying: []string{"/owner", "/repo", "/secret_name"},
		References: []contract.ReferenceRole{
			{Role: "value_from", Property: "/value", Summary: "The output that is to be the value.", ReferenceOnly: true},
		},
		SelfOutput: "secret_name",
		Outputs: []contract.OutputField{
			{Name: "secret_name", Summary: "The name with its suffix, as workflows read it."},
			{Name: "owner", Summary: "The repository's owner."},
			{Name: "repo", Summary: "The repository's name."},
			{Name: "updated_at", Summary: "When GitHub last stored a value."},
			{Name: "fingerprint", Summary: "Changes when the value does, and says nothing about it to anyone without this provider's keys."},
		},
		Discovery: contract.DiscoverByName,
		Naming: contract.Naming{
			Property: "/secret_name", Separator: "__", Suffix: contract.SuffixNode, Case: contract.CaseUpper,
			MaxLength: 255, Pattern: `^[A-Z_][A-Z0-9_]*$`,
		},
		// Found by name again; but a secret that is there was not necessarily set, so that Create always sets it.
		RepeatSafety: contract.ByName, SettleTime: 5 * time.Second, Typical: 2 * time.Second,
	}
}

var noDots = regexp.MustCompile(`[^.]`)

// Validate sees what a schema cannot say.
func (repoSecrets) Validate(secret RepoSecret, roles provider.References) []provider.Diagnostic {
	var found []provider.Diagnostic
	referenced := secret.Value != nil || roles.Has("value_from")
	switch {
	case referenced && !secret.EncryptedValue.IsZero():
		found = append(found, invalid("/encrypted_value", "encrypted_value and the reference value_from exclude each other").Diagnostic)
	case !referenced && secret.EncryptedValue.IsZero():
		found = append(found, invalid("/encrypted_value", "a secret needs encrypted_value or the reference value_from").Diagnostic)
	}
	if strings.HasPrefix(strings.ToUpper(secret.SecretName), "GITHUB_") {
		found = append(found, invalid("/secret_name", "GitHub keeps names that begin with GITHUB_ to itself").Diagnostic)
	}
	if !noDots.MatchString(secret.Repo) {
		found = append(found, invalid("/repo", "this names no repository").Diagnostic)
	}
	return found
}

func (repoSecrets) Create(ctx context.Context, c *Client, op *provider.Operation[RepoSecret]) (provider.Outputs, error) {
	value, err := valueOf(op)
	if err != nil {
		return nil, err
	}
	return put(ctx, c, op, value)
}

// Update writes unless it is proven that the value in GitHub is this one: the same fingerprint was recorded by an operation
// that succeeded, and GitHub has stored nothing since.
func (repoSecrets) Update(ctx context.Context, c *Client, op *provider.Operation[RepoSecret]) (provider.Outputs, error) {
	value, err := valueOf(op)
	if err != nil {
		return nil, err
	}
	if unchanged(op, value) {
		return outputs(op, op.Existing.Outputs["updated_at"], op.Fingerprint(value)), nil
	}
	return put(ctx, c, op, value)
}

// Plan says that the value would be set wherever Update could not prove that it is this one. There is no way back: GitHub shows the
// former value to nobody.
func (repoSecrets) Plan(_ context.Context, _ *Client, op *provider.Operation[RepoSecret]) (provider.Preview, error) {
	var preview provider.Preview
	value, err := valueOf(op)
	switch {
	case err != nil || unchanged(op, value):
	case op.Properties.Value != nil:
		preview.Differs("/value")
	default:
		preview.Differs("/encrypted_value")
	}
	return preview, err
}

// record is what the last completed operation wrote down.
type record struct {
	UpdatedAt   string `json:"updated_at"`
	Fingerprint string `json:"fingerprint"`
}

func recorded(raw json.RawMessage) record {
	var last record
	if json.Unmarshal(raw, &last) != nil {
		return record{}
	}
	return last
}

func unchanged(op *provider.Operation[RepoSecret], value provider.Secret) bool {
	if op.PriorOutcome != contract.OutcomeNone && op.PriorOutcome != contract.OutcomeApplied {
		return false
	}
	last := recorded(op.RecordedOutputs)
	return last.Fingerprint != "" && last.Fingerprint == op.Fingerprint(value) &&
		last.UpdatedAt != "" && last.UpdatedAt == op.Existing.Outputs["updated_at"]
}

func valueOf(op *provider.Operation[RepoSecret]) (provider.Secret, error) {
	var value provider.Secret
	switch {
	case op.Properties.Value != nil:
		value = provider.NewSecret(*op.Properties.Value)
	case !op.Properties.EncryptedValue.IsZero():
		opened, err := op.Open(op.Properties.EncryptedValue)
		if err != nil {
			return provider.Secret{}, at("/encrypted_value", err)
		}
		value = opened
	default:
		return provider.Secret{}, invalid("/encrypted_value", "a secret needs encrypted_value or the reference value_from")
	}
	if len(value.Reveal()) > maxValue {
		return provider.Secret{}, invalid("/encrypted_value", "GitHub takes values of up to 48 KiB")
	}
	return value, nil
}

// put seals the value to the repository's key, stores it, and asks when GitHub did.
func put(ctx context.Context, c *Client, op *provider.Operation[RepoSecret], value provider.Secret) (provider.Outputs, error) {
	owner, repo, name := op.Properties.Owner, op.Properties.Repo, physical(op)
	if err := store(ctx, c, owner, repo, name, value); err != nil {
		return nil, err
	}
	op.Made(identity(owner, repo, name))
	stored, _, err := c.secrets.GetRepoSecret(ctx, owner, repo, name)
	if err != nil {
		return nil, c.classify(err)
	}
	return outputs(op, timeText(stored.UpdatedAt), op.Fingerprint(value)), nil
}

// store writes the value. A refusal may mean that the repository's key was changed since it was read: then, and only then, the
// value is sealed once more.
func store(ctx context.Context, c *Client, owner, repo, name string, value provider.Secret) error {
	key, err := publicKey(ctx, c, owner, repo)
	if err != nil {
		return err
	}
	refused := storeSealed(ctx, c, owner, repo, name, key, value)
	if kindOf(refused) != provider.InvalidInput {
		return refused
	}
	fresh, err := publicKey(ctx, c, owner, repo)
	if err != nil || fresh.GetKeyID() == key.GetKeyID() {
		return at("/secret_name", refused)
	}
	return storeSealed(ctx, c, owner, repo, name, fresh, value)
}

func publicKey(ctx context.Context, c *Client, owner, repo string) (*vendor.PublicKey, error) {
	key, _, err := c.secrets.GetRepoPublicKey(ctx, owner, repo)
	return key, repoRefused(c.classify(err))
}

// storeSealed seals to GitHub's key: a plain box, for GitHub knows no envelope.
func storeSealed(ctx context.Context, c *Client, owner, repo, name string, key *vendor.PublicKey, value provider.Secret) error {
	raw, err := base64.StdEncoding.DecodeString(key.GetKey())
	if err != nil {
		return provider.Errorf(provider.RemoteError, "GitHub gave a public key that is none")
	}
	box, err := sealedbox.SealPlain(raw, []byte(value.Reveal()))
	if err != nil {
		return provider.Errorf(provider.RemoteError, "GitHub gave a public key that is none")
	}
	request := vendor.SecretRequest{KeyID: key.GetKeyID(), EncryptedValue: box}
	_, err = c.secrets.CreateOrUpdateRepoSecret(ctx, owner, repo, name, request)
	return c.classify(err)
}

// repoRefused makes of a missing repository what the caller has to put right. GitHub says the same where a token may not see it.
func repoRefused(err error) error {
	switch kindOf(err) {
	case provider.NotFound:
		return missing(err)
	case provider.InvalidInput:
		return at("/repo", err)
	default:
		return err
	}
}

func (repoSecrets) Verify(_ context.Context, _ *Client, op *provider.Operation[RepoSecret]) ([]provider.Check, error) {
	last := recorded(op.RecordedOutputs)
	if last.UpdatedAt == "" {
		return []provider.Check{provider.Unanswered("value", "GitHub never shows values, and no operation has recorded when this one was stored")}, nil
	}
	actual, _ := op.Existing.Outputs["updated_at"].(string)
	return []provider.Check{provider.Equal("updated_at", last.UpdatedAt, actual)}, nil
}

func (repoSecrets) Delete(ctx context.Context, c *Client, op *provider.Operation[RepoSecret]) (provider.Outputs, error) {
	_, err := c.secrets.DeleteRepoSecret(ctx, op.Properties.Owner, op.Properties.Repo, physical(op))
	return nil, c.classify(err)
}

// Find asks for the secret by name. A repository that cannot be seen looks to GitHub's callers like a secret that is not there:
// only where the repository's key can be read is the secret's absence proven.
func (repoSecrets) Find(ctx context.Context, c *Client, query *provider.Query[RepoSecret], found func(provider.Found) error) error {
	owner, repo, name := query.Properties.Owner, query.Properties.Repo, query.Name
	if name == "" {
		name = query.Identity[strings.LastIndex(query.Identity, "/")+1:]
	}
	if name == "" {
		return findBySuffix(ctx, c, query, found)
	}
	secret, _, err := c.secrets.GetRepoSecret(ctx, owner, repo, name)
	if known := c.classify(err); kindOf(known) == provider.NotFound {
		_, _, err = c.secrets.GetRepoPublicKey(ctx, owner, repo)
		return repoRefused(c.classify(err))
	} else if known != nil {
		return repoRefused(known)
	}
	return found(foundSecret(owner, repo, secret))
}

func foundSecret(owner, repo string, secret *vendor.Secret) provider.Found {
	name := strings.ToUpper(secret.Name)
	return provider.Found{
		Identity: identity(owner, repo, name), Name: name, Ready: true,
		Outputs: provider.Outputs{"secret_name": name, "owner": owner, "repo": repo, "updated_at": timeText(secret.UpdatedAt)},
	}
}

// suffix is what the host puts behind a secret's name: a node id, in the vendor's case.
var suffix = regexp.MustCompile(`^__[0-9A-F]{8}$`)

// findBySuffix looks for a secret whose node id nobody knows: secrets carry no labels, and their names are all there is to go by.
func findBySuffix(ctx context.Context, c *Client, query *provider.Query[RepoSecret], found func(provider.Found) error) error {
	owner, repo, base := query.Properties.Owner, query.Properties.Repo, strings.ToUpper(query.Properties.SecretName)
	if base == "" {
		return invalid("/secret_name", "without it the secret cannot be looked for")
	}
	options := &vendor.ListOptions{PerPage: 100}
	for {
		page, response, err := c.secrets.ListRepoSecrets(ctx, owner, repo, options)
		if known := c.classify(err); known != nil {
			return repoRefused(known)
		}
		for _, secret := range page.Secrets {
			rest, named := strings.CutPrefix(strings.ToUpper(secret.Name), base)
			if !named || !suffix.MatchString(rest) {
				continue
			}
			if err := found(foundSecret(owner, repo, secret)); err != nil {
				return err
			}
		}
		if response == nil || response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
}

func identity(owner, repo, name string) string { return owner + "/" + repo + "/" + name }

func physical(op *provider.Operation[RepoSecret]) string {
	if op.Existing != nil && op.Existing.Name != "" {
		return op.Existing.Name
	}
	return strings.ToUpper(op.Name)
}

func outputs(op *provider.Operation[RepoSecret], updatedAt any, fingerprint string) provider.Outputs {
	return provider.Outputs{
		"secret_name": physical(op), "owner": op.Properties.Owner, "repo": op.Properties.Repo,
		"updated_at": updatedAt, "fingerprint": fingerprint,
	}
}

func timeText(stamp vendor.Timestamp) string { return stamp.UTC().Format(time.RFC3339) }
