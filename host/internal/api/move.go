package api

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

type moveEndInput struct {
	GraphPath
	Preferring
	Keyed
}

func (s *server) registerMove() {
	start(s, route{
		Operation: deployOperation("move", "/deploy/move", "Move a deployment's resources to another region or account",
			"What is regional and stands in `from_region` is created in `to_region` and verified there; what stays and holds a value of "+
				"it is repointed. Then the run is paused until it is committed or discarded, or, with `delete_after_verify`, commits by "+
				"itself. With `to_credentials` all that these providers have goes to another account, into the same regions or another one. "+
				"The `graph_id` of the answer is that of the new graph; sent again with it, or as it was, the request goes on "+
				"with the same move."),
		request: exampleMoveRequest(), example: exampleHeldMove(), errors: commandErrors,
	}, s.Engine.Move)
	s.endMove("commit", "Make a move final",
		"In one commit the move's graph becomes the head; then what was left behind is deleted, but for what is not empty or in use, "+
			"which is named in `left_over`. From here on the move goes forward only.", exampleCommittedMove(), s.Engine.CommitMove)
	s.endMove("discard", "Undo a move that was not committed",
		"What was repointed is given its old values again, and what was made is deleted. A move that failed, was interrupted or "+
			"cancelled can be discarded too.", exampleDiscardedMove(), s.Engine.DiscardMove)
}

func (s *server) endMove(verb, summary, description string, example *rest.RunResult,
	end func(context.Context, engine.Caller, string, *rest.MoveEndRequest) (*rest.RunResult, error),
) {
	command(s, route{
		Operation: deployOperation("move-"+verb, "/deploy/move/{graph_id}/"+verb, summary, description),
		request:   exampleMoveEndRequest(), example: example, errors: commandErrors, long: true,
	}, func(ctx context.Context, caller engine.Caller, body *rest.MoveEndRequest, in *moveEndInput) (*runOutput, error) {
		return s.once(ctx, caller, in.command(ctx, body), in.Prefer, func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
			return end(ctx, caller, in.GraphID, body)
		})
	})
}

func exampleMoveRequest() *rest.MoveRequest {
	return &rest.MoveRequest{
		DeploymentID: exampleID, GraphID: "4aebc0de", Credentials: exampleCredentials(), FromRegion: "us-east-1", ToRegion: "eu-west-1",
	}
}

func exampleMoveEndRequest() *rest.MoveEndRequest {
	return &rest.MoveEndRequest{Credentials: exampleCredentials()}
}

func exampleMove(phase, status string, next ...rest.Call) *rest.RunResult {
	run := exampleRun()
	run.Kind, run.Status, run.Success, run.Next = "move", status, status == rest.RunCompleted, next
	run.Move = &rest.MoveState{FromRegion: "us-east-1", ToRegion: "eu-west-1", PreviousGraphID: "4aebc0de", Phase: phase}
	return run
}

func exampleHeldMove() *rest.RunResult {
	path := "/deploy/move/" + exampleGraphID
	return exampleMove(rest.MoveHeld, rest.RunPaused,
		rest.Call{Method: "POST", Path: path + "/commit", Why: "make it final: what was left behind is deleted"},
		rest.Call{Method: "POST", Path: path + "/discard", Why: "undo it: what was made is deleted"})
}

func exampleCommittedMove() *rest.RunResult {
	run := exampleMove(rest.MoveCommitted, rest.RunCompleted)
	run.LeftOver = []rest.LeftOver{{
		ResourceID: "deploy-bucket", ResourceType: "aws:s3:bucket", Region: "us-east-1", Name: "my-deploy-bucket-3333cccc",
		Reason: "the bucket is not empty",
	}}
	return run
}

func exampleDiscardedMove() *rest.RunResult {
	return exampleMove(rest.MoveDiscarded, rest.RunCompleted)
}
