package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/invariant"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// calm ends all faults, and waits until nothing is at work.
func (s *simulation) calm(ctx context.Context) error {
	s.chance.quiet()
	s.host.spare()
	if err := s.revive(ctx); err != nil {
		return err
	}
	deadline := time.Now().Add(restTime)
	for {
		e, err := s.still(ctx)
		if err != nil {
			return err
		}
		if e != nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(10 * time.Second)
	}
	return s.atRest(ctx)
}

// atRest judges all that must hold while nothing is at work.
func (s *simulation) atRest(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	e, err := s.gather(ctx)
	if err == nil {
		s.blame(e.AtRest())
	}
	return err
}

// conclude brings a deployment to where its caller wants it, and then to its end.
func (s *simulation) conclude(ctx context.Context, d *deployment) error {
	head, err := s.host.inner.Deployment(ctx, s.caller.Tenant, d.id)
	if err != nil || head.HeadGraphID == "" {
		return nil // nothing of it was ever kept
	}
	if err := s.settleMove(ctx, d); err != nil {
		return err
	}
	cfg, boxes := s.asIs(d)
	applied, err := s.finish(ctx, func() (*rest.RunResult, error) {
		return s.host.engine.Apply(ctx, s.caller, &rest.ApplyRequest{Config: cfg, SealedProperties: boxes, Force: true})
	}, func(run *rest.RunResult) (*rest.RunResult, error) {
		return s.host.engine.Apply(ctx, s.caller, &rest.ApplyRequest{GraphID: run.GraphID, Credentials: s.credentials(), SealedProperties: s.boxes(d.secrets)})
	})
	if err != nil || applied == nil {
		return err
	}
	if applied.Status == rest.RunCompleted {
		if err := s.verified(ctx, d, applied); err != nil {
			return err
		}
	}
	if d == s.deployments[len(s.deployments)-1] && applied.Status == rest.RunCompleted && s.chance.in(3) {
		return s.rebuild(ctx, d)
	}
	return s.undo(ctx, d, nil)
}

// rebuild gives a deployment to a host that has never heard of it: from its config and what exists outside alone it must know
// enough to destroy what the config names.
func (s *simulation) rebuild(ctx context.Context, d *deployment) error {
	s.chance.count("store lost, records made anew")
	s.host.die()
	s.past = append(s.past, s.host)
	if err := s.open(ctx); err != nil {
		return err
	}
	s.anew, s.told = true, invariant.NewTold()
	cfg, boxes := s.config(d)
	found, err := s.host.engine.Discover(ctx, s.caller, &rest.DiscoverRequest{Config: cfg, SealedProperties: boxes, Adopt: true})
	s.say(found, err)
	if err != nil || !found.Success || !found.Stored {
		s.blame([]invariant.Violation{{Invariant: invariant.I7, Text: fmt.Sprintf("what is deployed is not found again: %+v, %v", found, err)}})
		return nil
	}
	if err := s.host.engine.Wait(ctx, s.caller, found.RunID); err != nil {
		return err
	}
	e, err := s.gather(ctx)
	if err != nil {
		return err
	}
	return s.undo(ctx, d, invariant.Unnamed(e, func(id, region string) bool {
		id, _, _ = strings.Cut(id, ".") // a part is its composite's
		return (region == "" || slices.Contains(regions, region)) && slices.ContainsFunc(d.resources, func(r resource) bool { return r.id == id })
	}))
}

// settleMove commits or discards the move that is under way, if one is.
func (s *simulation) settleMove(ctx context.Context, d *deployment) error {
	e, err := s.gather(ctx)
	if err != nil {
		return err
	}
	graph := ""
	for i := range e.Runs {
		if r := &e.Runs[i]; r.DeploymentID == d.id && r.Kind != execution.Verify {
			graph = ""
			if r.Kind == execution.Move && !r.Status.Final() && asks(r.Spec, d.kept[r.GraphID]) {
				graph = r.GraphID
			}
		}
	}
	if graph == "" {
		return nil
	}
	ends := []func(context.Context, engine.Caller, string, *rest.MoveEndRequest) (*rest.RunResult, error){
		s.host.engine.DiscardMove, s.host.engine.CommitMove,
	}
	if s.chance.in(2) {
		slices.Reverse(ends)
	}
	end := func() (*rest.RunResult, error) {
		request := &rest.MoveEndRequest{Credentials: s.credentials(), SealedProperties: s.boxes(d.kept[graph])}
		var result *rest.RunResult
		var err error
		for _, way := range ends { // the other way may be the only one that is left, and neither needs every secret
			for _, boxes := range []map[string]string{request.SealedProperties, nil} {
				result, err = way(ctx, s.caller, graph, &rest.MoveEndRequest{Credentials: request.Credentials, SealedProperties: boxes})
				if err == nil {
					return result, nil
				}
			}
		}
		return result, err
	}
	_, err = s.finish(ctx, end, func(*rest.RunResult) (*rest.RunResult, error) { return end() })
	return err
}

// asks says that a graph has each of the secrets: a caller who missed an answer may have those of another graph.
func asks(spec *graph.Spec, secrets map[string]secret) bool {
	for pointer := range secrets {
		id := strings.Split(pointer, "/")[2]
		if node := spec.Node(id); node == nil || len(node.Sealed) == 0 {
			return false
		}
	}
	return true
}

// asIs asks for all that the deployment names to be there.
func (s *simulation) asIs(d *deployment) (*rest.Config, map[string]string) {
	for i := len(d.resources) - 1; i >= 0; i-- {
		if d.resources[i].foreign {
			s.drop(d, i)
		}
	}
	if len(d.resources) == 0 {
		d.resources = []resource{{id: "last", kind: "sim:net", name: "last"}}
	}
	for i := range d.resources {
		r := &d.resources[i]
		r.verb, r.after = "ensure", slices.Clone(r.after)
		for k := range r.after {
			r.after[k].EdgeType = ""
		}
	}
	return s.config(d)
}

// finish gives a command, and goes on with its run until that is completed. Without faults nothing may keep it from there but
// what only a person can decide.
func (s *simulation) finish(ctx context.Context, begin func() (*rest.RunResult, error), goOn func(*rest.RunResult) (*rest.RunResult, error)) (*rest.RunResult, error) {
	result, err := begin()
	for try := 1; ; try++ {
		s.say(result, err)
		if err != nil {
			s.blame([]invariant.Violation{{Invariant: invariant.I6, Text: fmt.Sprintf("in calm a command is refused: %v%v", err, problemsOf(err))}})
			return nil, nil
		}
		s.hear(ctx, result)
		if err := s.wait(ctx, result); err != nil {
			return nil, err
		}
		if result, err = s.host.engine.Result(ctx, s.caller, result.RunID); err != nil {
			return nil, err
		}
		if err := s.atRest(ctx); err != nil {
			return nil, err
		}
		if result.Status == rest.RunCompleted || s.excused(result) {
			return result, nil
		}
		if try == 3 {
			s.blame([]invariant.Violation{{Invariant: invariant.I6, Text: fmt.Sprintf("in calm a %s is %s again and again: %s", result.Kind, result.Status, why(result))}})
			return result, nil
		}
		result, err = goOn(result)
	}
}

func problemsOf(err error) []graph.Problem {
	var refused *engine.Error
	if !errors.As(err, &refused) {
		return nil
	}
	return refused.Problems
}

func why(result *rest.RunResult) string {
	if result.FailedOperation == nil {
		return "no operation failed"
	}
	return result.FailedOperation.ResourceType + ": " + result.FailedOperation.ErrorType + ": " + result.FailedOperation.Error
}

// excused says that only a person can go on: what was begun at most once, or what was there before us.
func (s *simulation) excused(result *rest.RunResult) bool {
	failed := result.FailedOperation
	if failed == nil || result.Status != rest.RunFailed {
		return false
	}
	return failed.ResourceType == "sim:job" && slices.Contains([]contract.Kind{
		contract.KindInterrupted, contract.KindNetwork, contract.KindDeadline, contract.KindUnsupported,
	}, contract.Kind(failed.ErrorType))
}

// verified has the host compare, and believes it only if it says that all is well.
func (s *simulation) verified(ctx context.Context, d *deployment, applied *rest.RunResult) error {
	result, err := s.host.engine.Verify(ctx, s.caller, &rest.VerifyRequest{
		GraphID: applied.GraphID, Credentials: s.credentials(), SealedProperties: s.boxes(d.secrets),
	})
	if err != nil {
		return err
	}
	if err := s.wait(ctx, result); err != nil {
		return err
	}
	result, err = s.host.engine.Result(ctx, s.caller, result.RunID)
	if err == nil && !result.Success {
		s.blame([]invariant.Violation{{Invariant: invariant.I10, Text: fmt.Sprintf("run %s is completed, and a verification finds differences", applied.RunID)}})
	}
	return err
}

// undo destroys a deployment, and looks for what is left of it.
func (s *simulation) undo(ctx context.Context, d *deployment, named []invariant.LeftOver) error {
	again := func(*rest.RunResult) (*rest.RunResult, error) {
		return s.host.engine.Destroy(ctx, s.caller, &rest.DestroyRequest{DeploymentID: d.id, Credentials: s.credentials()})
	}
	result, err := s.finish(ctx, func() (*rest.RunResult, error) { return again(nil) }, again)
	if err != nil || result == nil || result.Status != string(execution.RunCompleted) {
		return err
	}
	e, err := s.gather(ctx)
	if err != nil {
		return err
	}
	for _, left := range result.LeftOver {
		named = append(named, invariant.LeftOver{Resource: left.ResourceID, Region: left.Region})
	}
	s.blame(invariant.Nothing(e, d.id, named))
	_, err = s.host.engine.Apply(ctx, s.caller, &rest.ApplyRequest{GraphID: result.GraphID, Credentials: s.credentials()})
	var refused *engine.Error
	if !errors.As(err, &refused) {
		s.blame([]invariant.Violation{{Invariant: invariant.I7, Text: "a destroyed graph could be applied again"}})
	}
	return nil
}

// filesIn are what all disks of a simulation hold, those of lost hosts too, to be searched.
func filesIn(dir string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		found[filepath.Base(path)+" of "+filepath.Base(filepath.Dir(path))], err = os.ReadFile(path)
		return err
	})
	return found, err
}
