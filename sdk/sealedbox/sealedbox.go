// Package sealedbox seals values to a provider, and opens them there: NaCl sealed boxes around an envelope that says for
// whom, for what and until when the value is meant, and the key files of providers. It is the only owner of the NaCl library.
//
// It decides nothing about who may ask: the caller of Open says what the envelope must name.
package sealedbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/nacl/box"
)

// Algorithm is what keys are for, as public key listings name it.
const Algorithm = "NaCl/Curve25519/SealedBox"

// PurposeCredential is what an envelope of a field of a credentials object names. Sealed properties name type and pointer:
// PurposeProperty.
const PurposeCredential = "credential"

// PurposeProperty is what the envelope of a sealed property names.
func PurposeProperty(resourceType, pointer string) string { return resourceType + "#" + pointer }

// PurposeRecord is what the envelope of a rollback record names, which a provider seals to itself.
func PurposeRecord(resourceType string) string { return "rollback:" + resourceType }

// keySize is the size of a Curve25519 key, public or private.
const keySize = 32

// envelopeVersion is the only layout there is.
const envelopeVersion = 1

// maxBox bounds what Open decodes: far above any credential, far below what would hurt.
const maxBox = 8 << 20

// The reasons for which a value cannot be sealed or opened. None of them carries anything of the value.
var (
	ErrKey       = errors.New("the public key is not 32 bytes")
	ErrValue     = errors.New("the value is not UTF-8 text")
	ErrMalformed = errors.New("the box is not standard base64 of a sealed box")
	ErrUnopened  = errors.New("the box was not sealed to a key of this provider")
	ErrPlain     = errors.New("the box holds no envelope")
	ErrVersion   = errors.New("the envelope has an unknown version")
	ErrMismatch  = errors.New("the envelope is meant for something else")
	ErrExpired   = errors.New("the envelope has expired")
)

// Envelope is the plaintext of a box. It prints without its value.
type Envelope struct {
	// Version is set by Seal; 0 means that the box held a plain value.
	Version int `json:"v"`
	// Audience is the tenant.
	Audience string `json:"audience"`
	Provider string `json:"provider"`
	Purpose  string `json:"purpose"`
	// Deployment binds the value to one deployment; "" for any of the tenant.
	Deployment string `json:"deployment,omitempty"`
	// NotAfter is zero for no end.
	NotAfter time.Time `json:"not_after,omitzero"`
	Value    string    `json:"value"`
}

// clear is an Envelope without its guards, for the JSON inside the box only.
type clear Envelope

// Format keeps the value out of every verb of fmt.
func (e Envelope) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "envelope for %s of %s: ***", e.Purpose, e.Provider)
}

// MarshalJSON masks the value; only Seal writes it in clear.
func (e Envelope) MarshalJSON() ([]byte, error) {
	e.Value = "***"
	return json.Marshal(clear(e))
}

// LogValue keeps the value out of slog.
func (e Envelope) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

// Seal puts the envelope into a box for the holder of a public key: standard base64.
func Seal(publicKey []byte, envelope Envelope) (string, error) {
	if !utf8.ValidString(envelope.Value) {
		return "", ErrValue
	}
	envelope.Version = envelopeVersion
	plain, err := json.Marshal(clear(envelope))
	if err != nil {
		return "", fmt.Errorf("encode envelope: %w", err)
	}
	return SealPlain(publicKey, plain)
}

// SealPlain puts bytes into a box without an envelope, for holders that know none (GitHub, the sister services).
func SealPlain(publicKey, value []byte) (string, error) {
	if len(publicKey) != keySize {
		return "", ErrKey
	}
	sealed, err := box.SealAnonymous(nil, value, (*[keySize]byte)(publicKey), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// Expect is what an envelope must name to be used. An envelope that names no deployment serves every deployment.
type Expect struct {
	Audience   string
	Provider   string
	Purpose    string
	Deployment string
	Now        time.Time
	// AllowPlain accepts boxes without an envelope. A box with one is judged by it even then.
	AllowPlain bool
}

// Check compares an opened envelope with what the caller expects.
func (e Envelope) Check(expect Expect) error {
	switch {
	case e.Version == 0 && expect.AllowPlain:
		return nil
	case e.Version == 0:
		return ErrPlain
	case e.Version != envelopeVersion:
		return ErrVersion
	case e.Audience != expect.Audience:
		return fmt.Errorf("%w: another tenant", ErrMismatch)
	case e.Provider != expect.Provider:
		return fmt.Errorf("%w: another provider", ErrMismatch)
	case e.Purpose != expect.Purpose:
		return fmt.Errorf("%w: another field", ErrMismatch)
	case e.Deployment != "" && e.Deployment != expect.Deployment:
		return fmt.Errorf("%w: another deployment", ErrMismatch)
	case !e.NotAfter.IsZero() && expect.Now.After(e.NotAfter):
		return ErrExpired
	}
	return nil
}

// parse reads the plaintext of a box: an envelope, or with Version 0 a plain value. What names a version and an audience is
// an envelope even if the rest of it is wrong, so that no broken envelope passes for a plain value.
func parse(plain []byte) (Envelope, error) {
	var mark struct {
		Version  json.RawMessage `json:"v"`
		Audience json.RawMessage `json:"audience"`
	}
	if json.Unmarshal(plain, &mark) != nil || mark.Version == nil || mark.Audience == nil {
		if !utf8.Valid(plain) {
			return Envelope{}, ErrValue
		}
		return Envelope{Value: string(plain)}, nil
	}
	var envelope clear
	if json.Unmarshal(plain, &envelope) != nil || envelope.Version == 0 {
		return Envelope{}, ErrVersion
	}
	return Envelope(envelope), nil
}
