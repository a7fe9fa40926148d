package noop

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// item is one thing that exists.
type item struct {
	ID          string            `json:"id"`
	Type        string            `json:"type"`
	Region      string            `json:"region,omitempty"`
	Name        string            `json:"name,omitempty"`
	Value       string            `json:"value"`
	Fingerprint string            `json:"fingerprint,omitempty"`
	Labels      map[string]string `json:"labels"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// shelf keeps items by place: what is looked for by the same labels in the same place stands together.
type shelf interface {
	put(place string, it item) error
	list(place string) ([]item, error)
	get(place, id string) (item, error)
	remove(place, id string) error
	// count counts up how often something has happened at a place, and says how often it has now.
	count(place, what string) (int, error)
}

// gone is how a look at something that is not there any more ends.
func gone() error { return provider.Errorf(provider.NotFound, "it is not there any more") }

// placeOf is the place of what these labels find. It says nothing of the labels, so that it can be a folder's name.
func (c *client) placeOf(kind string, labels map[string]string) string {
	return c.place(kind, labels[contract.LabelOwner], labels[contract.LabelDeployID], labels[contract.LabelResourceID])
}

// placeNamed is the place of what has this name, whoever made it.
func (c *client) placeNamed(kind, name string) string { return c.place(kind, name) }

func (c *client) place(kind string, more ...string) string {
	parts := append([]string{c.tenant, kind, c.region}, more...)
	if c.account != "" {
		parts = append(parts, c.account)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// memory is a shelf for the life of the process.
type memory struct {
	mu     sync.Mutex
	items  map[string]map[string]item
	counts map[string]int
}

func newMemory() *memory {
	return &memory{items: map[string]map[string]item{}, counts: map[string]int{}}
}

func (m *memory) put(place string, it item) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items[place] == nil {
		m.items[place] = map[string]item{}
	}
	m.items[place][it.ID] = it
	return nil
}

func (m *memory) list(place string) ([]item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []item
	for _, it := range m.items[place] {
		all = append(all, it)
	}
	return all, nil
}

func (m *memory) get(place, id string) (item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it, ok := m.items[place][id]
	if !ok {
		return it, gone()
	}
	return it, nil
}

func (m *memory) remove(place, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.items[place], id)
	return nil
}

func (m *memory) count(place, what string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[place+what]++
	return m.counts[place+what], nil
}

// directory is a shelf that outlives the process: {dir}/{place}/{id}.json.
type directory struct{ path string }

func (d directory) put(place string, it item) error {
	content, err := json.Marshal(it)
	if err != nil {
		return fmt.Errorf("encode thing: %w", err)
	}
	folder := filepath.Join(d.path, place)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make place: %w", err)
	}
	return replace(filepath.Join(folder, it.ID+".json"), content)
}

// replace puts a whole file in place in one step: a killed process leaves the old one or the new one.
func replace(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write thing: %w", err)
	}
	_, err = temporary.Write(content)
	if err := errors.Join(err, temporary.Close(), os.Rename(temporary.Name(), path)); err != nil {
		return fmt.Errorf("write thing: %w", err)
	}
	return nil
}

func (d directory) list(place string) ([]item, error) {
	files, err := os.ReadDir(filepath.Join(d.path, place))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list things: %w", err)
	}
	var all []item
	for _, file := range files {
		if filepath.Ext(file.Name()) != ".json" {
			continue
		}
		it, err := d.read(place, file.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, it)
	}
	return all, nil
}

func (d directory) get(place, id string) (item, error) {
	it, err := d.read(place, id+".json")
	if errors.Is(err, fs.ErrNotExist) {
		return it, gone()
	}
	return it, err
}

func (d directory) read(place, name string) (item, error) {
	var it item
	content, err := os.ReadFile(filepath.Join(d.path, place, name))
	if err != nil {
		return it, fmt.Errorf("read thing: %w", err)
	}
	if err := json.Unmarshal(content, &it); err != nil {
		return it, fmt.Errorf("decode thing: %w", err)
	}
	return it, nil
}

func (d directory) remove(place, id string) error {
	err := os.Remove(filepath.Join(d.path, place, id+".json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove thing: %w", err)
	}
	return nil
}

// count makes one file each time, so that counts outlive crashes too.
func (d directory) count(place, what string) (int, error) {
	folder := filepath.Join(d.path, place, what)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	file, err := os.CreateTemp(folder, "*")
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	files, err := os.ReadDir(folder)
	return len(files), errors.Join(err, file.Close())
}

// Count says how many things exist under a directory that settings name.
func Count(dir string) (int, error) {
	things, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	return len(things), err
}
