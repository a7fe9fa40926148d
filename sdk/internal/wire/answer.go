package wire

import (
	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// CheckCredentialsResultTo converts an answer.
func CheckCredentialsResultTo(r *contract.CheckCredentialsResult) *pb.CheckCredentialsResponse {
	if r == nil {
		return nil
	}
	converted := &pb.CheckCredentialsResponse{
		Account: r.Account, Principal: r.Principal, ExpiresAt: timeTo(r.ExpiresAt), Diagnostics: list(r.Diagnostics, DiagnosticTo),
	}
	for ref, value := range r.Fingerprints {
		converted.Fingerprints = append(converted.Fingerprints, &pb.Fingerprint{Ref: ref, Value: value})
	}
	return converted
}

// CheckCredentialsResultFrom converts back.
func CheckCredentialsResultFrom(r *pb.CheckCredentialsResponse) *contract.CheckCredentialsResult {
	if r == nil {
		return nil
	}
	converted := &contract.CheckCredentialsResult{
		Account: r.GetAccount(), Principal: r.GetPrincipal(), ExpiresAt: timeFrom(r.GetExpiresAt()),
		Diagnostics: values(r.GetDiagnostics(), DiagnosticFrom), Fingerprints: map[string]string{},
	}
	for _, fingerprint := range r.GetFingerprints() {
		converted.Fingerprints[fingerprint.GetRef()] = fingerprint.GetValue()
	}
	return converted
}

// ValidateResponseTo converts the judgements, in order.
func ValidateResponseTo(judged [][]contract.Diagnostic) *pb.ValidateResponse {
	converted := &pb.ValidateResponse{Items: make([]*pb.ItemDiagnostics, len(judged))}
	for i, diagnostics := range judged {
		converted.Items[i] = &pb.ItemDiagnostics{Diagnostics: list(diagnostics, DiagnosticTo)}
	}
	return converted
}

// ValidateResponseFrom converts back.
func ValidateResponseFrom(r *pb.ValidateResponse) [][]contract.Diagnostic {
	judged := make([][]contract.Diagnostic, len(r.GetItems()))
	for i, item := range r.GetItems() {
		judged[i] = values(item.GetDiagnostics(), DiagnosticFrom)
	}
	return judged
}

// EventTo converts one event of Execute.
func EventTo(e *contract.Event) *pb.ExecuteEvent {
	switch {
	case e == nil:
		return nil
	case e.Progress != nil:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Progress{Progress: ProgressTo(e.Progress)}}
	case e.Log != nil:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: LogTo(e.Log)}}
	case e.Identity != nil:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Identity{Identity: IdentityTo(e.Identity)}}
	case e.Throttle != nil:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Throttle{Throttle: ThrottleTo(e.Throttle)}}
	}
	return &pb.ExecuteEvent{}
}

// EventFrom converts back: the event, or the result, or neither for what a later version sends.
func EventFrom(e *pb.ExecuteEvent) (contract.Event, *contract.Result) {
	switch event := e.GetEvent().(type) {
	case *pb.ExecuteEvent_Progress:
		return contract.Event{Progress: ProgressFrom(event.Progress)}, nil
	case *pb.ExecuteEvent_Log:
		return contract.Event{Log: LogFrom(event.Log)}, nil
	case *pb.ExecuteEvent_Identity:
		return contract.Event{Identity: IdentityFrom(event.Identity)}, nil
	case *pb.ExecuteEvent_Throttle:
		return contract.Event{Throttle: ThrottleFrom(event.Throttle)}, nil
	case *pb.ExecuteEvent_Result:
		return contract.Event{}, ResultFrom(event.Result)
	}
	return contract.Event{}, nil
}

// ResultEventTo is the last event of Execute.
func ResultEventTo(r *contract.Result) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: ResultTo(r)}}
}

// ProgressTo converts progress.
func ProgressTo(p *contract.Progress) *pb.Progress {
	if p == nil {
		return nil
	}
	return &pb.Progress{Fraction: p.Fraction, Message: p.Message}
}

// ProgressFrom converts back.
func ProgressFrom(p *pb.Progress) *contract.Progress {
	if p == nil {
		return nil
	}
	return &contract.Progress{Fraction: p.GetFraction(), Message: p.GetMessage()}
}

// LogTo converts a line.
func LogTo(l *contract.Log) *pb.Log {
	if l == nil {
		return nil
	}
	return &pb.Log{Level: l.Level, Message: l.Message}
}

// LogFrom converts back.
func LogFrom(l *pb.Log) *contract.Log {
	if l == nil {
		return nil
	}
	return &contract.Log{Level: l.GetLevel(), Message: l.GetMessage()}
}

// IdentityTo converts an announced identity.
func IdentityTo(i *contract.Identity) *pb.Identity {
	if i == nil {
		return nil
	}
	return &pb.Identity{Id: i.ID}
}

// IdentityFrom converts back.
func IdentityFrom(i *pb.Identity) *contract.Identity {
	if i == nil {
		return nil
	}
	return &contract.Identity{ID: i.GetId()}
}

// ThrottleTo converts a request for a pause.
func ThrottleTo(t *contract.Throttle) *pb.Throttle {
	if t == nil {
		return nil
	}
	return &pb.Throttle{RetryAfter: durationTo(t.RetryAfter), Summary: t.Summary}
}

// ThrottleFrom converts back.
func ThrottleFrom(t *pb.Throttle) *contract.Throttle {
	if t == nil {
		return nil
	}
	return &contract.Throttle{RetryAfter: durationFrom(t.GetRetryAfter()), Summary: t.GetSummary()}
}

// ResultTo converts how Execute ended.
func ResultTo(r *contract.Result) *pb.Result {
	if r == nil {
		return nil
	}
	return &pb.Result{
		Outcome: outcomes.to(r.Outcome), Change: changes.to(r.Change), Identity: r.Identity, OutputsJson: r.Outputs,
		SealedOutputs: list(r.SealedOutputs, SealedOutputTo), LabelsApplied: r.LabelsApplied,
		VendorRequestId: r.VendorRequestID, Diagnostics: list(r.Diagnostics, DiagnosticTo),
	}
}

// ResultFrom converts back. An outcome that was left out is unknown.
func ResultFrom(r *pb.Result) *contract.Result {
	if r == nil {
		return nil
	}
	converted := &contract.Result{
		Outcome: outcomes.from(r.GetOutcome()), Change: changes.from(r.GetChange()), Identity: r.GetIdentity(),
		Outputs: documentFrom(r.GetOutputsJson()), SealedOutputs: values(r.GetSealedOutputs(), SealedOutputFrom),
		LabelsApplied: r.GetLabelsApplied(), VendorRequestID: r.GetVendorRequestId(),
		Diagnostics: values(r.GetDiagnostics(), DiagnosticFrom),
	}
	if converted.Outcome == contract.OutcomeNone {
		converted.Outcome = contract.OutcomeUnknown
	}
	return converted
}

// SealedOutputTo converts a sealed output.
func SealedOutputTo(s *contract.SealedOutput) *pb.SealedOutput {
	if s == nil {
		return nil
	}
	return &pb.SealedOutput{Output: s.Output, Provider: s.Provider, KeyId: s.KeyID, Box: s.Box}
}

// SealedOutputFrom converts back.
func SealedOutputFrom(s *pb.SealedOutput) *contract.SealedOutput {
	if s == nil {
		return nil
	}
	return &contract.SealedOutput{Output: s.GetOutput(), Provider: s.GetProvider(), KeyID: s.GetKeyId(), Box: s.GetBox()}
}

// VerifyResultTo converts an answer.
func VerifyResultTo(r *contract.VerifyResult) *pb.VerifyResponse {
	if r == nil {
		return nil
	}
	return &pb.VerifyResponse{Checks: list(r.Checks, CheckTo), Diagnostics: list(r.Diagnostics, DiagnosticTo)}
}

// VerifyResultFrom converts back.
func VerifyResultFrom(r *pb.VerifyResponse) *contract.VerifyResult {
	if r == nil {
		return nil
	}
	return &contract.VerifyResult{
		Checks: values(r.GetChecks(), CheckFrom), Diagnostics: values(r.GetDiagnostics(), DiagnosticFrom),
	}
}

// CheckTo converts a check.
func CheckTo(c *contract.Check) *pb.Check {
	if c == nil {
		return nil
	}
	return &pb.Check{
		Name: c.Name, Status: checkStatuses.to(c.Status), Expected: c.Expected, Actual: c.Actual, Message: c.Message,
	}
}

// CheckFrom converts back. A status that was left out is unknown.
func CheckFrom(c *pb.Check) *contract.Check {
	if c == nil {
		return nil
	}
	converted := &contract.Check{
		Name: c.GetName(), Status: checkStatuses.from(c.GetStatus()), Expected: c.GetExpected(), Actual: c.GetActual(),
		Message: c.GetMessage(),
	}
	if converted.Status == "" {
		converted.Status = contract.CheckUnknown
	}
	return converted
}

// FoundTo converts a found thing.
func FoundTo(f *contract.Found) *pb.Found {
	if f == nil {
		return nil
	}
	return &pb.Found{
		Identity: f.Identity, Name: f.Name, Labels: f.Labels, OutputsJson: f.Outputs, Ready: f.Ready,
		Ownership: ownerships.to(f.Ownership),
	}
}

// FoundFrom converts back.
func FoundFrom(f *pb.Found) *contract.Found {
	if f == nil {
		return nil
	}
	return &contract.Found{
		Identity: f.GetIdentity(), Name: f.GetName(), Labels: f.GetLabels(), Outputs: documentFrom(f.GetOutputsJson()),
		Ready: f.GetReady(), Ownership: ownerships.from(f.GetOwnership()),
	}
}

// FoundEventTo is one match of Find.
func FoundEventTo(f *contract.Found) *pb.FindEvent {
	return &pb.FindEvent{Event: &pb.FindEvent_Found{Found: FoundTo(f)}}
}

// FindEndEventTo is the last event of Find.
func FindEndEventTo(e *contract.FindEnd) *pb.FindEvent {
	return &pb.FindEvent{Event: &pb.FindEvent_End{End: FindEndTo(e)}}
}

// FindEndTo converts how complete a search was.
func FindEndTo(e *contract.FindEnd) *pb.FindEnd {
	if e == nil {
		return nil
	}
	return &pb.FindEnd{
		Completeness: completenesses.to(e.Completeness), RetryAfter: durationTo(e.RetryAfter),
		Diagnostics: list(e.Diagnostics, DiagnosticTo),
	}
}

// FindEndFrom converts back. What does not say that it is complete is not.
func FindEndFrom(e *pb.FindEnd) *contract.FindEnd {
	if e == nil {
		return nil
	}
	converted := &contract.FindEnd{
		Completeness: completenesses.from(e.GetCompleteness()), RetryAfter: durationFrom(e.GetRetryAfter()),
		Diagnostics: values(e.GetDiagnostics(), DiagnosticFrom),
	}
	if converted.Completeness == "" {
		converted.Completeness = contract.Inconclusive
	}
	return converted
}

// DiagnosticTo converts a diagnostic.
func DiagnosticTo(d *contract.Diagnostic) *pb.Diagnostic {
	if d == nil {
		return nil
	}
	return &pb.Diagnostic{
		Severity: severities.to(d.Severity), Kind: kinds.to(d.Kind), Summary: d.Summary, Detail: d.Detail, Pointer: d.Pointer,
		Retry: retryClasses.to(d.Retry), RetryAfter: durationTo(d.RetryAfter), VendorCode: d.VendorCode,
		VendorRequestId: d.VendorRequestID,
	}
}

// DiagnosticFrom converts back. A kind that was left out or is of a later version is provider_fault.
func DiagnosticFrom(d *pb.Diagnostic) *contract.Diagnostic {
	if d == nil {
		return nil
	}
	converted := &contract.Diagnostic{
		Severity: severities.from(d.GetSeverity()), Kind: kinds.from(d.GetKind()), Summary: d.GetSummary(),
		Detail: d.GetDetail(), Pointer: d.GetPointer(), Retry: retryClasses.from(d.GetRetry()),
		RetryAfter: durationFrom(d.GetRetryAfter()), VendorCode: d.GetVendorCode(), VendorRequestID: d.GetVendorRequestId(),
	}
	if converted.Kind == "" {
		converted.Kind = contract.KindProviderFault
	}
	return converted
}
