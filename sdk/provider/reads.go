package provider

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Names of the checks that every type has.
const (
	checkExists = "exists"
	checkLabels = "labels"
)

// verify finds the thing and compares it with the target.
func (t *typed[C, P]) verify(
	ctx context.Context, c *call, request *contract.VerifyRequest,
) (*contract.VerifyResult, error) {
	properties, err := t.properties(&request.Target)
	if err != nil {
		return nil, c.fail(err)
	}
	lease, err := t.clients.acquire(ctx, c)
	if err != nil {
		return nil, c.fail(err)
	}
	defer t.clients.release(lease)
	all, lagging, err := t.search(ctx, c, lease.value, t.query(c, &request.Target, properties))
	if err != nil {
		return nil, c.fail(err)
	}
	if len(all) != 1 {
		return &contract.VerifyResult{Checks: []Check{existence(all, lagging)}}, nil
	}
	op := t.operation(c, &request.Target, contract.VerbVerify, properties)
	op.Existing = &all[0]
	checks, err := guarded(c, func() ([]Check, error) { return t.author.Verify(ctx, lease.value, op) })
	if err != nil {
		return nil, c.fail(err)
	}
	return &contract.VerifyResult{Checks: append(t.identityChecks(&all[0], &request.Target), checks...)}, nil
}

// existence is the check of something that is not exactly there.
func existence(all []Found, lagging *inconclusive) Check {
	switch {
	case len(all) > 1:
		return Check{
			Name: checkExists, Status: contract.CheckFail, Expected: "one", Actual: "several", Message: ambiguous(all).Error(),
		}
	case lagging != nil:
		return Unanswered(checkExists, "the reads used may lag behind")
	default:
		return Check{Name: checkExists, Status: contract.CheckFail, Expected: "one", Actual: "none"}
	}
}

// identityChecks are those of something that is there.
func (t *typed[C, P]) identityChecks(found *Found, target *contract.Target) []Check {
	checks := []Check{{Name: checkExists, Status: contract.CheckPass, Expected: "one", Actual: "one"}}
	if !t.labelled {
		return checks
	}
	expected, actual := identifying(target.Labels, target.Labels), identifying(found.Labels, target.Labels)
	return append(checks, Equal(checkLabels, expected, actual))
}

// identifying writes the labels that say which thing it is, those that are wanted.
func identifying(labels, wanted map[string]string) string {
	var parts []string
	for _, key := range []string{
		contract.LabelOwner, contract.LabelDeployID, contract.LabelResourceID, contract.LabelNodeID,
	} {
		if wanted[key] != "" {
			parts = append(parts, key+"="+labels[key])
		}
	}
	return strings.Join(parts, " ")
}

// find reports what exists.
func (t *typed[C, P]) find(
	ctx context.Context, c *call, target *contract.Target, found func(contract.Found),
) (*contract.FindEnd, error) {
	properties, err := t.properties(target)
	if err != nil {
		return nil, c.fail(err)
	}
	lease, err := t.clients.acquire(ctx, c)
	if err != nil {
		return nil, c.fail(err)
	}
	defer t.clients.release(lease)
	all, lagging, err := t.search(ctx, c, lease.value, t.query(c, target, properties))
	if err != nil {
		return nil, c.fail(err)
	}
	for _, f := range all {
		told, err := t.tell(f, target)
		if err != nil {
			return nil, c.fail(err)
		}
		found(told)
	}
	if lagging != nil {
		return &contract.FindEnd{Completeness: contract.Inconclusive, RetryAfter: lagging.after}, nil
	}
	return &contract.FindEnd{Completeness: contract.Complete}, nil
}

// tell puts a found thing into the contract's words, secrets left out.
func (t *typed[C, P]) tell(f Found, target *contract.Target) (contract.Found, error) {
	plain, _ := t.split(f.Outputs)
	raw := emptyOutputs
	if len(plain) > 0 {
		var err error
		if raw, err = json.Marshal(plain); err != nil {
			return contract.Found{}, Errorf(ProviderFault, "the outputs are not JSON: %w", err)
		}
	}
	return contract.Found{
		Identity: f.Identity, Name: f.Name, Labels: f.Labels, Outputs: raw, Ready: f.Ready,
		Ownership: t.ownership(f, target),
	}, nil
}
