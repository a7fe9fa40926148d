package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host"
)

// hostSettings are the operator's configuration: the file that --config names, with flags and environment over it.
type hostSettings struct {
	Listen  string `json:"listen"`
	DataDir string `json:"data_dir"`
	// Store is sqlite or a URL, StoreFile a private file that holds the URL.
	Store      string `json:"store"`
	StoreFile  string `json:"store_file"`
	PluginsDir string `json:"plugins_dir"`
	Auth       string `json:"auth"`
	KeyHeader  string `json:"key_header"`
	LogLevel   string `json:"log_level"`
	// Providers are settings by provider. Secrets stand in files that they name, never here.
	Providers map[string]json.RawMessage `json:"providers"`
	// RateLimits hold a provider to less than it allows itself.
	RateLimits              map[string]rateLimit `json:"rate_limits"`
	Limits                  limits               `json:"limits"`
	Concurrency             int                  `json:"concurrency"`
	Tries                   int                  `json:"tries"`
	OperationTimeoutSeconds float64              `json:"operation_timeout_seconds"`
	DrainTimeoutSeconds     float64              `json:"drain_timeout_seconds"`
	LeaseSeconds            float64              `json:"lease_seconds"`
	SettleGraceSeconds      float64              `json:"settle_grace_seconds"`
	PlainBoxes              bool                 `json:"plain_boxes"`
	// Owners are owner labels by tenant, in place of this installation's own.
	Owners map[string]string `json:"owners"`
}

// rateLimit is for each account and region of a provider; zero leaves the provider's own.
type rateLimit struct {
	MaxConcurrent int     `json:"max_concurrent"`
	PerSecond     float64 `json:"per_second"`
	Burst         int     `json:"burst"`
}

// rateLimits are what the host is given.
func (s *hostSettings) rateLimits() map[string]host.RateLimit {
	limits := make(map[string]host.RateLimit, len(s.RateLimits))
	for provider, limit := range s.RateLimits {
		limits[provider] = host.RateLimit(limit)
	}
	return limits
}

type limits struct {
	BodyBytes  int `json:"body_bytes"`
	Depth      int `json:"depth"`
	Resources  int `json:"resources"`
	ActiveRuns int `json:"active_runs"`
}

func (a *app) hostSettings() (*hostSettings, error) {
	s := &hostSettings{}
	if a.flags.config != "" {
		text, err := os.ReadFile(a.flags.config)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(s); err != nil {
			return nil, fmt.Errorf("%s: %w", a.flags.config, err)
		}
	}
	for provider, limit := range s.RateLimits {
		if limit.MaxConcurrent < 0 || limit.PerSecond < 0 || limit.Burst < 0 {
			return nil, fmt.Errorf("rate_limits of %s: must not be negative", provider)
		}
	}
	if hasPassword(s.Store) {
		if _, err := readPrivate(a.flags.config); err != nil {
			return nil, fmt.Errorf("store holds a password: %w, or put the URL in a file that store_file names", err)
		}
	}
	if err := a.findStore(s); err != nil {
		return nil, err
	}
	s.DataDir = first(a.flags.dataDir, s.DataDir, defaultDataDir(a.env.Lookup))
	s.PluginsDir = first(a.flags.pluginsDir, s.PluginsDir, defaultPluginsDir())
	return s, nil
}

// findStore settles where the store is: what is named nearest counts, and a file is read where that names one.
func (a *app) findStore(s *hostSettings) error {
	if a.flags.store != "" && a.flags.storeFile != "" || a.flags.store == "" && a.flags.storeFile == "" && s.Store != "" && s.StoreFile != "" {
		return errors.New("store and store_file say the same thing: give one of them")
	}
	if a.flags.store != "" || a.flags.storeFile != "" {
		s.Store, s.StoreFile = a.flags.store, a.flags.storeFile
	}
	if s.StoreFile == "" {
		return nil
	}
	text, err := readPrivate(s.StoreFile)
	if err != nil {
		return fmt.Errorf("read where the store is: %w", err)
	}
	s.Store = strings.TrimSpace(string(text))
	return nil
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// defaultDataDir is where programs keep a person's data.
func defaultDataDir(lookup func(string) (string, bool)) string {
	if base, ok := lookup("XDG_DATA_HOME"); ok && filepath.IsAbs(base) {
		return filepath.Join(base, "mgraph-deploy")
	}
	home, _ := lookup("HOME")
	return filepath.Join(home, ".local", "share", "mgraph-deploy")
}

// defaultPluginsDir is where an installation has the providers, or else where make build leaves them.
func defaultPluginsDir() string {
	program, err := os.Executable()
	if err != nil {
		return "plugins"
	}
	installed := filepath.Join(filepath.Dir(program), "..", "lib", "mgraph-deploy", "plugins")
	if _, err := os.Stat(installed); err == nil {
		return installed
	}
	return filepath.Join(filepath.Dir(program), "..", "build", "plugins")
}
