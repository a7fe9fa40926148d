// Package conformance holds any provider executable, in any language, to the rules of the provider protocol, over a real
// process and real gRPC. An author needs it in one test:
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, conformance.Target{Binary: "../../build/mgraph-provider-acme", Cases: ...})
//	}
//
// It judges behaviour that any host relies on. What a resource type does beyond that is the author's own tests' business, and so
// is whatever needs a vendor to misbehave.
package conformance

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Target is a provider to judge, and what it needs for it.
type Target struct {
	// Binary is the path of the executable.
	Binary string
	// Env is added to the otherwise empty environment of the process.
	Env []string
	// Settings are the operator's, nil for none.
	Settings map[string]any
	// Credentials are the caller's, in clear: what the provider's schema marks as sealed is sealed on the way. Sealed values that
	// nothing else contains make the search for leaks worth something.
	Credentials map[string]any
	// Region is where regional types are tried.
	Region string
	// Cases are at least one for each type worth judging.
	Cases []Case
	// Composites are the same for types that make nothing themselves.
	Composites []Case
	// Count says how many things exist at the vendor, by means that are not the provider's own. The suite compares counts
	// only, so that things of others do not disturb it as long as they stay.
	Count func() (int, error)
}

// Case is one resource of one type. Sealed properties are given in clear.
type Case struct {
	Type       string
	Properties map[string]any
	// Changed are properties that differ, nil for a type that cannot be changed. They replace those of the same name.
	Changed map[string]any
	// References are values by role; a property that a role names is filled as well.
	References map[string]any
}

// rule is one thing that every host relies on.
type rule struct {
	name string
	// judge is called once, or once for each case or composite.
	judge        func(*testing.T, *suite)
	perCase      func(*testing.T, *suite, *subject)
	perComposite func(*testing.T, *suite, *Case)
}

// rules in the order in which they are judged: a provider that fails an early one is not worth the later ones.
func rules() []rule {
	return []rule{
		{name: "describes itself", judge: describesItself},
		{name: "has keys", judge: hasKeys},
		{name: "opens only what is meant for it", judge: opensOnlyItsOwn},
		{name: "declares its capabilities", judge: declaresCapabilities},
		{name: "expands repeatably", perComposite: expandsRepeatably},
		{name: "validates repeatably", perCase: validatesRepeatably},
		{name: "every error has a kind", perCase: errorsHaveKinds},
		{name: "lives from create to delete", perCase: lives},
		{name: "executed twice, made once", perCase: madeOnce},
		{name: "reads change nothing", perCase: readsChangeNothing},
		{name: "nothing is written after write_by", perCase: nothingAfterWriteBy},
		{name: "plans what it will do", perCase: plansTruly},
		{name: "brings back what was there", perCase: bringsBack},
		{name: "existing is finished", perCase: finishesExisting},
		{name: "tenants at once do not meet", perCase: tenantsDoNotMeet},
		{name: "a cut stream leaves one thing", perCase: survivesCuts},
		{name: "a killed process leaves one thing", perCase: survivesKills},
		{name: "tolerates what it does not know", perCase: toleratesTheUnknown},
		{name: "ends with its host", judge: endsWithItsHost},
		{name: "gives no secret away", judge: givesNothingAway},
	}
}

// Run judges a provider: one subtest for each rule, and in it one for each case.
func Run(t *testing.T, target Target) {
	s := begin(t, target)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			r.apply(t, s)
		})
	}
}

// apply judges all that a rule is about.
func (r rule) apply(t *testing.T, s *suite) {
	switch {
	case r.judge != nil:
		r.judge(t, s)
	case r.perComposite != nil:
		for i := range s.target.Composites {
			t.Run(s.target.Composites[i].Type, func(t *testing.T) { r.perComposite(t, s, &s.target.Composites[i]) })
		}
	default:
		for i := range s.target.Cases {
			t.Run(s.target.Cases[i].Type, func(t *testing.T) { r.perCase(t, s, s.subject(t, &s.target.Cases[i])) })
		}
	}
}

// diagnosed says that a diagnostic is one that a host can act on.
func diagnosed(t *testing.T, diagnostics []contract.Diagnostic) contract.Diagnostic {
	t.Helper()
	require.NotEmpty(t, diagnostics, "an error without a diagnostic")
	for _, diagnostic := range diagnostics {
		require.Contains(t, contract.Kinds(), diagnostic.Kind)
		require.Contains(t, contract.RetryClasses(), diagnostic.Retry, "a diagnostic without a retry class: %s", diagnostic.Summary)
		require.Contains(t, contract.Severities(), diagnostic.Severity)
		require.NotEmpty(t, diagnostic.Summary)
	}
	return diagnostics[0]
}

// document writes a value as JSON.
func document(t *testing.T, value any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw
}
