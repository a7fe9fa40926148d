package sealedbox

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Why a key file is not used.
var (
	ErrKeyFile   = errors.New("not a key file")
	ErrExposed   = errors.New("the key file can be read by others: its mode must be 0600")
	errNotPlain  = fmt.Errorf("%w: not a regular file", ErrKeyFile)
	errNoPrimary = fmt.Errorf("%w: it needs exactly one primary key", ErrKeyFile)
)

// keyFileVersion is the only layout there is, maxKeyFile far above thousands of keys.
const (
	keyFileVersion = 1
	maxKeyFile     = 1 << 20
)

// keyFile is the layout on disk: private keys as hex.
type keyFile struct {
	Version     int           `json:"version"`
	Fingerprint string        `json:"fingerprint_key"`
	Keys        []keyFileItem `json:"keys"`
}

type keyFileItem struct {
	ID       string    `json:"id"`
	Private  string    `json:"private_key"`
	Primary  bool      `json:"primary,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	NotAfter time.Time `json:"not_after,omitzero"`
}

// LoadOrCreate reads a key file, and makes it first when there is none. However many starters race, all end up with the same
// keys.
func LoadOrCreate(path string, now time.Time) (*Ring, error) {
	ring, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	fresh, err := Generate(now)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the key file's directory: %w", err)
	}
	if err := place(path, fresh.encode(), os.Link); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return Load(path)
}

// Load reads a key file, which nobody but its owner may be able to read.
func Load(path string) (*Ring, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := private(file); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	return decodeKeyFile(raw)
}

// Rotate puts a new primary key in front. The older ones go on opening for keep, which must be longer than any pause.
func Rotate(path string, keep time.Duration, now time.Time) (*Ring, error) {
	ring, err := Load(path)
	if err != nil {
		return nil, err
	}
	fresh, err := Generate(now)
	if err != nil {
		return nil, err
	}
	rotated := &Ring{keys: fresh.keys, fingerprint: ring.fingerprint}
	for _, old := range ring.keys {
		if old.notAfter.IsZero() {
			old.notAfter = now.Add(keep)
		}
		if now.Before(old.notAfter) {
			rotated.keys = append(rotated.keys, old)
		}
	}
	return rotated, place(path, rotated.encode(), os.Rename)
}

// private refuses a file that others can read. Windows has no such modes.
func private(file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("stat key file: %w", err)
	case !info.Mode().IsRegular():
		return errNotPlain
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return ErrExposed
	}
	return nil
}

// place writes a whole file beside path and puts it there in one step: put is os.Link, which keeps what is there, or
// os.Rename, which replaces it.
func place(path string, content []byte, put func(from, to string) error) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := put(temporary.Name(), path); err != nil {
		return fmt.Errorf("put key file in place: %w", err)
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes a new name durable.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer func() { _ = directory.Close() }()
	if err := directory.Sync(); err != nil && runtime.GOOS != "windows" {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// encode lays a ring out as a file.
func (r *Ring) encode() []byte {
	file := keyFile{Version: keyFileVersion, Fingerprint: hex.EncodeToString(r.fingerprint)}
	for i, k := range r.keys {
		file.Keys = append(file.Keys, keyFileItem{
			ID: KeyID(k.public[:]), Private: hex.EncodeToString(k.private[:]), Primary: i == 0,
			Created: k.created, NotAfter: k.notAfter,
		})
	}
	content, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		panic("a key file of plain values cannot be encoded: " + err.Error())
	}
	return append(content, '\n')
}

// decodeKeyFile reads the layout. Errors say nothing of the content, which is secret.
func decodeKeyFile(raw []byte) (*Ring, error) {
	var file keyFile
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&file) != nil || file.Version != keyFileVersion {
		return nil, ErrKeyFile
	}
	fingerprint, err := hex.DecodeString(file.Fingerprint)
	if err != nil || len(fingerprint) != keySize {
		return nil, fmt.Errorf("%w: fingerprint_key is not 32 bytes of hex", ErrKeyFile)
	}
	ring := &Ring{fingerprint: fingerprint}
	primaries := 0
	for _, item := range file.Keys {
		pair, err := item.key()
		if err != nil {
			return nil, err
		}
		if item.Primary {
			primaries++
			ring.keys = append([]key{pair}, ring.keys...)
			continue
		}
		ring.keys = append(ring.keys, pair)
	}
	if primaries != 1 {
		return nil, errNoPrimary
	}
	return ring, nil
}

// key reads one item; an id that is not the key's own means that somebody edited the file wrongly.
func (i keyFileItem) key() (key, error) {
	private, err := hex.DecodeString(i.Private)
	if err != nil {
		return key{}, fmt.Errorf("%w: a private key is not hex", ErrKeyFile)
	}
	pair, err := keyOf(private)
	if err != nil {
		return key{}, err
	}
	if i.ID != "" && i.ID != KeyID(pair.public[:]) {
		return key{}, fmt.Errorf("%w: an id does not belong to its key", ErrKeyFile)
	}
	pair.created, pair.notAfter = i.Created, i.NotAfter
	return pair, nil
}
