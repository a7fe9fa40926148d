package wire

import (
	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// CallContextTo converts what every call that touches the outside carries.
func CallContextTo(c *contract.CallContext) *pb.CallContext {
	if c == nil {
		return nil
	}
	return &pb.CallContext{
		CallId: c.CallID, IdempotencyKey: c.IdempotencyKey, Attempt: int32(c.Attempt), WriteBy: timeTo(c.WriteBy),
		Account: c.Account, Region: c.Region, SettingsJson: c.Settings, CredentialsJson: c.Credentials, Tenant: c.Tenant,
		DeploymentId: c.DeploymentID, Owner: c.Owner, Traceparent: c.Traceparent, AllowPlainBoxes: c.AllowPlainBoxes,
	}
}

// CallContextFrom converts back.
func CallContextFrom(c *pb.CallContext) *contract.CallContext {
	if c == nil {
		return nil
	}
	return &contract.CallContext{
		CallID: c.GetCallId(), IdempotencyKey: c.GetIdempotencyKey(), Attempt: int(c.GetAttempt()),
		WriteBy: timeFrom(c.GetWriteBy()), Account: c.GetAccount(), Region: c.GetRegion(),
		Settings: documentFrom(c.GetSettingsJson()), Credentials: documentFrom(c.GetCredentialsJson()), Tenant: c.GetTenant(),
		DeploymentID: c.GetDeploymentId(), Owner: c.GetOwner(), Traceparent: c.GetTraceparent(),
		AllowPlainBoxes: c.GetAllowPlainBoxes(),
	}
}

// contextFrom is CallContextFrom for a field: what was left out is the zero value.
func contextFrom(c *pb.CallContext) contract.CallContext {
	if converted := CallContextFrom(c); converted != nil {
		return *converted
	}
	return contract.CallContext{}
}

// TargetTo converts the thing that a call is about.
func TargetTo(t *contract.Target) *pb.Target {
	if t == nil {
		return nil
	}
	return &pb.Target{
		Type: t.Type, Name: t.Name, PropertiesJson: t.Properties, Labels: t.Labels, Tags: t.Tags, Identity: t.Identity,
		References: documentsTo(t.References), Adopt: t.Adopt, Owned: t.Owned, RecordedOutputsJson: t.RecordedOutputs,
		SealedPurposes: t.SealedPurposes,
	}
}

// TargetFrom converts back.
func TargetFrom(t *pb.Target) *contract.Target {
	if t == nil {
		return nil
	}
	return &contract.Target{
		Type: t.GetType(), Name: t.GetName(), Properties: documentFrom(t.GetPropertiesJson()), Labels: t.GetLabels(),
		Tags: t.GetTags(), Identity: t.GetIdentity(), References: documentsFrom(t.GetReferences()), Adopt: t.GetAdopt(),
		Owned: t.GetOwned(), RecordedOutputs: documentFrom(t.GetRecordedOutputsJson()),
		SealedPurposes: t.GetSealedPurposes(),
	}
}

// targetFrom is TargetFrom for a field.
func targetFrom(t *pb.Target) contract.Target {
	if converted := TargetFrom(t); converted != nil {
		return *converted
	}
	return contract.Target{}
}

// CheckCredentialsRequestTo converts a request.
func CheckCredentialsRequestTo(r *contract.CheckCredentialsRequest) *pb.CheckCredentialsRequest {
	if r == nil {
		return nil
	}
	return &pb.CheckCredentialsRequest{
		Context: CallContextTo(&r.Context), SealedValues: list(r.SealedValues, SealedValueTo), Identify: r.Identify,
	}
}

// CheckCredentialsRequestFrom converts back.
func CheckCredentialsRequestFrom(r *pb.CheckCredentialsRequest) *contract.CheckCredentialsRequest {
	if r == nil {
		return nil
	}
	return &contract.CheckCredentialsRequest{
		Context: contextFrom(r.GetContext()), SealedValues: values(r.GetSealedValues(), SealedValueFrom), Identify: r.GetIdentify(),
	}
}

// SealedValueTo converts a sealed property.
func SealedValueTo(s *contract.SealedValue) *pb.SealedValue {
	if s == nil {
		return nil
	}
	return &pb.SealedValue{Type: s.Type, Pointer: s.Pointer, Box: s.Box, Ref: s.Ref}
}

// SealedValueFrom converts back.
func SealedValueFrom(s *pb.SealedValue) *contract.SealedValue {
	if s == nil {
		return nil
	}
	return &contract.SealedValue{Type: s.GetType(), Pointer: s.GetPointer(), Box: s.GetBox(), Ref: s.GetRef()}
}

// ValidateRequestTo converts items to judge.
func ValidateRequestTo(items []contract.ValidateItem) *pb.ValidateRequest {
	return &pb.ValidateRequest{Items: list(items, ValidateItemTo)}
}

// ValidateRequestFrom converts back.
func ValidateRequestFrom(r *pb.ValidateRequest) []contract.ValidateItem {
	return values(r.GetItems(), ValidateItemFrom)
}

// ValidateItemTo converts one item.
func ValidateItemTo(i *contract.ValidateItem) *pb.ValidateItem {
	if i == nil {
		return nil
	}
	return &pb.ValidateItem{Type: i.Type, Verb: verbs.to(i.Verb), PropertiesJson: i.Properties, Roles: i.Roles}
}

// ValidateItemFrom converts back.
func ValidateItemFrom(i *pb.ValidateItem) *contract.ValidateItem {
	if i == nil {
		return nil
	}
	return &contract.ValidateItem{
		Type: i.GetType(), Verb: verbs.from(i.GetVerb()), Properties: documentFrom(i.GetPropertiesJson()), Roles: i.GetRoles(),
	}
}

// ExecuteRequestTo converts a request.
func ExecuteRequestTo(r *contract.ExecuteRequest) *pb.ExecuteRequest {
	if r == nil {
		return nil
	}
	return &pb.ExecuteRequest{
		Context: CallContextTo(&r.Context), Target: TargetTo(&r.Target), Verb: verbs.to(r.Verb), Existing: FoundTo(r.Existing),
		PriorOutcome: outcomes.to(r.PriorOutcome), Consumers: list(r.Consumers, ConsumerTo), Prepared: r.Prepared,
		KeepContents: r.KeepContents,
	}
}

// ExecuteRequestFrom converts back.
func ExecuteRequestFrom(r *pb.ExecuteRequest) *contract.ExecuteRequest {
	if r == nil {
		return nil
	}
	return &contract.ExecuteRequest{
		Context: contextFrom(r.GetContext()), Target: targetFrom(r.GetTarget()), Verb: verbs.from(r.GetVerb()),
		Existing: FoundFrom(r.GetExisting()), PriorOutcome: outcomes.from(r.GetPriorOutcome()),
		Consumers: values(r.GetConsumers(), ConsumerFrom), Prepared: r.GetPrepared(), KeepContents: r.GetKeepContents(),
	}
}

// ConsumerTo converts a consumer of sensitive outputs.
func ConsumerTo(c *contract.Consumer) *pb.Consumer {
	if c == nil {
		return nil
	}
	return &pb.Consumer{Provider: c.Provider, Key: PublicKeyTo(&c.Key), Outputs: c.Outputs, Purpose: c.Purpose}
}

// ConsumerFrom converts back.
func ConsumerFrom(c *pb.Consumer) *contract.Consumer {
	if c == nil {
		return nil
	}
	converted := &contract.Consumer{Provider: c.GetProvider(), Outputs: c.GetOutputs(), Purpose: c.GetPurpose()}
	if key := PublicKeyFrom(c.GetKey()); key != nil {
		converted.Key = *key
	}
	return converted
}

// VerifyRequestTo converts a request.
func VerifyRequestTo(r *contract.VerifyRequest) *pb.VerifyRequest {
	if r == nil {
		return nil
	}
	return &pb.VerifyRequest{Context: CallContextTo(&r.Context), Target: TargetTo(&r.Target)}
}

// VerifyRequestFrom converts back.
func VerifyRequestFrom(r *pb.VerifyRequest) *contract.VerifyRequest {
	if r == nil {
		return nil
	}
	return &contract.VerifyRequest{Context: contextFrom(r.GetContext()), Target: targetFrom(r.GetTarget())}
}

// FindRequestTo converts a request.
func FindRequestTo(r *contract.FindRequest) *pb.FindRequest {
	if r == nil {
		return nil
	}
	return &pb.FindRequest{Context: CallContextTo(&r.Context), Target: TargetTo(&r.Target)}
}

// FindRequestFrom converts back.
func FindRequestFrom(r *pb.FindRequest) *contract.FindRequest {
	if r == nil {
		return nil
	}
	return &contract.FindRequest{Context: contextFrom(r.GetContext()), Target: targetFrom(r.GetTarget())}
}
