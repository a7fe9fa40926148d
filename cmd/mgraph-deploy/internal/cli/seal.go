package cli

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// credentialLife is how long sealed credentials can be used: longer than any run should take, and no longer than that.
const credentialLife = 24 * time.Hour

// sealer seals values to one provider.
type sealer struct {
	keys       *rest.PublicKeys
	key        []byte
	deployment string
	notAfter   time.Time
}

// sealer fetches the provider's key, and holds it against the pin.
func (a *app) sealer(ctx context.Context, s *session, provider, deployment string) (*sealer, error) {
	keys, err := s.PublicKeys(ctx, provider)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(keys.PublicKeyBase64)
	if err != nil || len(key) != 32 || keys.Algorithm != sealedbox.Algorithm || keys.Provider != provider {
		return nil, fmt.Errorf("the host gave no key of %s that can be used", provider)
	}
	pinned, err := a.pin(provider)
	if err != nil {
		return nil, err
	}
	if pinned != "" && sealedbox.KeyID(key) != pinned {
		return nil, fmt.Errorf("the host's key of %s is not the pinned one: nothing was sealed", provider)
	}
	return &sealer{keys: keys, key: key, deployment: deployment}, nil
}

func (a *app) pin(provider string) (string, error) {
	pinned := ""
	for _, pin := range a.flags.pins {
		name, id, found := strings.Cut(pin, "=")
		if !found || id == "" {
			return "", errors.New("--pin must be PROVIDER=KEYID")
		}
		if name == provider {
			pinned = id
		}
	}
	return pinned, nil
}

func (s *sealer) seal(purpose string, value secret) (string, error) {
	return sealedbox.Seal(s.key, sealedbox.Envelope{
		Audience: s.keys.Audience, Provider: s.keys.Provider, Purpose: purpose, Deployment: s.deployment,
		NotAfter: s.notAfter, Value: string(value),
	})
}

// credentialsSchema is what matters here of the JSON Schema of a provider's credentials.
type credentialsSchema struct {
	Properties map[string]struct {
		Sealed bool `json:"x-sealed"`
	} `json:"properties"`
	Required []string `json:"required"`
}

// sealed finds and seals what the named providers need for a deployment.
func (a *app) sealed(ctx context.Context, s *session, providers []string, deployment string) (rest.Credentials, error) {
	all := rest.Credentials{}
	for _, provider := range providers {
		one, err := a.sealedFor(ctx, s, provider, deployment)
		var unknown *rest.ProblemError
		if errors.As(err, &unknown) && unknown.Kind == rest.KindNotFound {
			continue // the host says of each resource that it knows no such provider, with its place
		}
		if err != nil {
			return nil, err
		}
		all[provider] = one
	}
	return all, nil
}

func (a *app) sealedFor(ctx context.Context, s *session, provider, deployment string) (json.RawMessage, error) {
	about, err := s.Provider(ctx, provider)
	if err != nil {
		return nil, err
	}
	var schema credentialsSchema
	if len(about.CredentialsSchema) > 0 && json.Unmarshal(about.CredentialsSchema, &schema) != nil {
		return nil, fmt.Errorf("the host does not say which credentials %s takes", provider)
	}
	found, err := a.find(ctx, provider)
	if errors.Is(err, errNoCredentials) && len(schema.Required) == 0 {
		found, err = plain{}, nil
	}
	if errors.Is(err, errNoCredentials) {
		return nil, fmt.Errorf("no credentials of %s were found: %s", provider, remedy(provider))
	}
	if err != nil {
		return nil, err
	}
	sealer, err := a.sealer(ctx, s, provider, deployment)
	if err != nil {
		return nil, err
	}
	sealer.notAfter = time.Now().Add(credentialLife).UTC()
	return sealer.fields(schema, found)
}

// fields seals what the schema wants sealed: the plain field of that name, or without "encrypted_" before it.
func (s *sealer) fields(schema credentialsSchema, found plain) (json.RawMessage, error) {
	out := map[string]string{}
	for name, value := range found {
		target := name
		if schema.Properties["encrypted_"+name].Sealed {
			target = "encrypted_" + name
		}
		if !schema.Properties[target].Sealed {
			out[target] = string(value)
			continue
		}
		box, err := s.seal(sealedbox.PurposeCredential, value)
		if err != nil {
			return nil, fmt.Errorf("seal %s: %w", name, err)
		}
		out[target] = box
	}
	return json.Marshal(out)
}

type sealedValue struct {
	Provider string `json:"provider"`
	KeyID    string `json:"key_id"`
	Purpose  string `json:"purpose"`
	Box      string `json:"box"`
}

func (a *app) sealCommand() *cobra.Command {
	var provider, resourceType, pointer, deployment string
	command := &cobra.Command{
		Use: "seal", Short: "Seal a secret value, for use in a deployment's JSON", Args: cobra.NoArgs,
		Long: "Seal a secret value to a provider, for use in a deployment's JSON: nobody but that provider can open it, and only for\n" +
			"that purpose. The value is read from standard input, without the newline that ends it; on a terminal it is asked for.",
		Example: "  pass show my-app/token | mgraph-deploy seal --type github:secret:repo --pointer /encrypted_value\n" +
			"  mgraph-deploy seal --provider aws --output json",
		RunE: func(command *cobra.Command, _ []string) error {
			if (resourceType == "") != (pointer == "") {
				return errors.New("--type and --pointer go together")
			}
			return a.call(command.Context(), func(ctx context.Context, s *session) error {
				return a.sealOne(ctx, s, provider, resourceType, pointer, deployment)
			})
		},
	}
	set := command.Flags()
	a.clientFlags(set)
	set.StringArrayVar(&a.flags.pins, "pin", nil, "PROVIDER=KEYID: seal to no other key")
	set.StringVar(&provider, "provider", "", "provider that opens it; that of --type when left out")
	set.StringVar(&resourceType, "type", "", "resource type of the property; without it the value is a field of credentials")
	set.StringVar(&pointer, "pointer", "", "JSON Pointer of the property, such as /encrypted_value")
	set.StringVar(&deployment, "deployment", "", "bind the value to this deployment id")
	return command
}

func (a *app) sealOne(ctx context.Context, s *session, provider, resourceType, pointer, deployment string) error {
	purpose := sealedbox.PurposeCredential
	if resourceType != "" {
		fromType, _, _ := strings.Cut(resourceType, ":")
		provider = first(provider, fromType)
		if err := checkSealable(ctx, s, resourceType, pointer); err != nil {
			return err
		}
		purpose = sealedbox.PurposeProperty(resourceType, pointer)
	}
	if provider == "" {
		return errors.New("give --provider, or --type and --pointer")
	}
	sealer, err := a.sealer(ctx, s, provider, deployment)
	if err != nil {
		return err
	}
	value, err := a.readSecret("Value to seal: ")
	if err != nil {
		return err
	}
	box, err := sealer.seal(purpose, value)
	if err != nil {
		return err
	}
	if a.json() {
		return a.writeJSON(sealedValue{Provider: provider, KeyID: sealer.keys.KeyID, Purpose: purpose, Box: box})
	}
	a.print("%s", box)
	return nil
}

// checkSealable keeps a value from being sealed for a place where no provider would open it.
func checkSealable(ctx context.Context, s *session, resourceType, pointer string) error {
	about, err := s.ResourceType(ctx, resourceType)
	if err != nil {
		return err
	}
	if !slices.Contains(about.Sensitive, pointer) {
		return fmt.Errorf("%s takes sealed values at %s only", resourceType, strings.Join(about.Sensitive, ", "))
	}
	return nil
}

// maxSecret bounds what is read of a secret.
const maxSecret = 4 << 20

// readSecret asks for a value without showing it, or reads standard input.
func (a *app) readSecret(prompt string) (secret, error) {
	if file, ok := a.env.In.(*os.File); ok && onTerminal(file) {
		_, _ = fmt.Fprint(a.env.Err, prompt)
		value, err := term.ReadPassword(int(file.Fd()))
		a.say("")
		return secret(value), err
	}
	value, err := io.ReadAll(io.LimitReader(bufio.NewReader(a.env.In), maxSecret+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the value: %w", err)
	case len(value) > maxSecret:
		return "", errors.New("the value is too long")
	}
	text := strings.TrimSuffix(string(value), "\n")
	text = strings.TrimSuffix(text, "\r")
	if text == "" {
		return "", errors.New("there was no value on standard input")
	}
	return secret(text), nil
}
