package wire

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// pair is one message and its twin.
type pair struct {
	message proto.Message
	// there and back start from a filled contract value, back and there from a filled message.
	value    func(t *testing.T)
	wire     func(m proto.Message) proto.Message
	nilTwice func(t *testing.T)
}

// pairOf makes the tests of one conversion.
func pairOf[C any, M any, P interface {
	*M
	proto.Message
}](to func(*C) *M, from func(*M) *C) pair {
	return pair{
		message: P(new(M)),
		value: func(t *testing.T) {
			var want C
			fill(t, reflect.ValueOf(&want).Elem())
			got := from(to(&want))
			require.Equal(t, &want, got)
		},
		wire: func(m proto.Message) proto.Message { return P(to(from((*M)(m.(P))))) },
		nilTwice: func(t *testing.T) {
			require.Nil(t, to(nil))
			require.Nil(t, from(nil))
			require.NotPanics(t, func() { to(from(new(M))) }, "an empty message is tolerated")
		},
	}
}

// listOf makes a conversion of a list look like one of a value.
func listOf[E, M any](to func([]E) *M, from func(*M) []E) pair {
	type list struct{ Elements []E }
	toList := func(l *list) *M {
		if l == nil {
			return nil
		}
		return to(l.Elements)
	}
	fromList := func(m *M) *list {
		if m == nil {
			return nil
		}
		return &list{from(m)}
	}
	p := pair{message: any(new(M)).(proto.Message)}
	p.value = func(t *testing.T) {
		var want list
		fill(t, reflect.ValueOf(&want).Elem())
		require.Equal(t, &want, fromList(toList(&want)))
	}
	p.wire = func(m proto.Message) proto.Message { return any(toList(fromList(any(m).(*M)))).(proto.Message) }
	p.nilTwice = func(t *testing.T) { require.Empty(t, from(nil)) }
	return p
}

// pairs are all messages that the contract has a twin for.
func pairs() []pair {
	return []pair{
		pairOf(DescriptionTo, DescriptionFrom), pairOf(RateLimitTo, RateLimitFrom), pairOf(ResourceTypeTo, ResourceTypeFrom),
		pairOf(VerbSupportTo, VerbSupportFrom), pairOf(ReferenceRoleTo, ReferenceRoleFrom), pairOf(OutputFieldTo, OutputFieldFrom),
		pairOf(LabelLimitsTo, LabelLimitsFrom), pairOf(NamingTo, NamingFrom), pairOf(PublicKeyTo, PublicKeyFrom),
		listOf(PublicKeysTo, PublicKeysFrom), pairOf(CallContextTo, CallContextFrom), pairOf(TargetTo, TargetFrom),
		pairOf(CheckCredentialsRequestTo, CheckCredentialsRequestFrom), pairOf(SealedValueTo, SealedValueFrom),
		pairOf(CheckCredentialsResultTo, CheckCredentialsResultFrom), listOf(ValidateRequestTo, ValidateRequestFrom),
		pairOf(ValidateItemTo, ValidateItemFrom), listOf(ValidateResponseTo, ValidateResponseFrom),
		pairOf(ExecuteRequestTo, ExecuteRequestFrom), pairOf(ConsumerTo, ConsumerFrom), pairOf(ProgressTo, ProgressFrom),
		pairOf(LogTo, LogFrom), pairOf(IdentityTo, IdentityFrom), pairOf(ThrottleTo, ThrottleFrom), pairOf(ResultTo, ResultFrom),
		pairOf(SealedOutputTo, SealedOutputFrom), pairOf(VerifyRequestTo, VerifyRequestFrom), pairOf(VerifyResultTo, VerifyResultFrom),
		pairOf(CheckTo, CheckFrom), pairOf(FindRequestTo, FindRequestFrom), pairOf(FoundTo, FoundFrom), pairOf(FindEndTo, FindEndFrom),
		pairOf(DiagnosticTo, DiagnosticFrom), pairOf(PlanRequestTo, PlanRequestFrom), pairOf(PlanResultTo, PlanResultFrom),
		pairOf(PropertyChangeTo, PropertyChangeFrom), pairOf(RollbackRecordTo, RollbackRecordFrom),
		pairOf(ExpandRequestTo, ExpandRequestFrom), pairOf(ExpandResultTo, ExpandResultFrom),
		pairOf(ExpandedNodeTo, ExpandedNodeFrom), pairOf(ExpandedEdgeTo, ExpandedEdgeFrom),
		pairOf(RollbackRequestTo, RollbackRequestFrom),
	}
}

// without a twin: parts of another message, the two streams' envelopes, and empty requests.
var without = map[protoreflect.Name]bool{
	"DescribeRequest": true, "PublicKeysRequest": true, "Fingerprint": true, "ItemDiagnostics": true,
	"ExecuteEvent": true, "FindEvent": true,
}

func TestEveryFieldHasATwin(t *testing.T) {
	seen := map[protoreflect.Name]bool{}
	for _, p := range pairs() {
		name := p.message.ProtoReflect().Descriptor().Name()
		seen[name] = true
		t.Run(string(name), func(t *testing.T) {
			p.value(t)
			filled := p.message.ProtoReflect().New()
			fillMessage(t, filled)
			want := filled.Interface()
			require.True(t, proto.Equal(want, p.wire(want)), "a field of the message is lost:\n%v\n%v", want, p.wire(want))
			p.nilTwice(t)
		})
	}
	messages := pb.File_mgraph_deploy_provider_v1_provider_proto.Messages()
	for i := range messages.Len() {
		name := messages.Get(i).Name()
		require.True(t, seen[name] != without[name], "message %s must be converted, or be named as one without a twin", name)
	}
}

// lists are the contract's enums, by type.
var lists = map[reflect.Type]any{
	reflect.TypeFor[contract.Verb]():          contract.Verbs(),
	reflect.TypeFor[contract.Outcome]():       contract.Outcomes(),
	reflect.TypeFor[contract.Change]():        contract.Changes(),
	reflect.TypeFor[contract.CheckStatus]():   contract.CheckStatuses(),
	reflect.TypeFor[contract.Ownership]():     contract.Ownerships(),
	reflect.TypeFor[contract.Completeness]():  contract.Completenesses(),
	reflect.TypeFor[contract.Placement]():     contract.Placements(),
	reflect.TypeFor[contract.Discovery]():     contract.Discoveries(),
	reflect.TypeFor[contract.RepeatSafety]():  contract.RepeatSafeties(),
	reflect.TypeFor[contract.NameSuffix]():    contract.NameSuffixes(),
	reflect.TypeFor[contract.NameCase]():      contract.NameCases(),
	reflect.TypeFor[contract.Capability]():    contract.Capabilities(),
	reflect.TypeFor[contract.Kind]():          contract.Kinds(),
	reflect.TypeFor[contract.PlannedAction](): contract.PlannedActions(),
	reflect.TypeFor[contract.Severity]():      contract.Severities(),
	reflect.TypeFor[contract.RetryClass]():    contract.RetryClasses(),
}

// fill gives every field of a contract value something that is not zero.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	if list, ok := lists[v.Type()]; ok {
		v.Set(reflect.ValueOf(list).Index(reflect.ValueOf(list).Len() - 1))
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"some":"document"}`))
		return
	case []byte:
		v.SetBytes([]byte("some bytes"))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("some text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7_000_000_000 % (1 << 31))
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		fill(t, element)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("some key"), element)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a field of type %s: teach this test to fill it", v.Type())
	}
}

// fillMessage gives every field of a message something that is not zero.
func fillMessage(t *testing.T, m protoreflect.Message) {
	t.Helper()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		switch {
		case field.IsMap():
			value := m.NewField(field)
			value.Map().Set(protoreflect.ValueOfString("key").MapKey(), scalar(t, m, field.MapValue()))
			m.Set(field, value)
		case field.IsList():
			value := m.NewField(field)
			value.List().Append(element(t, value.List(), m, field))
			m.Set(field, value)
		default:
			m.Set(field, scalar(t, m, field))
		}
	}
}

func element(t *testing.T, list protoreflect.List, m protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.Value {
	t.Helper()
	if field.Kind() != protoreflect.MessageKind {
		return scalar(t, m, field)
	}
	value := list.NewElement()
	fillMessage(t, value.Message())
	return value
}

func scalar(t *testing.T, m protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.Value {
	t.Helper()
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("text of " + string(field.Name()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("bytes of " + string(field.Name())))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(42)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(0.25)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(field.Enum().Values().Get(field.Enum().Values().Len() - 1).Number())
	case protoreflect.MessageKind:
		return known(t, m, field)
	default:
		t.Fatalf("a field of kind %s: teach this test to fill it", field.Kind())
		return protoreflect.Value{}
	}
}

func known(t *testing.T, m protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.Value {
	t.Helper()
	switch field.Message().FullName() {
	case "google.protobuf.Timestamp":
		return protoreflect.ValueOfMessage((&timestamppb.Timestamp{Seconds: 1_800_000_000, Nanos: 7}).ProtoReflect())
	case "google.protobuf.Duration":
		return protoreflect.ValueOfMessage((&durationpb.Duration{Seconds: 3, Nanos: 9}).ProtoReflect())
	}
	value := m.NewField(field)
	fillMessage(t, value.Message())
	return value
}

func TestEveryEventCrosses(t *testing.T) {
	for _, want := range []contract.Event{
		{Progress: &contract.Progress{Fraction: 0.5, Message: "half"}}, {Log: &contract.Log{Level: "info", Message: "x"}},
		{Identity: &contract.Identity{ID: "x"}}, {Throttle: &contract.Throttle{RetryAfter: time.Second, Summary: "x"}},
	} {
		got, result := EventFrom(EventTo(&want))
		require.Nil(t, result)
		require.Equal(t, want, got)
	}
	want := &contract.Result{Outcome: contract.OutcomeApplied, Identity: "x"}
	event, result := EventFrom(ResultEventTo(want))
	require.Equal(t, contract.Event{}, event)
	require.Equal(t, want, result)
	require.Equal(t, reflect.TypeFor[contract.Event]().NumField()+1, events(t, &pb.ExecuteEvent{}), "an event has no twin")
	require.Equal(t, 2, events(t, &pb.FindEvent{}))
	event, result = EventFrom(&pb.ExecuteEvent{})
	require.Equal(t, contract.Event{}, event)
	require.Nil(t, result)
	require.NotNil(t, FoundEventTo(&contract.Found{}).GetFound())
	require.NotNil(t, FindEndEventTo(&contract.FindEnd{}).GetEnd())
	require.Nil(t, EventTo(nil))
	require.Nil(t, EventTo(&contract.Event{}).GetEvent())
}

// events counts the alternatives of a stream's message.
func events(t *testing.T, m proto.Message) int {
	t.Helper()
	oneofs := m.ProtoReflect().Descriptor().Oneofs()
	require.Equal(t, 1, oneofs.Len())
	return oneofs.Get(0).Fields().Len()
}

func TestWhatWasLeftOutIsTheSafeValue(t *testing.T) {
	require.Equal(t, contract.OutcomeUnknown, ResultFrom(&pb.Result{}).Outcome)
	require.Equal(t, contract.Inconclusive, FindEndFrom(&pb.FindEnd{}).Completeness)
	require.Equal(t, contract.CheckUnknown, CheckFrom(&pb.Check{}).Status)
	require.Equal(t, contract.KindProviderFault, DiagnosticFrom(&pb.Diagnostic{}).Kind)
	require.Equal(t, contract.ActionConflict, PlanResultFrom(&pb.PlanResponse{}).Action)
	require.Equal(t, contract.ActionConflict, PlanResultFrom(&pb.PlanResponse{Action: 77}).Action)
	require.Empty(t, DescriptionFrom(&pb.DescribeResponse{Capabilities: []pb.Capability{77}}).Capabilities)
	require.Nil(t, VerbSupportFrom(&pb.VerbSupport{Verb: 77}))
}
