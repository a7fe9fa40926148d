package provider

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Plan is not had by any type yet.
func (p *Provider) Plan(context.Context, *contract.PlanRequest) (*contract.PlanResult, error) {
	return nil, lacking(contract.CapabilityPlan)
}

// Expand is not had by any type yet.
func (p *Provider) Expand(context.Context, *contract.ExpandRequest) (*contract.ExpandResult, error) {
	return nil, lacking(contract.CapabilityExpand)
}

// Rollback is not had by any type yet.
func (p *Provider) Rollback(context.Context, *contract.RollbackRequest, func(contract.Event)) (*contract.Result, error) {
	return nil, lacking(contract.CapabilityRollback)
}

// lacking refuses a call that nothing here serves.
func lacking(capability contract.Capability) error {
	return Errorf(Unsupported, "this provider does not have the capability %s", capability)
}
