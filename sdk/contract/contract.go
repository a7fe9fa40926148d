// Package contract is the agreement between host and provider as plain Go values: one interface, its requests and its
// results. It mirrors proto/mgraph/deploy/provider/v1 without depending on it. It holds no behaviour beyond what a value can
// say of itself; authors meet it through package provider, hosts through package remote.
package contract

import (
	"context"
	"encoding/json"
	"time"
)

// Provider is one provider, whatever process it runs in. Every method may be called by any number of goroutines at once, for
// different tenants, accounts and regions. Errors are *Error where the provider spoke, and otherwise transport faults that
// KindOf reads as interrupted, deadline, cancelled or unsupported.
type Provider interface {
	// Describe says what this provider is: no credentials, no I/O, always the same answer.
	Describe(ctx context.Context) (*Description, error)
	// PublicKeys lists the keys that callers seal values to.
	PublicKeys(ctx context.Context) ([]PublicKey, error)
	// CheckCredentials opens every sealed value of a request and, when asked, finds out who the caller is.
	CheckCredentials(ctx context.Context, request *CheckCredentialsRequest) (*CheckCredentialsResult, error)
	// Validate judges each item beyond the schema: one slice of diagnostics per item, in order. Pure.
	Validate(ctx context.Context, items []ValidateItem) ([][]Diagnostic, error)
	// Execute performs one verb. Events reach emit in order and one at a time; emit never blocks on the vendor. A
	// non-nil error means that no result came: the outcome is UNKNOWN.
	Execute(ctx context.Context, request *ExecuteRequest, emit func(Event)) (*Result, error)
	// Verify compares the real thing with the target. Changes nothing.
	Verify(ctx context.Context, request *VerifyRequest) (*VerifyResult, error)
	// Find reports each match to found, then says how complete the search was. Changes nothing.
	Find(ctx context.Context, request *FindRequest, found func(Found)) (*FindEnd, error)

	// Plan says what Execute would change, and makes the rollback record. Changes nothing. Like the two below it is a
	// capability: a provider, or a type, that does not have it answers with an error of kind unsupported.
	Plan(ctx context.Context, request *PlanRequest) (*PlanResult, error)
	// Expand turns a composite into resources. Pure, and the same answer each time.
	Expand(ctx context.Context, request *ExpandRequest) (*ExpandResult, error)
	// Rollback brings back what a rollback record of this provider holds. It is called like Execute, and may be repeated.
	Rollback(ctx context.Context, request *RollbackRequest, emit func(Event)) (*Result, error)
}

// CallContext is what every call that touches the outside carries. Nothing of it is state of the process.
type CallContext struct {
	CallID         string
	IdempotencyKey string
	Attempt        int
	// WriteBy is the moment after which no request that changes anything may be started; zero for none.
	WriteBy time.Time
	Account string
	// Region is empty for a global resource.
	Region string
	// Settings are the operator's, as one JSON object; nil for none.
	Settings json.RawMessage
	// Credentials is the caller's object for this provider, verbatim, its secrets sealed.
	Credentials  json.RawMessage
	Tenant       string
	DeploymentID string
	// Owner is a hash of installation and tenant.
	Owner       string
	Traceparent string
	// AllowPlainBoxes accepts sealed boxes without an envelope.
	AllowPlainBoxes bool
}

// Target is the thing that a call is about.
type Target struct {
	Type string
	// Name is the physical name that the host fixed; empty for a type without one.
	Name       string
	Properties json.RawMessage
	// Labels identify and inform (mgraph:...); Tags are the caller's own, set beside them.
	Labels map[string]string
	Tags   map[string]string
	// Identity is the one on record, when there is one.
	Identity string
	// References are values by role, already filled into Properties where the role names a property.
	References map[string]json.RawMessage
	// Adopt takes over what nobody owns.
	Adopt bool
	// Owned says that the record holds this deployment as the maker; what cannot be labelled is owned by this alone.
	Owned bool
	// RecordedOutputs are those of the last completed operation on it, one JSON object; nil when there was none.
	RecordedOutputs json.RawMessage
	// SealedPurposes are for a child of a composite: its sealed properties that are the composite's, by pointer, with the purpose
	// that their boxes name ("acme:stack#/secret"): type and pointer where the caller wrote them.
	SealedPurposes map[string]string
}

// Consumer is a provider that sensitive outputs are sealed to.
type Consumer struct {
	Provider string
	Key      PublicKey
	Outputs  []string
	// Purpose is what the envelope must name: type and pointer of the property that the output fills.
	Purpose string
}

// CheckCredentialsRequest asks for every sealed value to be opened, and with Identify for the vendor to be asked who this is.
type CheckCredentialsRequest struct {
	Context      CallContext
	SealedValues []SealedValue
	Identify     bool
}

// SealedValue is one sealed property: Type and Pointer are the purpose its envelope must name, Box is standard base64, Ref is
// the caller's handle and comes back.
type SealedValue struct {
	Type    string
	Pointer string
	Box     string
	Ref     string
}

// CheckCredentialsResult says who the credentials belong to. Fingerprints are by Ref.
type CheckCredentialsResult struct {
	Account      string
	Principal    string
	ExpiresAt    time.Time
	Fingerprints map[string]string
	Diagnostics  []Diagnostic
}

// ValidateItem is one operation to judge: Roles are those that references will fill.
type ValidateItem struct {
	Type       string
	Verb       Verb
	Properties json.RawMessage
	Roles      []string
}

// ExecuteRequest asks for one verb on one target. Existing and PriorOutcome are set when an earlier attempt is being settled.
type ExecuteRequest struct {
	Context      CallContext
	Target       Target
	Verb         Verb
	Existing     *Found
	PriorOutcome Outcome
	Consumers    []Consumer
	Prepared     []byte
	// KeepContents has a delete take nothing with it that is not the thing itself, whatever its properties allow.
	KeepContents bool
}

// Event is one thing that happens during Execute or Rollback: exactly one field is set.
type Event struct {
	Progress *Progress
	Log      *Log
	Identity *Identity
	Throttle *Throttle
}

// Progress is also the heartbeat. Fraction is 0 to 1, negative when not known.
type Progress struct {
	Fraction float64
	Message  string
}

// Log is a line for the operation's log. Level is trace, debug, info, warn or error.
type Log struct {
	Level   string
	Message string
}

// Identity announces that the thing exists: from here on Find finds it.
type Identity struct {
	ID string
}

// Throttle announces that the vendor asks for a pause.
type Throttle struct {
	RetryAfter time.Duration
	Summary    string
}

// Result is how Execute or Rollback ended. Outputs is one JSON object without sensitive outputs.
type Result struct {
	Outcome         Outcome
	Change          Change
	Identity        string
	Outputs         json.RawMessage
	SealedOutputs   []SealedOutput
	LabelsApplied   map[string]string
	VendorRequestID string
	Diagnostics     []Diagnostic
}

// SealedOutput is one copy of a sensitive output, sealed to one consumer.
type SealedOutput struct {
	Output   string
	Provider string
	KeyID    string
	Box      string
}

// VerifyRequest asks whether the target is as it should be.
type VerifyRequest struct {
	Context CallContext
	Target  Target
}

// VerifyResult holds the named checks.
type VerifyResult struct {
	Checks      []Check
	Diagnostics []Diagnostic
}

// Check is one comparison. Expected and Actual never hold a secret.
type Check struct {
	Name     string
	Status   CheckStatus
	Expected string
	Actual   string
	Message  string
}

// FindRequest asks for what exists with the target's labels, name or identity in the context's place.
type FindRequest struct {
	Context CallContext
	Target  Target
}

// Found is one thing that exists.
type Found struct {
	Identity  string
	Name      string
	Labels    map[string]string
	Outputs   json.RawMessage
	Ready     bool
	Ownership Ownership
}

// FindEnd says how much an empty or short answer proves.
type FindEnd struct {
	Completeness Completeness
	RetryAfter   time.Duration
	Diagnostics  []Diagnostic
}
