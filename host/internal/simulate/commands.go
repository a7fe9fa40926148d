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
	result, tries, err := s.give(ctx, command)
	if s.host.gone() {
		return s.revive(ctx) // whatever was answered, nobody heard it
	}
	var refused *engine.Error
	if errors.As(err, &refused) {
		s.chance.count("refused: " + string(refused.Kind))
	}
	switch {
	case err == nil && result != nil:
		s.hear(ctx, result)
	case err != nil && before != nil && tries == 1 && refused != nil && !unclear(refused):
		if err := s.same(ctx, before, command.name); err != nil {
			return err
		}
	}
	if err := s.pass(ctx, result); err != nil {
		return err
	}
	return s.revive(ctx)
}

// unclear says that a caller cannot know whether the command was taken.
func unclear(refused *engine.Error) bool {
	return refused.Kind == engine.Internal || refused.Kind == engine.Unavailable
}

// give sends a command, and often sends it again under its key when no answer came, or none that says anything: whatever became
// of the first, all of them come to one run.
func (s *simulation) give(ctx context.Context, c command) (result *rest.RunResult, tries int, err error) {
	key := engine.Command{Key: s.chance.id(), Route: c.name, Body: c.body}
	for tries = 1; ; tries++ {
		h := s.host
		if c.body == nil {
			result, err = c.begin(ctx, s.caller)
		} else {
			result, err = h.engine.Once(ctx, s.caller, key, c.begin)
		}
		s.say(result, err)
		var refused *engine.Error
		lost := h.gone() || errors.As(err, &refused) && unclear(refused)
		if !h.gone() && err == nil && result != nil {
			s.blame(s.keys.came(key.Key, result.RunID))
		}
		if !lost || c.body == nil || tries == 4 || s.chance.in(3) {
			break
		}
		s.chance.count("command repeated under its key")
		if err := s.revive(ctx); err != nil {
			return nil, tries, err
		}
	}
	if err == nil && !s.host.gone() && c.done != nil {
		c.done(result)
	}
	return result, tries, err
}

// keyed is what the commands of each key came to.
type keyed map[string]string

func (k keyed) came(key, runID string) []invariant.Violation {
	before, known := k[key]
	k[key] = runID
	if !known || before == runID {
		return nil
	}
	return []invariant.Violation{{Invariant: invariant.I1, Text: "a command and its repeat came to the runs " + before + " and " + runID}}
}

// command is something that a caller asks for: what begins it, and what is known once it has begun.
type command struct {
	name string
	// body is nil for what has no key.
	body  any
	begin func(context.Context, engine.Caller) (*rest.RunResult, error)
	done  func(*rest.RunResult)
}

func (s *simulation) choose(d *deployment) command {
	if d.graph == "" {
		return s.applyNew(d)
	}
	return pick(s.chance, s.applyNew, s.applyNew, s.applyNew, s.applyAgain, s.applyAgain, s.continued, s.continued, s.continued, s.cancel, s.plan, s.applyPlanned,
		s.verify, s.destroy, s.rollback, s.rollback, s.move, s.move, s.endMove, s.endMove, s.wrong)(d)
}

func (s *simulation) apply(name string, request *rest.ApplyRequest, done func(*rest.RunResult)) command {
	return command{name: name, body: request, done: done, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.Apply(ctx, caller, request)
	}}
}

func (s *simulation) applyNew(d *deployment) command {
	s.evolve(d)
	request := &rest.ApplyRequest{Only: s.some(d)}
	if s.chance.in(6) {
		request.Mode = rest.ModeStep
	}
	request.Config, request.SealedProperties = s.config(d)
	d.planned = ""
	return s.apply("apply", request, s.deployed(d))
}

// deployed keeps what a graph was made with.
func (s *simulation) deployed(d *deployment) func(*rest.RunResult) {
	secrets := d.secrets
	return func(result *rest.RunResult) { d.graph, d.kept[result.GraphID] = result.GraphID, secrets }
}

// some names one resource now and then, for commands that are to be about that alone.
func (s *simulation) some(d *deployment) []string {
	if len(d.resources) == 0 || !s.chance.in(8) {
		return nil
	}
	return []string{d.resources[s.chance.draw(len(d.resources))].id}
}

// applyAgain goes on with a graph, whatever became of its run.
func (s *simulation) applyAgain(d *deployment) command {
	return s.apply("apply again", &rest.ApplyRequest{GraphID: d.graph, Credentials: s.credentials(), SealedProperties: s.boxes(d.kept[d.graph])}, nil)
}

// continued goes on with a run as a person might ask for it.
func (s *simulation) continued(d *deployment) command {
	request := &rest.ContinueRequest{GraphID: d.graph, Credentials: s.credentials(), SealedProperties: s.boxes(d.kept[d.graph])}
	request.Mode = pick(s.chance, "", "", "", rest.ModeFull, rest.ModeStep)
	if names := s.some(d); names != nil {
		switch s.chance.draw(4) {
		case 0:
			request.FromNode = names[0]
		case 1:
			request.Skip = names
		case 2:
			request.Unskip = names
		default:
			request.Retry = names
		}
	}
	return command{name: "continue", body: request, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.Continue(ctx, caller, request)
	}}
}

func (s *simulation) cancel(d *deployment) command {
	grace := float64(s.chance.draw(4))
	request := &rest.CancelRequest{GraphID: d.graph, GraceSeconds: &grace}
	return command{name: "cancel", begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.Cancel(ctx, caller, request)
	}}
}

func (s *simulation) plan(d *deployment) command {
	s.evolve(d)
	stored := s.chance.in(2)
	validate := !stored
	request := &rest.PlanRequest{ValidateOnly: &validate}
	request.Config, request.SealedProperties = s.config(d)
	secrets := d.secrets
	return command{name: "plan", begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		planned, err := s.host.engine.Plan(ctx, caller, request)
		if err == nil && stored && planned.Success && !s.host.gone() {
			d.planned = planned.SpecGraphID
			d.kept[d.planned] = secrets
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
	request := &rest.ApplyRequest{GraphID: d.planned, Credentials: s.credentials(), SealedProperties: s.boxes(d.kept[d.planned])}
	return s.apply("apply a plan", request, func(result *rest.RunResult) { d.graph, d.planned = result.GraphID, "" })
}

func (s *simulation) verify(d *deployment) command {
	request := &rest.VerifyRequest{GraphID: d.graph, Credentials: s.credentials(), SealedProperties: s.boxes(d.kept[d.graph])}
	return command{name: "verify", body: request, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.Verify(ctx, caller, request)
	}}
}

func (s *simulation) destroy(d *deployment) command {
	request := &rest.DestroyRequest{DeploymentID: d.id, Credentials: s.credentials(), Only: s.some(d)}
	return command{name: "destroy", body: request, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.Destroy(ctx, caller, request)
	}}
}

// rollback takes back what the latest run did, or goes on with that.
func (s *simulation) rollback(d *deployment) command {
	request := &rest.RollbackRequest{DeploymentID: d.id, Credentials: s.credentials(), Force: s.chance.in(2)}
	return command{name: "rollback", body: request, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.Rollback(ctx, caller, request)
	}}
}

// move takes what is in one region to another, or goes on with that.
func (s *simulation) move(d *deployment) command {
	request := &rest.MoveRequest{
		DeploymentID: d.id, Credentials: s.credentials(), SealedProperties: s.boxes(d.kept[d.graph]), FromRegion: "eu-west-1", ToRegion: "us-west-2",
		DeleteAfterVerify: s.chance.in(3), Force: s.chance.in(3),
	}
	secrets := d.kept[d.graph]
	return command{name: "move", body: request, done: func(result *rest.RunResult) {
		d.moving, d.kept[result.GraphID] = result.GraphID, secrets
	}, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.Move(ctx, caller, request)
	}}
}

// endMove commits a move or discards it, at whatever moment.
func (s *simulation) endMove(d *deployment) command {
	if d.moving == "" {
		return s.move(d)
	}
	graph, request := d.moving, &rest.MoveEndRequest{Credentials: s.credentials(), SealedProperties: s.boxes(d.kept[d.moving])}
	if s.chance.in(2) {
		return command{name: "discard a move", body: request, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
			return s.host.engine.DiscardMove(ctx, caller, graph, request)
		}}
	}
	return command{name: "commit a move", body: request, begin: func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return s.host.engine.CommitMove(ctx, caller, graph, request)
	}}
}

// wrong is a request that must be refused, in one of many ways.
func (s *simulation) wrong(d *deployment) command {
	request := &rest.ApplyRequest{}
	cfg, boxes := s.config(&deployment{id: d.id, resources: d.resources, secrets: d.secrets})
	switch s.chance.draw(5) {
	case 0:
		cfg.Credentials = nil
	case 1:
		cfg.Resources = append(cfg.Resources, rest.NamedResource{ID: "x", Definition: rest.Resource{
			Type: "sim:disk", DependsOn: []rest.Dependency{{Resource: "nothing"}},
		}})
	case 2:
		cfg, boxes = nil, nil
		request.GraphID, request.Credentials = "00000000", s.credentials()
	case 3:
		cfg.Resources = append(cfg.Resources, rest.NamedResource{ID: "y", Definition: rest.Resource{Type: "sim:net"}})
		boxes["/resources/y/properties/secret"] = s.seal("credential", s.password)
	default:
		cfg.Resources = append(cfg.Resources, rest.NamedResource{ID: "z", Definition: rest.Resource{Type: "sim:what"}})
	}
	request.Config, request.SealedProperties = cfg, boxes
	return s.apply("wrong", request, func(*rest.RunResult) {
		s.blame([]invariant.Violation{{Invariant: invariant.I9, Text: "a wrong request was accepted"}})
	})
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
