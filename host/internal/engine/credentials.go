package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// check is what credentials are held against.
type check struct {
	caller       Caller
	deploymentID string
	credentials  rest.Credentials
	// prefix is where the credentials stand in the request.
	prefix  string
	pinned  map[string]string // account by provider
	catalog *catalog
	needed  []string // providers
	sealed  map[string][]sealedValue
}

// checked is what the providers said.
type checked struct {
	accounts map[string]string
	// fingerprints of sealed values by node id and pointer.
	fingerprints map[string]map[string]string
}

// check has each provider open all that was sealed to it, before anything is stored, and holds the accounts against those that
// the deployment is pinned to: with another account's credentials the world looks empty, and everything would be made again.
func (e *Engine) check(ctx context.Context, c check) (*checked, error) {
	result := &checked{accounts: map[string]string{}, fingerprints: map[string]map[string]string{}}
	var problems []graph.Problem
	missing := ""
	for _, name := range c.needed {
		if _, ok := c.credentials[name]; !ok {
			missing = name
			problems = append(problems, graph.Problem{
				Pointer: document.Join(c.prefix, name), Message: "credentials are missing: seal them to GET /public-keys/" + name,
			})
			continue
		}
		found, err := e.checkProvider(ctx, c, name, result)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	if len(problems) > 0 {
		return nil, &Error{Kind: Invalid, Message: "credentials were refused", Problems: problems, Provider: missing}
	}
	return result, nil
}

func (e *Engine) checkProvider(ctx context.Context, c check, name string, result *checked) ([]graph.Problem, error) {
	if planted.Is(planted.LoggedSecret) {
		e.log.Info("credentials are checked", "given", string(c.credentials[name]))
	}
	pin, _, _ := c.catalog.Provider(name)
	request := &contract.CheckCredentialsRequest{
		Context: e.callContext(ctx, c.caller, c.deploymentID, name, c.credentials[name]), Identify: true,
	}
	request.Context.Account = c.pinned[name]
	for i, value := range c.sealed[name] {
		request.SealedValues = append(request.SealedValues, contract.SealedValue{
			Type: value.typ, Pointer: value.pointer, Box: value.box, Ref: refOf(i),
		})
	}
	var answer *contract.CheckCredentialsResult
	err := e.ask(ctx, name, pin.Version, func(provider contract.Provider) (err error) {
		answer, err = provider.CheckCredentials(ctx, request)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("check credentials of %s: %w", name, err)
	}
	problems := c.problems(name, answer)
	result.accounts[name] = answer.Account
	for i, value := range c.sealed[name] {
		if result.fingerprints[value.nodeID] == nil {
			result.fingerprints[value.nodeID] = map[string]string{}
		}
		result.fingerprints[value.nodeID][value.pointer] = answer.Fingerprints[refOf(i)]
	}
	return problems, nil
}

// refOf names a sealed value in the question to the provider; the answer's pointers begin with it.
func refOf(i int) string { return fmt.Sprintf("sealed:%d", i) }

// problems turns what the provider found into pointers of the request.
func (c check) problems(name string, answer *contract.CheckCredentialsResult) []graph.Problem {
	at := map[string]string{}
	for i, value := range c.sealed[name] {
		at[refOf(i)] = value.request
	}
	var problems []graph.Problem
	for _, d := range answer.Diagnostics {
		if d.Severity != contract.SeverityError {
			continue
		}
		ref, _, _ := strings.Cut(d.Pointer, "/")
		pointer, ok := at[ref]
		if !ok {
			pointer = document.Join(c.prefix, name) + d.Pointer
		}
		problems = append(problems, graph.Problem{Pointer: pointer, Message: string(d.Kind) + ": " + d.Summary})
	}
	pinned := c.pinned[name]
	if pinned != "" && answer.Account != "" && answer.Account != pinned {
		problems = append(problems, graph.Problem{
			Pointer: document.Join(c.prefix, name), Message: "these credentials belong to another account than this deployment",
		})
	}
	return problems
}
