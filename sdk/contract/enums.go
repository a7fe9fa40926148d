package contract

// Verb is what an operation does to a resource.
type Verb string

// The verbs. create must find nothing there, update must find it, ensure does whichever is needed.
const (
	VerbCreate Verb = "create"
	VerbUpdate Verb = "update"
	VerbEnsure Verb = "ensure"
	VerbDelete Verb = "delete"
	VerbVerify Verb = "verify"
)

// Verbs lists every verb.
func Verbs() []Verb { return []Verb{VerbCreate, VerbUpdate, VerbEnsure, VerbDelete, VerbVerify} }

// Outcome is what is known of an attempt's effect.
type Outcome string

// The outcomes. NOT_APPLIED is proven: no request that could change something succeeded or ended unclear.
const (
	OutcomeNone       Outcome = ""
	OutcomeNotApplied Outcome = "NOT_APPLIED"
	OutcomeApplied    Outcome = "APPLIED"
	OutcomePartial    Outcome = "PARTIAL"
	OutcomeUnknown    Outcome = "UNKNOWN"
)

// Outcomes lists every outcome that a provider can answer with.
func Outcomes() []Outcome {
	return []Outcome{OutcomeNotApplied, OutcomeApplied, OutcomePartial, OutcomeUnknown}
}

// Change is what an applied operation changed.
type Change string

// The changes.
const (
	ChangeUnspecified Change = ""
	ChangeNone        Change = "none"
	ChangeCreated     Change = "created"
	ChangeUpdated     Change = "updated"
	ChangeDeleted     Change = "deleted"
)

// Changes lists every change.
func Changes() []Change { return []Change{ChangeNone, ChangeCreated, ChangeUpdated, ChangeDeleted} }

// CheckStatus is how a check ended.
type CheckStatus string

// The check statuses. Unknown means that the question could not be answered.
const (
	CheckPass    CheckStatus = "pass"
	CheckFail    CheckStatus = "fail"
	CheckUnknown CheckStatus = "unknown"
)

// CheckStatuses lists every check status.
func CheckStatuses() []CheckStatus { return []CheckStatus{CheckPass, CheckFail, CheckUnknown} }

// Ownership says whose a found thing is.
type Ownership string

// The ownerships. Unknown is for types that cannot be labelled.
const (
	OwnershipOurs    Ownership = "ours"
	OwnershipOther   Ownership = "other"
	OwnershipNobody  Ownership = "nobody"
	OwnershipUnknown Ownership = "unknown"
)

// Ownerships lists every ownership.
func Ownerships() []Ownership {
	return []Ownership{OwnershipOurs, OwnershipOther, OwnershipNobody, OwnershipUnknown}
}

// Completeness says what an empty Find proves.
type Completeness string

// Complete comes only from authoritative reads; inconclusive proves nothing yet.
const (
	Complete     Completeness = "complete"
	Inconclusive Completeness = "inconclusive"
)

// Completenesses lists both.
func Completenesses() []Completeness { return []Completeness{Complete, Inconclusive} }

// Placement says whether a resource lives in a region.
type Placement string

// The placements.
const (
	Regional Placement = "regional"
	Global   Placement = "global"
)

// Placements lists both.
func Placements() []Placement { return []Placement{Regional, Global} }

// Discovery says how a thing is found again.
type Discovery string

// The ways: labels set by the very call that creates it, a name the host fixed, or none.
const (
	DiscoverByLabel Discovery = "label"
	DiscoverByName  Discovery = "name"
	DiscoverNone    Discovery = "none"
)

// Discoveries lists every way.
func Discoveries() []Discovery { return []Discovery{DiscoverByLabel, DiscoverByName, DiscoverNone} }

// RepeatSafety says how an attempt with an unknown outcome is settled.
type RepeatSafety string

// The repeat safeties; see the protocol file for each.
const (
	Convergent    RepeatSafety = "convergent"
	ByLabel       RepeatSafety = "by_label"
	ByName        RepeatSafety = "by_name"
	ByVendorToken RepeatSafety = "by_vendor_token"
	AtMostOnce    RepeatSafety = "at_most_once"
)

// RepeatSafeties lists every one.
func RepeatSafeties() []RepeatSafety {
	return []RepeatSafety{Convergent, ByLabel, ByName, ByVendorToken, AtMostOnce}
}

// NameSuffix says what is put behind the caller's name.
type NameSuffix string

// The suffixes.
const (
	SuffixNone          NameSuffix = "none"
	SuffixNode          NameSuffix = "node"
	SuffixNodeAndRegion NameSuffix = "node_and_region"
)

// NameSuffixes lists every suffix.
func NameSuffixes() []NameSuffix { return []NameSuffix{SuffixNone, SuffixNode, SuffixNodeAndRegion} }

// NameCase is the case that the vendor stores names in.
type NameCase string

// The cases.
const (
	CaseKeep  NameCase = "keep"
	CaseUpper NameCase = "upper"
	CaseLower NameCase = "lower"
)

// NameCases lists every case.
func NameCases() []NameCase { return []NameCase{CaseKeep, CaseUpper, CaseLower} }

// Capability is an optional call that a provider serves.
type Capability string

// The capabilities.
const (
	CapabilityPlan     Capability = "plan"
	CapabilityExpand   Capability = "expand"
	CapabilityRollback Capability = "rollback"
)

// Capabilities lists every one.
func Capabilities() []Capability {
	return []Capability{CapabilityPlan, CapabilityExpand, CapabilityRollback}
}

// PlannedAction is what Execute would do.
type PlannedAction string

// The planned actions. Conflict means that Execute would refuse.
const (
	ActionNoOp     PlannedAction = "no_op"
	ActionCreate   PlannedAction = "create"
	ActionUpdate   PlannedAction = "update"
	ActionReplace  PlannedAction = "replace"
	ActionDelete   PlannedAction = "delete"
	ActionConflict PlannedAction = "conflict"
)

// PlannedActions lists every one.
func PlannedActions() []PlannedAction {
	return []PlannedAction{ActionNoOp, ActionCreate, ActionUpdate, ActionReplace, ActionDelete, ActionConflict}
}
