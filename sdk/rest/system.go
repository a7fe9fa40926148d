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

// The roles of API keys. An operator may do what a tenant may, and manage keys and providers.
const (
	RoleTenant   = "tenant"
	RoleOperator = "operator"
)

// KeyRequest is the body of POST /keys.
type KeyRequest struct {
	// Name tells a tenant's keys apart: letters, digits, '_', '-', 1 to 64. Runs say which key started them.
	Name string `json:"name"`
	// Tenant whose graphs the key sees, in the same form; "default" when left out.
	Tenant string `json:"tenant,omitempty"`
	// Role is tenant (the default) or operator.
	Role string `json:"role,omitempty"`
}

// Key is an API key as the host knows it: by its hash alone.
type Key struct {
	Name      string `json:"name"`
	Tenant    string `json:"tenant"`
	Role      string `json:"role"`
	CreatedAt Time   `json:"created_at"`
}

// CreatedKey answers POST /keys. Secret is shown this once.
type CreatedKey struct {
	Key
	// Secret is sent as "Authorization: Bearer ..." or in the X-API-Key header.
	Secret string `json:"secret"`
}

// KeyList answers GET /keys, oldest first.
type KeyList struct {
	Keys List[Key] `json:"keys"`
}
