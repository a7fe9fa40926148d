package rest

// DiscoverRequest is the body of POST /deploy/discover: what is deployed is looked for outside, by labels, and by name where a type
// has no labels. Config, for a deployment that this host has no record of, or GraphID, for one that it has.
type DiscoverRequest struct {
	Config  *Config `json:"config,omitempty"`
	GraphID string  `json:"graph_id,omitempty"`
	// Credentials stand here when config is left out.
	Credentials Credentials `json:"credentials,omitempty"`
	// SealedProperties are boxes by pointer ("/resources/x/properties/y"), for values that config leaves out.
	SealedProperties map[string]string `json:"sealed_properties,omitempty"`
	// Adopt also takes what was found by its name alone for this deployment's own; and, with graph_id, writes down what was found
	// and is not on record. Nothing that is on record is given up.
	Adopt bool `json:"adopt,omitempty"`
}

// What a search came to.
const (
	DiscoveredFound     = "found"
	DiscoveredMissing   = "missing"
	DiscoveredAmbiguous = "ambiguous"
	DiscoveredConflict  = "conflict"
	DiscoveredUnknown   = "unknown"
)

// DiscoverResponse answers POST /deploy/discover.
type DiscoverResponse struct {
	// Success: something was found, every resource was found or is proven missing, and no record says otherwise.
	Success      bool   `json:"success"`
	DeploymentID string `json:"deployment_id"`
	// GraphID is the graph that was stored, or the one that was compared with; empty when nothing was stored.
	GraphID string `json:"graph_id"`
	Version string `json:"version,omitempty"`
	// Owner is the owner label that was looked for: it says which installation and tenant made a thing.
	Owner string `json:"owner"`
	// Stored: the records were written. RunID is then a verification of what was found, which goes on by itself.
	Stored    bool                     `json:"stored"`
	RunID     string                   `json:"run_id,omitempty"`
	Found     int                      `json:"found"`
	Missing   int                      `json:"missing"`
	Ambiguous int                      `json:"ambiguous"`
	Conflicts int                      `json:"conflicts"`
	Unknown   int                      `json:"unknown"`
	Resources List[DiscoveredResource] `json:"resources"`
	Warnings  List[string]             `json:"warnings"`
	// Next are the calls that make sense now.
	Next List[Call] `json:"next"`
}

// DiscoveredResource is what was found of one resource in one region.
type DiscoveredResource struct {
	ResourceID   string `json:"resource_id"`
	ResourceType string `json:"resource_type"`
	// Region is empty for a global resource.
	Region string `json:"region"`
	// Status is found, missing, ambiguous, conflict or unknown.
	Status string `json:"status"`
	NodeID string `json:"node_id,omitempty"`
	// Name is the physical name.
	Name     string `json:"name,omitempty"`
	Identity string `json:"identity,omitempty"`
	// ByName: it carries no labels, and was found by its name alone.
	ByName bool `json:"by_name,omitempty"`
	// Recorded is what is on record: planned, maybe, live or gone; empty for nothing. Differs says that it does not agree.
	Recorded string `json:"recorded,omitempty"`
	Differs  bool   `json:"differs,omitempty"`
	// Reason says why it is not plainly found or missing.
	Reason string `json:"reason,omitempty"`
	// Candidates are the identities of several that were found.
	Candidates []string `json:"candidates,omitempty"`
}
