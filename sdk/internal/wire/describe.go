package wire

import (
	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// DescriptionTo converts what a provider says of itself.
func DescriptionTo(d *contract.Description) *pb.DescribeResponse {
	if d == nil {
		return nil
	}
	converted := &pb.DescribeResponse{
		Name: d.Name, Version: d.Version, ResourceTypes: list(d.ResourceTypes, ResourceTypeTo),
		RateLimit: RateLimitTo(&d.RateLimit), CredentialsSchemaJson: d.CredentialsSchema,
		SettingsSchemaJson: d.SettingsSchema, ReadsRecordsOf: d.ReadsRecordsOf, RegionField: d.RegionField,
	}
	for _, capability := range d.Capabilities {
		converted.Capabilities = append(converted.Capabilities, capabilities.to(capability))
	}
	return converted
}

// DescriptionFrom converts back. Capabilities of a later version are left out.
func DescriptionFrom(d *pb.DescribeResponse) *contract.Description {
	if d == nil {
		return nil
	}
	converted := &contract.Description{
		Name: d.GetName(), Version: d.GetVersion(), ResourceTypes: values(d.GetResourceTypes(), ResourceTypeFrom),
		CredentialsSchema: documentFrom(d.GetCredentialsSchemaJson()), SettingsSchema: documentFrom(d.GetSettingsSchemaJson()),
		ReadsRecordsOf: d.GetReadsRecordsOf(), RegionField: d.GetRegionField(),
	}
	if limit := RateLimitFrom(d.GetRateLimit()); limit != nil {
		converted.RateLimit = *limit
	}
	for _, capability := range d.GetCapabilities() {
		if known := capabilities.from(capability); known != "" {
			converted.Capabilities = append(converted.Capabilities, known)
		}
	}
	return converted
}

// RateLimitTo converts a rate limit.
func RateLimitTo(l *contract.RateLimit) *pb.RateLimit {
	if l == nil {
		return nil
	}
	return &pb.RateLimit{MaxConcurrent: int32(l.MaxConcurrent), PerSecond: l.PerSecond, Burst: int32(l.Burst)}
}

// RateLimitFrom converts back.
func RateLimitFrom(l *pb.RateLimit) *contract.RateLimit {
	if l == nil {
		return nil
	}
	return &contract.RateLimit{MaxConcurrent: int(l.GetMaxConcurrent()), PerSecond: l.GetPerSecond(), Burst: int(l.GetBurst())}
}

// ResourceTypeTo converts a resource type.
func ResourceTypeTo(t *contract.ResourceType) *pb.ResourceType {
	if t == nil {
		return nil
	}
	return &pb.ResourceType{
		Name: t.Name, Summary: t.Summary, SchemaJson: t.Schema, Sensitive: t.Sensitive, Identifying: t.Identifying,
		References: list(t.References, ReferenceRoleTo), Outputs: list(t.Outputs, OutputFieldTo), SelfOutput: t.SelfOutput,
		Placement: placements.to(t.Placement), Verbs: list(t.Verbs, VerbSupportTo),
		Discovery: discoveries.to(t.Discovery), LabelLimits: LabelLimitsTo(&t.LabelLimits), Naming: NamingTo(&t.Naming),
		SettleTime: durationTo(t.SettleTime), Composite: t.Composite, Validates: t.Validates,
		Plans: t.Plans, Rollbacks: t.Rollbacks,
	}
}

// ResourceTypeFrom converts back.
func ResourceTypeFrom(t *pb.ResourceType) *contract.ResourceType {
	if t == nil {
		return nil
	}
	converted := &contract.ResourceType{
		Name: t.GetName(), Summary: t.GetSummary(), Schema: documentFrom(t.GetSchemaJson()), Sensitive: t.GetSensitive(),
		Identifying: t.GetIdentifying(), References: values(t.GetReferences(), ReferenceRoleFrom),
		Outputs: values(t.GetOutputs(), OutputFieldFrom), SelfOutput: t.GetSelfOutput(),
		Placement: placements.from(t.GetPlacement()), Verbs: values(t.GetVerbs(), VerbSupportFrom),
		Discovery: discoveries.from(t.GetDiscovery()), SettleTime: durationFrom(t.GetSettleTime()),
		Composite: t.GetComposite(), Validates: t.GetValidates(), Plans: t.GetPlans(), Rollbacks: t.GetRollbacks(),
	}
	if limits := LabelLimitsFrom(t.GetLabelLimits()); limits != nil {
		converted.LabelLimits = *limits
	}
	if naming := NamingFrom(t.GetNaming()); naming != nil {
		converted.Naming = *naming
	}
	return converted
}

// VerbSupportTo converts one offered verb.
func VerbSupportTo(v *contract.VerbSupport) *pb.VerbSupport {
	if v == nil {
		return nil
	}
	return &pb.VerbSupport{
		Verb: verbs.to(v.Verb), RepeatSafety: repeatSafeties.to(v.RepeatSafety), TypicalDuration: durationTo(v.TypicalDuration),
	}
}

// VerbSupportFrom converts back. A verb of a later version is left out.
func VerbSupportFrom(v *pb.VerbSupport) *contract.VerbSupport {
	if v == nil || verbs.from(v.GetVerb()) == "" {
		return nil
	}
	return &contract.VerbSupport{
		Verb: verbs.from(v.GetVerb()), RepeatSafety: repeatSafeties.from(v.GetRepeatSafety()),
		TypicalDuration: durationFrom(v.GetTypicalDuration()),
	}
}

// ReferenceRoleTo converts a reference role.
func ReferenceRoleTo(r *contract.ReferenceRole) *pb.ReferenceRole {
	if r == nil {
		return nil
	}
	return &pb.ReferenceRole{
		Role: r.Role, Property: r.Property, Summary: r.Summary, Types: r.Types, ReferenceOnly: r.ReferenceOnly,
	}
}

// ReferenceRoleFrom converts back.
func ReferenceRoleFrom(r *pb.ReferenceRole) *contract.ReferenceRole {
	if r == nil {
		return nil
	}
	return &contract.ReferenceRole{
		Role: r.GetRole(), Property: r.GetProperty(), Summary: r.GetSummary(), Types: r.GetTypes(),
		ReferenceOnly: r.GetReferenceOnly(),
	}
}

// OutputFieldTo converts an output's declaration.
func OutputFieldTo(o *contract.OutputField) *pb.OutputField {
	if o == nil {
		return nil
	}
	return &pb.OutputField{Name: o.Name, Summary: o.Summary, Sensitive: o.Sensitive, Once: o.Once}
}

// OutputFieldFrom converts back.
func OutputFieldFrom(o *pb.OutputField) *contract.OutputField {
	if o == nil {
		return nil
	}
	return &contract.OutputField{
		Name: o.GetName(), Summary: o.GetSummary(), Sensitive: o.GetSensitive(), Once: o.GetOnce(),
	}
}

// LabelLimitsTo converts limits on labels.
func LabelLimitsTo(l *contract.LabelLimits) *pb.LabelLimits {
	if l == nil {
		return nil
	}
	return &pb.LabelLimits{
		MaxCount: int32(l.MaxCount), MaxKeyLength: int32(l.MaxKeyLength), MaxValueLength: int32(l.MaxValueLength),
		Pattern: l.Pattern,
	}
}

// LabelLimitsFrom converts back.
func LabelLimitsFrom(l *pb.LabelLimits) *contract.LabelLimits {
	if l == nil {
		return nil
	}
	return &contract.LabelLimits{
		MaxCount: int(l.GetMaxCount()), MaxKeyLength: int(l.GetMaxKeyLength()), MaxValueLength: int(l.GetMaxValueLength()),
		Pattern: l.GetPattern(),
	}
}

// NamingTo converts how names are made.
func NamingTo(n *contract.Naming) *pb.Naming {
	if n == nil {
		return nil
	}
	return &pb.Naming{
		Property: n.Property, Separator: n.Separator, Suffix: nameSuffixes.to(n.Suffix), Case: nameCases.to(n.Case),
		MaxLength: int32(n.MaxLength), Pattern: n.Pattern,
	}
}

// NamingFrom converts back.
func NamingFrom(n *pb.Naming) *contract.Naming {
	if n == nil {
		return nil
	}
	return &contract.Naming{
		Property: n.GetProperty(), Separator: n.GetSeparator(), Suffix: nameSuffixes.from(n.GetSuffix()),
		Case: nameCases.from(n.GetCase()), MaxLength: int(n.GetMaxLength()), Pattern: n.GetPattern(),
	}
}

// PublicKeysTo converts a list of keys.
func PublicKeysTo(keys []contract.PublicKey) *pb.PublicKeysResponse {
	return &pb.PublicKeysResponse{Keys: list(keys, PublicKeyTo)}
}

// PublicKeysFrom converts back.
func PublicKeysFrom(r *pb.PublicKeysResponse) []contract.PublicKey {
	return values(r.GetKeys(), PublicKeyFrom)
}

// PublicKeyTo converts a key.
func PublicKeyTo(k *contract.PublicKey) *pb.PublicKey {
	if k == nil {
		return nil
	}
	return &pb.PublicKey{Id: k.ID, Algorithm: k.Algorithm, Key: k.Key, NotAfter: timeTo(k.NotAfter), Primary: k.Primary}
}

// PublicKeyFrom converts back.
func PublicKeyFrom(k *pb.PublicKey) *contract.PublicKey {
	if k == nil {
		return nil
	}
	return &contract.PublicKey{
		ID: k.GetId(), Algorithm: k.GetAlgorithm(), Key: k.GetKey(), NotAfter: timeFrom(k.GetNotAfter()),
		Primary: k.GetPrimary(),
	}
}
