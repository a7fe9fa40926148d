package provider

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/invopop/jsonschema"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// masked is what a secret prints as.
const masked = "***"

// Secret is a value in clear that prints *** wherever it lands. In Outputs it leaves sealed to its consumers only.
type Secret struct{ value string }

// NewSecret guards a value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal gives the value.
func (s Secret) Reveal() string { return s.value }

// IsZero says whether it is empty.
func (s Secret) IsZero() bool { return s.value == "" }

// Format prints *** for every verb of fmt.
func (Secret) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, masked) }

// MarshalJSON gives ***, as MarshalText does for text formats.
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(masked) }

// MarshalText gives ***.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// LogValue gives *** to slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// Sealed is a property or credential that arrives as a sealed box. Its type makes it sensitive: the schema says so, it prints
// ***, and only Open of an Operation or an Access opens it, where it was meant to be opened.
type Sealed struct {
	box     string
	purpose string
	// clear is set by FakeSealed alone.
	clear *Secret
}

// FakeSealed is for unit tests: a value that opens without keys.
func FakeSealed(value string) Sealed {
	secret := NewSecret(value)
	return Sealed{clear: &secret}
}

// Ciphertext is the box as it came, for passing it on unopened.
func (s Sealed) Ciphertext() string { return s.box }

// IsZero says whether nothing was given; `json:",omitzero"` and optional fields rely on it.
func (s Sealed) IsZero() bool { return s.box == "" && s.clear == nil }

// Format prints *** for every verb of fmt.
func (Sealed) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, masked) }

// MarshalJSON gives ***: ciphertext is treated as plaintext is. Use Ciphertext to pass it on.
func (Sealed) MarshalJSON() ([]byte, error) { return json.Marshal(masked) }

// LogValue gives *** to slog.
func (Sealed) LogValue() slog.Value { return slog.StringValue(masked) }

// UnmarshalJSON takes a string, or null for nothing.
func (s *Sealed) UnmarshalJSON(raw []byte) error {
	s.box, s.purpose, s.clear = "", "", nil
	return json.Unmarshal(raw, &s.box)
}

// JSONSchema marks the property as sealed.
func (Sealed) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type: "string", ContentEncoding: "base64", WriteOnly: true, Extras: map[string]any{"x-sealed": true},
	}
}

// open opens a value for a call, and remembers it for redaction there.
func (c *call) open(s Sealed) (Secret, error) {
	if s.clear != nil {
		c.opened(sealedbox.Envelope{Value: s.clear.value})
		return *s.clear, nil
	}
	if c == nil || c.runtime.Keys == nil {
		return Secret{}, Errorf(DecryptionFailed, "this provider has no keys")
	}
	if s.IsZero() {
		return Secret{}, Errorf(DecryptionFailed, "there is no sealed value")
	}
	envelope, err := c.runtime.Keys.Open(s.box, sealedbox.Expect{
		Audience: c.context.Tenant, Provider: c.provider, Purpose: s.purpose, Deployment: c.context.DeploymentID,
		Now: c.runtime.Now(), AllowPlain: c.context.AllowPlainBoxes,
	})
	if err != nil {
		return Secret{}, wrap(DecryptionFailed, "a sealed value cannot be used: "+err.Error(), err)
	}
	c.opened(envelope)
	return NewSecret(envelope.Value), nil
}

// sealFor seals one sensitive output to one consumer.
func (c *call) sealFor(consumer contract.Consumer, output string, value Secret) (contract.SealedOutput, error) {
	box, err := sealedbox.Seal(consumer.Key.Key, sealedbox.Envelope{
		Audience: c.context.Tenant, Provider: consumer.Provider, Purpose: consumer.Purpose,
		Deployment: c.context.DeploymentID, Value: value.value,
	})
	if err != nil {
		return contract.SealedOutput{}, Errorf(ProviderFault, "the output %q could not be sealed: %w", output, err)
	}
	return contract.SealedOutput{Output: output, Provider: consumer.Provider, KeyID: consumer.Key.ID, Box: box}, nil
}
