package rest

// Health answers GET /info/health, without a key: 200 when the host can take requests, else 503.
type Health struct {
	// Status is ok.
	Status string `json:"status"`
}

// SystemStatus answers GET /info/status.
type SystemStatus struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Status is operational, degraded (a provider or the mirror is not well) or stopping.
	Status string `json:"status"`
	// Auth is keys, open or off; it is filled in by the API.
	Auth          string  `json:"auth"`
	StartedAt     Time    `json:"started_at"`
	UptimeSeconds float64 `json:"uptime_seconds"`
	ActiveRuns    int     `json:"active_runs"`

	Store     Component            `json:"store"`
	Mirror    Component            `json:"mirror"`
	Providers List[ProviderStatus] `json:"providers"`
}

// Component is one part that the host leans on.
type Component struct {
	// Kind is sqlite, postgres, none and so on.
	Kind string `json:"kind"`
	// Status is ok, failing or off.
	Status string `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// Version answers GET /info/version.
type Version struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Go is the toolchain it was built with.
	Go string `json:"go"`
}

// Whoami answers GET /info/whoami.
type Whoami struct {
	Tenant string `json:"tenant"`
	// Name is the key's; Role is tenant or operator.
	Name string `json:"name"`
	Role string `json:"role"`
	// Auth is keys, open or off.
	Auth string `json:"auth"`
}
