package sealedbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/nacl/box"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Ring holds the keys of a provider: one primary that callers seal to, and older ones that only go on opening. It is
// immutable, and prints without its keys.
type Ring struct {
	// keys begin with the primary.
	keys        []key
	fingerprint []byte
}

// key is one pair.
type key struct {
	private  [keySize]byte
	public   [keySize]byte
	created  time.Time
	notAfter time.Time
}

// Format keeps private keys out of every verb of fmt.
func (r *Ring) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, "key ring: ***") }

// Generate makes a ring with one new key.
func Generate(now time.Time) (*Ring, error) {
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	fingerprint := make([]byte, keySize)
	if _, err := rand.Read(fingerprint); err != nil {
		return nil, fmt.Errorf("generate fingerprint key: %w", err)
	}
	return &Ring{keys: []key{{private: *private, public: *public, created: now}}, fingerprint: fingerprint}, nil
}

// KeyID names a public key: the first 16 hex characters of its SHA-256.
func KeyID(publicKey []byte) string {
	sum := sha256.Sum256(publicKey)
	return hex.EncodeToString(sum[:8])
}

// Public lists the public halves, the primary first.
func (r *Ring) Public() []contract.PublicKey {
	listed := make([]contract.PublicKey, len(r.keys))
	for i, k := range r.keys {
		listed[i] = contract.PublicKey{
			ID: KeyID(k.public[:]), Algorithm: Algorithm, Key: append([]byte(nil), k.public[:]...),
			NotAfter: k.notAfter, Primary: i == 0,
		}
	}
	return listed
}

// Primary is the public key to seal to.
func (r *Ring) Primary() contract.PublicKey { return r.Public()[0] }

// Open opens a box of standard base64 and compares its envelope with what is expected. The error is one of this package's.
func (r *Ring) Open(sealed string, expect Expect) (Envelope, error) {
	if len(sealed) > maxBox {
		return Envelope{}, ErrMalformed
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(sealed)
	if err != nil || len(raw) < box.AnonymousOverhead {
		return Envelope{}, ErrMalformed
	}
	plain, ok := r.open(raw, expect.Now)
	if !ok {
		return Envelope{}, ErrUnopened
	}
	envelope, err := parse(plain)
	if err != nil {
		return Envelope{}, err
	}
	if err := envelope.Check(expect); err != nil {
		return Envelope{}, err
	}
	return envelope, nil
}

// open tries each key that has not ended.
func (r *Ring) open(raw []byte, now time.Time) ([]byte, bool) {
	for i := range r.keys {
		k := &r.keys[i]
		if !k.notAfter.IsZero() && now.After(k.notAfter) {
			continue
		}
		if plain, ok := box.OpenAnonymous(nil, raw, &k.public, &k.private); ok {
			return plain, true
		}
	}
	return nil, false
}

// Fingerprint says of two values of one tenant whether they are the same, to holders of this ring only. It stays the same when
// keys are rotated.
func (r *Ring) Fingerprint(tenant, value string) string {
	mac := hmac.New(sha256.New, r.fingerprint)
	mac.Write([]byte(tenant))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// keyOf makes a pair from its private half.
func keyOf(private []byte) (key, error) {
	var pair key
	if copy(pair.private[:], private) != keySize || len(private) != keySize {
		return key{}, ErrKeyFile
	}
	public, err := curve25519.X25519(private, curve25519.Basepoint)
	if err != nil {
		return key{}, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	copy(pair.public[:], public)
	return pair, nil
}
