package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

// command sends what makes the run begin, or go on, as a caller would who knows no more than was answered.
func (c *cycle) command(ctx context.Context, l *layer) (*rest.RunResult, error) {
	providers := c.layers[0].scenario.providers
	credentials, err := c.credentials(ctx, providers)
	if err != nil {
		return nil, err
	}
	switch l.kind {
	case "destroy":
		c.did("destroy")
		request := &rest.DestroyRequest{DeploymentID: c.deploymentID, Credentials: credentials}
		return c.host.Client.Destroy(ctx, request, rest.Async())
	case kindRollback:
		c.did(kindRollback)
		request := &rest.RollbackRequest{DeploymentID: c.deploymentID, Credentials: credentials}
		return c.host.Client.Rollback(ctx, request, rest.Async())
	}
	boxes, err := c.boxes(ctx, l.scenario)
	if err != nil {
		return nil, err
	}
	if l.run == "" && c.planned && l.kind == "apply" && !l.posted {
		if err := c.plan(ctx, l.scenario, boxes); err != nil {
			return nil, err
		}
	}
	mode := rest.ModeFull
	if c.steps > 0 {
		mode = rest.ModeStep
		c.steps--
	}
	if l.stands == rest.RunPaused || l.run != "" && l.stands != "" && c.chance.IntN(2) == 0 {
		c.did("continue in mode " + string(mode))
		return c.host.Client.Continue(ctx, &rest.ContinueRequest{
			GraphID: c.graphID, Credentials: credentials, SealedProperties: boxes, Mode: mode,
		}, rest.Async())
	}
	c.did("apply in mode " + string(mode))
	request := &rest.ApplyRequest{SealedProperties: boxes, Mode: mode}
	if l.run != "" || c.graphID != "" && l.kind == "apply" && !l.posted {
		request.GraphID, request.Credentials = c.graphID, credentials
	} else {
		config := l.scenario.config
		config.Credentials, request.Config = credentials, &config
	}
	return c.host.Client.Apply(ctx, request, rest.Async())
}

func (c *cycle) did(what string) { c.report.did = append(c.report.did, what) }

// plan stores a plan, and keeps its graph: from then on the host must know it.
func (c *cycle) plan(ctx context.Context, s *scenario, boxes map[string]string) error {
	if c.graphID != "" {
		return nil
	}
	config, store := s.config, false
	plan, err := c.host.Client.Plan(ctx, &rest.PlanRequest{Config: &config, ValidateOnly: &store, SealedProperties: boxes})
	if err != nil {
		return err
	}
	if !plan.Success {
		return fmt.Errorf("the plan is refused: %v", plan.ValidationErrors)
	}
	c.graphID = plan.SpecGraphID
	return nil
}

// credentials are sealed anew each time, as a caller would.
func (c *cycle) credentials(ctx context.Context, providers []string) (rest.Credentials, error) {
	credentials := rest.Credentials{}
	for _, provider := range providers {
		sealer, err := c.sealer(ctx, provider)
		if err != nil {
			return nil, err
		}
		object, err := credentialsOf(provider, sealer)
		if err != nil {
			return nil, err
		}
		if credentials[provider], err = json.Marshal(object); err != nil {
			return nil, err
		}
	}
	return credentials, nil
}

func credentialsOf(provider string, sealer *rig.Sealer) (map[string]string, error) {
	switch provider {
	case "aws":
		box, err := sealer.Credential(secretKey)
		return map[string]string{"access_key_id": accessKey, "encrypted_secret_access_key": box}, err
	case "github":
		box, err := sealer.Credential(githubToken)
		return map[string]string{"encrypted_pat": box}, err
	default:
		box, err := sealer.Credential("hush")
		return map[string]string{"encrypted_secret": box}, err
	}
}

// boxes are the sensitive properties of a scenario, sealed.
func (c *cycle) boxes(ctx context.Context, s *scenario) (map[string]string, error) {
	boxes := map[string]string{}
	for _, pointer := range slices.Sorted(maps.Keys(s.secrets)) {
		secret := s.secrets[pointer]
		sealer, err := c.sealer(ctx, secret.provider)
		if err != nil {
			return nil, err
		}
		if boxes[pointer], err = sealer.Property(secret.resourceType, secret.pointer, secret.value); err != nil {
			return nil, err
		}
	}
	return boxes, nil
}

// verify has the host compare, and believes it only if it says that all is well.
func (c *cycle) verify(ctx context.Context) error {
	last := c.layers[len(c.layers)-1].scenario
	credentials, err := c.credentials(ctx, last.providers)
	if err != nil {
		return err
	}
	boxes, err := c.boxes(ctx, last)
	if err != nil {
		return err
	}
	c.did("verify")
	request := &rest.VerifyRequest{GraphID: c.graphID, Credentials: credentials, SealedProperties: boxes}
	result, err := c.host.Client.Verify(ctx, request)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	for _, operation := range slices.Sorted(maps.Keys(result.Checks)) {
		for _, check := range result.Checks[operation] {
			if check.Status != "pass" {
				c.blame(ruleNotDone, "verify says of %s: %s %s", operation, check.Name, check.Status)
			}
		}
	}
	if !result.Success {
		c.blame(ruleNotDone, "verify did not succeed: the run is %s", result.Status)
	}
	return nil
}

// aftermath: nothing is left, and what was destroyed does not come back by being resumed.
func (c *cycle) aftermath(ctx context.Context) error {
	things, err := c.world.Read(ctx)
	if err != nil {
		return err
	}
	for _, t := range things {
		c.blame(ruleLeftOver, "after the destroy %s %s in %q is still there", t.Type, t.Name, t.Region)
	}
	credentials, err := c.credentials(ctx, c.layers[0].scenario.providers)
	if err != nil || c.layers[0].run == "" {
		return errors.Join(err, c.world.Reset(ctx))
	}
	_, err = c.host.Client.Apply(ctx, &rest.ApplyRequest{GraphID: c.graphID, Credentials: credentials})
	if !errors.Is(err, rest.KindConflict) {
		c.blame(ruleLeftOver, "a destroyed graph could be applied again, or was refused in another way")
	}
	return c.world.Reset(ctx)
}
