package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// checkEnum holds that both lists are the same, and that what is unknown is tolerated.
func checkEnum[C ~string, P interface {
	~int32
	protoreflect.Enum
}](t *testing.T, e *enum[C, P], all []C, unknown C) {
	t.Helper()
	var zero P
	values := zero.Descriptor().Values()
	t.Run(string(zero.Descriptor().Name()), func(t *testing.T) {
		require.Equal(t, values.Len()-1, len(all), "one list has a value that the other has not")
		for _, one := range all {
			require.NotZero(t, e.to(one), one)
			require.Equal(t, one, e.from(e.to(one)))
		}
		require.Equal(t, C(""), e.from(0))
		require.Equal(t, P(0), e.to("what"))
		require.Equal(t, unknown, e.from(P(values.Len()+50)))
		require.Equal(t, unknown, e.from(-1))
	})
}

func TestEnumsAreComplete(t *testing.T) {
	checkEnum(t, &verbs, contract.Verbs(), "")
	checkEnum(t, &outcomes, contract.Outcomes(), contract.OutcomeUnknown)
	checkEnum(t, &changes, contract.Changes(), "")
	checkEnum(t, &checkStatuses, contract.CheckStatuses(), contract.CheckUnknown)
	checkEnum(t, &ownerships, contract.Ownerships(), contract.OwnershipUnknown)
	checkEnum(t, &completenesses, contract.Completenesses(), contract.Inconclusive)
	checkEnum(t, &placements, contract.Placements(), "")
	checkEnum(t, &discoveries, contract.Discoveries(), contract.DiscoverNone)
	checkEnum(t, &repeatSafeties, contract.RepeatSafeties(), contract.AtMostOnce)
	checkEnum(t, &nameSuffixes, contract.NameSuffixes(), "")
	checkEnum(t, &nameCases, contract.NameCases(), "")
	checkEnum(t, &capabilities, contract.Capabilities(), "")
	checkEnum(t, &kinds, contract.Kinds(), contract.KindProviderFault)
	checkEnum(t, &severities, contract.Severities(), contract.SeverityError)
	checkEnum(t, &retryClasses, contract.RetryClasses(), contract.RetryNever)
}
