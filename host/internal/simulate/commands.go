package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/invariant"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// turn gives one command, lets some time pass, and brings back a host that was lost.
func (s *simulation) turn(ctx context.Context) error {
	d := s.deployments[s.chance.draw(len(s.deployments))]
	before, err := s.still(ctx)
	if err != nil {
		return err
	}
	command := s.choose(d)
	s.chance.count("command: " + command.name)
	result, err := command.give(ctx)
	s.say(result, err)
	if s.host.gone() {
		return s.revive(ctx) // whatever was answered, nobody heard it
	}
	var refused *engine.Error
	if errors.As(err, &refused) {
		s.chance.count("refused: " + string(refused.Kind))
	}
	switch {
	case err != nil && before != nil && refused != nil && refused.Kind != engine.Internal && refused.Kind != engine.Unavailable:
		if err := s.same(ctx, before, command.name); err != nil {
			return err
		}
	case err == nil && result != nil:
		s.hear(ctx, result)
	}
	if err := s.pass(ctx, result); err != nil {
		return err
	}
	return s.revive(ctx)
}

// command is something that a caller asks for.
type command struct {
	name string
	give func(ctx context.Context) (*rest.RunResult, error)
}

func (s *simulation) choose(d *deployment) command {
	if d.graph == "" && s.chance.draw(4) > 0 {
		return s.applyNew(d)
	}
	return pick(s.chance, s.applyNew, s.applyNew, s.applyNew, s.applyAgain, s.applyAgain, s.applyAgain, s.plan, s.applyPlanned,
		s.verify, s.destroy, s.wrong)(d)
}

func (s *simulation) applyNew(d *deployment) command {
	return command{"apply", func(ctx context.Context) (*rest.RunResult, error) {
		s.evolve(d)
		cfg, boxes := s.config(d)
		d.planned = ""
		result, err := s.host.engine.Apply(ctx, s.caller, &rest.ApplyRequest{Config: cfg, SealedProperties: boxes})
		if err == nil {
			d.graph = result.GraphID
		}
		return result, err
	}}
}

// applyAgain goes on with a graph, whatever became of its run.
func (s *simulation) applyAgain(d *deployment) command {
	return command{"apply again", func(ctx context.Context) (*rest.RunResult, error) {
		return s.host.engine.Apply(ctx, s.caller, &rest.ApplyRequest{GraphID: d.graph, Credentials: s.credentials(), SealedProperties: s.boxes(d)})
	}}
}

func (s *simulation) plan(d *deployment) command {
	return command{"plan", func(ctx context.Context) (*rest.RunResult, error) {
		s.evolve(d)
		cfg, boxes := s.config(d)
		stored := s.chance.in(2)
		validate := !stored
		planned, err := s.host.engine.Plan(ctx, s.caller, &rest.PlanRequest{Config: cfg, ValidateOnly: &validate, SealedProperties: boxes})
		if err == nil && stored && planned.Success && !s.host.gone() {
			d.planned = planned.SpecGraphID
			s.told.Graph(d.planned)
		}
		s.say(planned, err)
		return nil, err
	}}
}

func (s *simulation) applyPlanned(d *deployment) command {
	if d.planned == "" {
		return s.plan(d)
	}
	return command{"apply a plan", func(ctx context.Context) (*rest.RunResult, error) {
		graph := d.planned
		result, err := s.host.engine.Apply(ctx, s.caller, &rest.ApplyRequest{GraphID: graph, Credentials: s.credentials(), SealedProperties: s.boxes(d)})
		if err == nil {
			d.graph, d.planned = graph, ""
		}
		return result, err
	}}
}

func (s *simulation) verify(d *deployment) command {
	return command{"verify", func(ctx context.Context) (*rest.RunResult, error) {
		return s.host.engine.Verify(ctx, s.caller, &rest.VerifyRequest{GraphID: d.graph, Credentials: s.credentials(), SealedProperties: s.boxes(d)})
	}}
}

func (s *simulation) destroy(d *deployment) command {
	return command{"destroy", func(ctx context.Context) (*rest.RunResult, error) {
		return s.host.engine.Destroy(ctx, s.caller, &rest.DestroyRequest{DeploymentID: d.id, Credentials: s.credentials()})
	}}
}

// wrong is a request that must be refused, in one of many ways.
func (s *simulation) wrong(d *deployment) command {
	request := &rest.ApplyRequest{}
	cfg, boxes := s.config(&deployment{id: d.id, resources: d.resources, secrets: d.secrets})
	switch s.chance.draw(5) {
	case 0:
		cfg.Credentials = nil
		request.Config, request.SealedProperties = cfg, boxes
	case 1:
		cfg.Resources = append(cfg.Resources, rest.NamedResource{ID: "x", Definition: rest.Resource{
			Type: "sim:disk", DependsOn: []rest.Dependency{{Resource: "nothing"}},
		}})
		request.Config, request.SealedProperties = cfg, boxes
	case 2:
		request.GraphID, request.Credentials = "00000000", s.credentials()
	case 3:
		cfg.Resources = append(cfg.Resources, rest.NamedResource{ID: "y", Definition: rest.Resource{Type: "sim:net"}})
		boxes["/resources/y/properties/secret"] = s.seal("credential", s.password)
		request.Config, request.SealedProperties = cfg, boxes
	default:
		cfg.Resources = append(cfg.Resources, rest.NamedResource{ID: "z", Definition: rest.Resource{Type: "sim:what"}})
		request.Config, request.SealedProperties = cfg, boxes
	}
	return command{"wrong", func(ctx context.Context) (*rest.RunResult, error) {
		result, err := s.host.engine.Apply(ctx, s.caller, request)
		if err == nil && !s.host.gone() {
			s.blame([]invariant.Violation{{Invariant: invariant.I9, Text: "a wrong request was accepted"}})
		}
		return result, err
	}}
}

// still gives the evidence while nothing is at work; nil when something is.
func (s *simulation) still(ctx context.Context) (*invariant.Evidence, error) {
	e, err := s.gather(ctx)
	if err != nil {
		return nil, err
	}
	for i := range e.Runs {
		if e.Runs[i].Status.Active() {
			return nil, nil
		}
	}
	return e, nil
}

func (s *simulation) same(ctx context.Context, before *invariant.Evidence, request string) error {
	after, err := s.gather(ctx)
	if err == nil {
		s.blame(invariant.Same(before, after, request))
	}
	return err
}

// hear keeps what a caller was told, and has someone follow the run.
func (s *simulation) hear(ctx context.Context, result *rest.RunResult) {
	h := s.host
	s.told.Run(result.RunID, 1, execution.RunStatus(result.Status))
	if status, err := h.engine.Status(ctx, s.caller, result.GraphID, result.RunID); err == nil && !h.gone() {
		s.say(status, nil)
		s.told.Run(result.RunID, status.EventVersion, execution.RunStatus(status.Status))
	}
	stream, err := h.engine.Events(ctx, s.caller, result.GraphID, result.RunID, "")
	if err != nil {
		return
	}
	s.followers.Go(func() {
		for done := false; !done; {
			var events []rest.Event
			events, done, err = stream.Next(ctx)
			if err != nil || h.gone() {
				return
			}
			for i := range events {
				e := &events[i]
				s.told.Event(result.RunID, e.Version, invariant.Heard{
					Kind: e.Kind, Operation: e.Operation, Status: e.Status, RunStatus: e.RunStatus, Outcome: e.Outcome,
				})
			}
		}
	})
}

// restTime bounds how long a run may be at work: no operation here may take longer than a few tries of two minutes each, and no
// graph is deeper than seven.
const restTime = 3 * time.Hour

// pass lets time pass: until the run is at rest, or not as long.
func (s *simulation) pass(ctx context.Context, result *rest.RunResult) error {
	if result == nil || s.chance.in(4) {
		time.Sleep(time.Duration(s.chance.draw(3000)) * time.Millisecond)
		return nil
	}
	return s.wait(ctx, result)
}

func (s *simulation) wait(ctx context.Context, result *rest.RunResult) error {
	h := s.host
	bounded, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	err := h.engine.Wait(bounded, s.caller, result.RunID)
	if errors.Is(err, context.DeadlineExceeded) && !h.gone() {
		s.blame([]invariant.Violation{{Invariant: invariant.I6, Text: "run " + result.RunID + " does not come to rest"}})
		return nil
	}
	if told, err := h.engine.Result(ctx, s.caller, result.RunID); err == nil && !h.gone() {
		s.say(told, nil)
		s.told.Run(told.RunID, 1, execution.RunStatus(told.Status))
	}
	return nil
}
