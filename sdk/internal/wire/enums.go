package wire

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// enum converts one closed list. Both sides name their values alike: kind "not_found" is KIND_NOT_FOUND.
type enum[C ~string, P ~int32] struct {
	protos    map[C]P
	contracts []C
	// unknown is what values of a later version read as.
	unknown C
}

// enumOf pairs the contract's list with the values of a proto enum.
func enumOf[C ~string, P interface {
	~int32
	protoreflect.Enum
}](prefix string, all []C, unknown C) enum[C, P] {
	var zero P
	values := zero.Descriptor().Values()
	made := enum[C, P]{protos: make(map[C]P, len(all)), contracts: make([]C, values.Len()), unknown: unknown}
	for _, one := range all {
		value := values.ByName(protoreflect.Name(prefix + "_" + strings.ToUpper(string(one))))
		if value == nil {
			continue // a test holds that there is none
		}
		made.protos[one] = P(value.Number())
		made.contracts[value.Number()] = one
	}
	return made
}

// to gives the unspecified value for what is not in the list.
func (e *enum[C, P]) to(value C) P { return e.protos[value] }

// from tolerates values that this version does not know; the unspecified value reads as "".
func (e *enum[C, P]) from(value P) C {
	if int(value) >= len(e.contracts) || value < 0 {
		return e.unknown
	}
	return e.contracts[value]
}

var (
	verbs          = enumOf[contract.Verb, pb.Verb]("VERB", contract.Verbs(), "")
	outcomes       = enumOf[contract.Outcome, pb.Outcome]("OUTCOME", contract.Outcomes(), contract.OutcomeUnknown)
	changes        = enumOf[contract.Change, pb.Change]("CHANGE", contract.Changes(), "")
	checkStatuses  = enumOf[contract.CheckStatus, pb.CheckStatus]("CHECK_STATUS", contract.CheckStatuses(), contract.CheckUnknown)
	ownerships     = enumOf[contract.Ownership, pb.Ownership]("OWNERSHIP", contract.Ownerships(), contract.OwnershipUnknown)
	completenesses = enumOf[contract.Completeness, pb.Completeness]("COMPLETENESS", contract.Completenesses(), contract.Inconclusive)
	placements     = enumOf[contract.Placement, pb.Placement]("PLACEMENT", contract.Placements(), "")
	discoveries    = enumOf[contract.Discovery, pb.Discovery]("DISCOVERY", contract.Discoveries(), contract.DiscoverNone)
	repeatSafeties = enumOf[contract.RepeatSafety, pb.RepeatSafety]("REPEAT_SAFETY", contract.RepeatSafeties(), contract.AtMostOnce)
	nameSuffixes   = enumOf[contract.NameSuffix, pb.NameSuffix]("NAME_SUFFIX", contract.NameSuffixes(), "")
	nameCases      = enumOf[contract.NameCase, pb.NameCase]("NAME_CASE", contract.NameCases(), "")
	capabilities   = enumOf[contract.Capability, pb.Capability]("CAPABILITY", contract.Capabilities(), "")
	plannedActions = enumOf[contract.PlannedAction, pb.PlannedAction]("PLANNED_ACTION", contract.PlannedActions(), contract.ActionConflict)
	kinds          = enumOf[contract.Kind, pb.Kind]("KIND", contract.Kinds(), contract.KindProviderFault)
	severities     = enumOf[contract.Severity, pb.Severity]("SEVERITY", contract.Severities(), contract.SeverityError)
	retryClasses   = enumOf[contract.RetryClass, pb.RetryClass]("RETRY_CLASS", contract.RetryClasses(), contract.RetryNever)
)
