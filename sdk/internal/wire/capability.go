package wire

import (
	pb "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/proto/mgraph/deploy/provider/v1"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// PlanRequestTo converts a request.
func PlanRequestTo(r *contract.PlanRequest) *pb.PlanRequest {
	if r == nil {
		return nil
	}
	return &pb.PlanRequest{Context: CallContextTo(&r.Context), Target: TargetTo(&r.Target), Verb: verbs.to(r.Verb)}
}

// PlanRequestFrom converts back.
func PlanRequestFrom(r *pb.PlanRequest) *contract.PlanRequest {
	if r == nil {
		return nil
	}
	return &contract.PlanRequest{
		Context: contextFrom(r.GetContext()), Target: targetFrom(r.GetTarget()), Verb: verbs.from(r.GetVerb()),
	}
}

// PlanResultTo converts an answer.
func PlanResultTo(r *contract.PlanResult) *pb.PlanResponse {
	if r == nil {
		return nil
	}
	return &pb.PlanResponse{
		Action: plannedActions.to(r.Action), Changes: list(r.Changes, PropertyChangeTo), Permissions: r.Permissions,
		RollbackRecord: RollbackRecordTo(r.Record), Prepared: r.Prepared, Diagnostics: list(r.Diagnostics, DiagnosticTo),
	}
}

// PlanResultFrom converts back. An action that was left out is a conflict: nobody may count on it.
func PlanResultFrom(r *pb.PlanResponse) *contract.PlanResult {
	if r == nil {
		return nil
	}
	converted := &contract.PlanResult{
		Action: plannedActions.from(r.GetAction()), Changes: values(r.GetChanges(), PropertyChangeFrom),
		Permissions: r.GetPermissions(), Record: RollbackRecordFrom(r.GetRollbackRecord()), Prepared: r.GetPrepared(),
		Diagnostics: values(r.GetDiagnostics(), DiagnosticFrom),
	}
	if converted.Action == "" {
		converted.Action = contract.ActionConflict
	}
	return converted
}

// PropertyChangeTo converts one property that would change.
func PropertyChangeTo(c *contract.PropertyChange) *pb.PropertyChange {
	if c == nil {
		return nil
	}
	return &pb.PropertyChange{Pointer: c.Pointer, BeforeJson: c.Before, AfterJson: c.After, Sensitive: c.Sensitive}
}

// PropertyChangeFrom converts back.
func PropertyChangeFrom(c *pb.PropertyChange) *contract.PropertyChange {
	if c == nil {
		return nil
	}
	return &contract.PropertyChange{
		Pointer: c.GetPointer(), Before: documentFrom(c.GetBeforeJson()), After: documentFrom(c.GetAfterJson()),
		Sensitive: c.GetSensitive(),
	}
}

// RollbackRecordTo converts a record.
func RollbackRecordTo(r *contract.RollbackRecord) *pb.RollbackRecord {
	if r == nil {
		return nil
	}
	return &pb.RollbackRecord{Format: r.Format, Data: r.Data}
}

// RollbackRecordFrom converts back.
func RollbackRecordFrom(r *pb.RollbackRecord) *contract.RollbackRecord {
	if r == nil {
		return nil
	}
	return &contract.RollbackRecord{Format: r.GetFormat(), Data: r.GetData()}
}

// ExpandRequestTo converts a request.
func ExpandRequestTo(r *contract.ExpandRequest) *pb.ExpandRequest {
	if r == nil {
		return nil
	}
	return &pb.ExpandRequest{Type: r.Type, PropertiesJson: r.Properties, Roles: r.Roles}
}

// ExpandRequestFrom converts back.
func ExpandRequestFrom(r *pb.ExpandRequest) *contract.ExpandRequest {
	if r == nil {
		return nil
	}
	return &contract.ExpandRequest{Type: r.GetType(), Properties: documentFrom(r.GetPropertiesJson()), Roles: r.GetRoles()}
}

// ExpandResultTo converts an answer.
func ExpandResultTo(r *contract.ExpandResult) *pb.ExpandResponse {
	if r == nil {
		return nil
	}
	return &pb.ExpandResponse{
		Nodes: list(r.Nodes, ExpandedNodeTo), Edges: list(r.Edges, ExpandedEdgeTo), Outputs: r.Outputs,
		Diagnostics: list(r.Diagnostics, DiagnosticTo),
	}
}

// ExpandResultFrom converts back.
func ExpandResultFrom(r *pb.ExpandResponse) *contract.ExpandResult {
	if r == nil {
		return nil
	}
	return &contract.ExpandResult{
		Nodes: values(r.GetNodes(), ExpandedNodeFrom), Edges: values(r.GetEdges(), ExpandedEdgeFrom), Outputs: r.GetOutputs(),
		Diagnostics: values(r.GetDiagnostics(), DiagnosticFrom),
	}
}

// ExpandedNodeTo converts a child of a composite.
func ExpandedNodeTo(n *contract.ExpandedNode) *pb.ExpandedNode {
	if n == nil {
		return nil
	}
	return &pb.ExpandedNode{
		LocalName: n.LocalName, Type: n.Type, PropertiesJson: n.Properties, References: n.References,
		SealedProperties: n.SealedProperties,
	}
}

// ExpandedNodeFrom converts back.
func ExpandedNodeFrom(n *pb.ExpandedNode) *contract.ExpandedNode {
	if n == nil {
		return nil
	}
	return &contract.ExpandedNode{
		LocalName: n.GetLocalName(), Type: n.GetType(), Properties: documentFrom(n.GetPropertiesJson()),
		References: n.GetReferences(), SealedProperties: n.GetSealedProperties(),
	}
}

// ExpandedEdgeTo converts an edge between children.
func ExpandedEdgeTo(e *contract.ExpandedEdge) *pb.ExpandedEdge {
	if e == nil {
		return nil
	}
	return &pb.ExpandedEdge{From: e.From, To: e.To}
}

// ExpandedEdgeFrom converts back.
func ExpandedEdgeFrom(e *pb.ExpandedEdge) *contract.ExpandedEdge {
	if e == nil {
		return nil
	}
	return &contract.ExpandedEdge{From: e.GetFrom(), To: e.GetTo()}
}

// RollbackRequestTo converts a request.
func RollbackRequestTo(r *contract.RollbackRequest) *pb.RollbackRequest {
	if r == nil {
		return nil
	}
	return &pb.RollbackRequest{Context: CallContextTo(&r.Context), Target: TargetTo(&r.Target), Record: RollbackRecordTo(&r.Record)}
}

// RollbackRequestFrom converts back.
func RollbackRequestFrom(r *pb.RollbackRequest) *contract.RollbackRequest {
	if r == nil {
		return nil
	}
	converted := &contract.RollbackRequest{Context: contextFrom(r.GetContext()), Target: targetFrom(r.GetTarget())}
	if record := RollbackRecordFrom(r.GetRecord()); record != nil {
		converted.Record = *record
	}
	return converted
}
