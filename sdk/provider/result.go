package provider

import (
	"encoding/json"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// emptyOutputs is what a result without outputs carries.
var emptyOutputs = json.RawMessage("{}")

// result is how an attempt ended, in the contract's words.
func (t *typed[C, P]) result(c *call, consumers []contract.Consumer, end done, err error) *contract.Result {
	plain, sealed, broken := t.deliver(c, consumers, end.outputs)
	if err == nil {
		err = broken
	}
	result := &contract.Result{Outcome: c.outcome(err), Outputs: plain, SealedOutputs: sealed, Identity: c.identity(end)}
	if err != nil {
		t.report(c, result, err)
		return result
	}
	result.Change = end.change
	if t.labelled {
		result.LabelsApplied = end.labels
	}
	return result
}

// report puts an error into a result.
func (t *typed[C, P]) report(c *call, result *contract.Result, err error) {
	diagnostic := c.diagnose(err)
	result.Diagnostics = []contract.Diagnostic{diagnostic}
	result.VendorRequestID = diagnostic.VendorRequestID
	if diagnostic.Kind == Throttled {
		c.send(contract.Event{Throttle: &contract.Throttle{RetryAfter: diagnostic.RetryAfter, Summary: diagnostic.Summary}})
	}
}

// identity is the announced one, else the one that was found.
func (c *call) identity(end done) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made != "" {
		return c.made
	}
	return end.identity
}

// diagnose makes a diagnostic of an error, complete and without secrets; causes go to the process's log.
func (c *call) diagnose(err error) contract.Diagnostic {
	known := classify(err)
	diagnostic := completed(known.Diagnostic)
	c.mu.Lock()
	diagnostic.Summary = c.secrets.redact(diagnostic.Summary)
	diagnostic.Detail = c.secrets.redact(diagnostic.Detail)
	cause := ""
	if known.Cause != nil {
		cause = c.secrets.redact(known.Cause.Error())
	}
	c.mu.Unlock()
	if cause != "" {
		c.runtime.Log.Warn("a call failed", "type", c.kind, "call", c.context.CallID, "kind", string(diagnostic.Kind), "cause", cause)
	}
	return diagnostic
}

// fail is an error as it leaves a call that has no result to put it in.
func (c *call) fail(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Diagnostic: c.diagnose(err)}
}

// checkConsumers refuses keys that nothing could be sealed to, before anything is written.
func checkConsumers(consumers []contract.Consumer) error {
	for _, consumer := range consumers {
		if len(consumer.Key.Key) != 32 {
			return Errorf(InvalidInput, "the key of a consumer of outputs is not 32 bytes")
		}
	}
	return nil
}

// deliver splits outputs: plain ones as one JSON object, sensitive ones sealed to each consumer that names them.
func (t *typed[C, P]) deliver(
	c *call, consumers []contract.Consumer, outputs Outputs,
) (json.RawMessage, []contract.SealedOutput, error) {
	plain, secrets := t.split(outputs)
	if len(plain) == 0 && len(secrets) == 0 {
		return emptyOutputs, nil, nil
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return emptyOutputs, nil, Errorf(ProviderFault, "the outputs are not JSON: %w", err)
	}
	sealed, err := c.seal(consumers, secrets)
	return raw, sealed, err
}

// seal seals each secret to those who consume it.
func (c *call) seal(consumers []contract.Consumer, secrets map[string]Secret) ([]contract.SealedOutput, error) {
	var sealed []contract.SealedOutput
	var failed error
	for _, consumer := range consumers {
		for _, output := range consumer.Outputs {
			secret, ok := secrets[output]
			if !ok {
				continue
			}
			one, err := c.sealFor(consumer, output, secret)
			if err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			sealed = append(sealed, one)
		}
	}
	return sealed, failed
}

// split parts secrets from the rest. What the type declares sensitive is a secret even when the author forgot to say so.
func (t *typed[C, P]) split(outputs Outputs) (map[string]any, map[string]Secret) {
	secrets := map[string]Secret{}
	for name, value := range outputs {
		secret, ok := value.(Secret)
		switch text, isText := value.(string); {
		case ok:
			secrets[name] = secret
		case t.sensitive[name] && isText:
			secrets[name] = NewSecret(text)
		case t.sensitive[name]:
			raw, _ := json.Marshal(value)
			secrets[name] = NewSecret(string(raw))
		}
	}
	if len(secrets) == 0 {
		return outputs, nil
	}
	plain := make(map[string]any, len(outputs))
	for name, value := range outputs {
		if _, secret := secrets[name]; !secret {
			plain[name] = value
		}
	}
	return plain, secrets
}

// foundOf reads what the host says exists.
func foundOf(f *contract.Found) Found {
	outputs := Outputs{}
	_ = json.Unmarshal(f.Outputs, &outputs) // ours from an earlier Find; without it Create reads the thing itself
	return Found{Identity: f.Identity, Name: f.Name, Labels: f.Labels, Outputs: outputs, Ready: f.Ready}
}
