package rig

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// Sealer seals values to one provider of a host, as its callers do.
type Sealer struct {
	keys *rest.PublicKeys
	raw  []byte
}

// NewSealer fetches a provider's public key.
func NewSealer(ctx context.Context, client *rest.Client, provider string) (*Sealer, error) {
	keys, err := client.PublicKeys(ctx, provider)
	if err != nil {
		return nil, fmt.Errorf("public keys of %s: %w", provider, err)
	}
	raw, err := hex.DecodeString(keys.PublicKey.PublicKey)
	return &Sealer{keys: keys, raw: raw}, err
}

// Credential seals a field of the credentials.
func (s *Sealer) Credential(value string) (string, error) {
	return s.Seal(sealedbox.Envelope{Purpose: sealedbox.PurposeCredential, Value: value})
}

// Property seals a sensitive property of a resource type.
func (s *Sealer) Property(resourceType, pointer, value string) (string, error) {
	return s.Seal(sealedbox.Envelope{Purpose: sealedbox.PurposeProperty(resourceType, pointer), Value: value})
}

// Seal seals an envelope; provider and audience are filled in where they are empty.
func (s *Sealer) Seal(envelope sealedbox.Envelope) (string, error) {
	if envelope.Provider == "" {
		envelope.Provider = s.keys.Provider
	}
	if envelope.Audience == "" {
		envelope.Audience = s.keys.Audience
	}
	return sealedbox.Seal(s.raw, envelope)
}

// Plain seals a value without an envelope.
func (s *Sealer) Plain(value string) (string, error) {
	return sealedbox.SealPlain(s.raw, []byte(value))
}
