// Package planted names the small faults that are put into the program to see that its tests find them. Only a build with the tag
// "planted" can have one: without it Is is false, and what stands behind it is no part of the program.
package planted

// Bug is one fault.
type Bug string

// The faults, each a mistake that somebody could make.
const (
	LateIntent       Bug = "the intent is committed after the call"
	EarlyAnswer      Bug = "what is posted is taken for durable"
	Unfenced         Bug = "the fencing token of a write is not checked"
	BlindRetry       Bug = "an attempt that settles another does not look first"
	LaggingIsAbsent  Bug = "a search that lags is taken for proof that nothing is there"
	AnyonesIsOurs    Bug = "ownership is ignored"
	AdoptedOnSight   Bug = "what is found while settling counts as done"
	LyingOutcome     Bug = "an unknown outcome is recorded as NOT_APPLIED"
	RisingGeneration Bug = "the generation rises after an unknown outcome"
	KeyPerAttempt    Bug = "the idempotency key is another one for each attempt"
	LateWriter       Bug = "write_by is ignored"
	OpenDownstream   Bug = "what is behind a failure is not blocked"
	HeldAgain        Bug = "a released edge is forgotten"
	LongStep         Bug = "a step goes on to what it makes ready"
	EarlyRelease     Bug = "successors are released before the outcome is durable"
	DroppedEvent     Bug = "an event is counted and not stored"
	ForgottenTrace   Bug = "an intent leaves no trace on the logical resource"
	StuckRun         Bug = "a run that could not begin is forgotten"
	LoggedSecret     Bug = "credentials are logged"
	StoredSecret     Bug = "credentials are stored among the options of a run"
	StoredRefused    Bug = "the graph of a refused request is stored"
)

// Bugs lists them all.
func Bugs() []Bug {
	return []Bug{
		LateIntent, EarlyAnswer, Unfenced, BlindRetry, LaggingIsAbsent, AnyonesIsOurs, AdoptedOnSight, LyingOutcome, RisingGeneration,
		KeyPerAttempt, LateWriter, OpenDownstream, HeldAgain, LongStep, EarlyRelease, DroppedEvent, ForgottenTrace, StuckRun, LoggedSecret, StoredSecret,
		StoredRefused,
	}
}
