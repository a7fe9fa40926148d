package provider_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

const canary = `canary "7d1f" & more`

func TestSecretsPrintNothing(t *testing.T) {
	secret, sealed := provider.NewSecret(canary), provider.FakeSealed(canary)
	var box provider.Sealed
	require.NoError(t, json.Unmarshal([]byte(`"canary-box"`), &box))
	require.Equal(t, "canary-box", box.Ciphertext())
	for _, value := range []any{secret, sealed, box, &secret, &box, struct{ S provider.Sealed }{box}, map[string]any{"s": secret}} {
		encoded, err := json.Marshal(value)
		require.NoError(t, err)
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", value)
		printed := fmt.Sprintf("%v %+v %#v %s %q %x %d", value, value, value, value, value, value, value)
		require.NotContains(t, printed+string(encoded)+logged.String(), "canary")
		require.Contains(t, printed, "***")
	}
	require.Equal(t, canary, secret.Reveal())
	require.True(t, provider.Secret{}.IsZero() && provider.Sealed{}.IsZero() && !secret.IsZero() && !box.IsZero())
}

// A sealed value opens only in the field that it was sealed for.
func TestSealedPropertiesAreBoundToTheirPlace(t *testing.T) {
	places := []string{"/secret", "/env/A~1B", "/nested/inner", "/options/1/inner"}
	for _, sealedFor := range places {
		for _, put := range places {
			t.Run(sealedFor+" at "+put, func(t *testing.T) {
				h := build(t)
				box := h.seal(t, sealedbox.PurposeProperty("acme:bucket", sealedFor), canary)
				request := execute(contract.VerbCreate)
				request.Target.Properties = propertiesWith(t, put, box)
				h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
					secret, err := op.Open(pick(op.Properties, put))
					if err == nil {
						require.Equal(t, canary, secret.Reveal())
						require.Equal(t, h.keys.Fingerprint("tenant", canary), op.Fingerprint(secret))
					}
					return nil, err
				}
				result, _ := h.run(t, request)
				if sealedFor == put {
					require.Equal(t, contract.OutcomeApplied, result.Outcome, result.Diagnostics)
					return
				}
				require.Equal(t, provider.DecryptionFailed, kind(result))
				require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
			})
		}
	}
}

// propertiesWith puts a box at one of the places of the test above.
func propertiesWith(t *testing.T, pointer, box string) json.RawMessage {
	values := map[string]any{"name": "data"}
	switch pointer {
	case "/secret":
		values["secret"] = box
	case "/env/A~1B":
		values["env"] = map[string]string{"A/B": box}
	case "/nested/inner":
		values["nested"] = map[string]string{"inner": box}
	case "/options/1/inner":
		values["options"] = []map[string]string{{}, {"inner": box}}
	}
	raw, err := json.Marshal(values)
	require.NoError(t, err)
	return raw
}

func pick(b Bucket, pointer string) provider.Sealed {
	switch pointer {
	case "/env/A~1B":
		return b.Env["A/B"]
	case "/nested/inner":
		return b.Nested.Inner
	case "/options/1/inner":
		return b.Options[1].Inner
	}
	return b.Secret
}

func TestSealedValuesAreRefusedElsewhere(t *testing.T) {
	cases := map[string]func(*contract.ExecuteRequest){
		"another tenant": func(r *contract.ExecuteRequest) { r.Context.Tenant = "other" },
		"no box": func(r *contract.ExecuteRequest) {
			r.Target.Properties = json.RawMessage(`{"name":"x","secret":"AAAA"}`)
		},
		"nothing given": func(r *contract.ExecuteRequest) { r.Target.Properties = json.RawMessage(`{"name":"x"}`) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			request := execute(contract.VerbCreate)
			request.Target.Properties = propertiesWith(t, "/secret", h.seal(t, "acme:bucket#/secret", canary))
			change(request)
			h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
				_, err := op.Open(op.Properties.Secret)
				return nil, err
			}
			result, _ := h.run(t, request)
			require.Equal(t, provider.DecryptionFailed, kind(result))
			require.Equal(t, contract.RetryAfterNewCredentials, result.Diagnostics[0].Retry)
		})
	}
}

func TestSensitiveOutputsLeaveSealed(t *testing.T) {
	h := build(t)
	consumer, err := sealedbox.Generate(now)
	require.NoError(t, err)
	request := execute(contract.VerbCreate)
	request.Consumers = []contract.Consumer{{
		Provider: "github", Key: consumer.Primary(), Outputs: []string{"password", "plain-password", "absent"},
		Purpose: "github:secret:repo#/value",
	}, {Provider: "other", Key: consumer.Primary(), Outputs: []string{"arn"}}}
	h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
		return provider.Outputs{
			"arn": "arn:new", "size": 5, "password": provider.NewSecret(canary), "plain-password": canary + "!",
			"undeclared": provider.NewSecret(canary),
		}, nil
	}
	result, _ := h.run(t, request)
	require.JSONEq(t, `{"arn":"arn:new","size":5}`, string(result.Outputs))
	require.Len(t, result.SealedOutputs, 2)
	for _, sealed := range result.SealedOutputs {
		require.Equal(t, "github", sealed.Provider)
		require.Equal(t, consumer.Primary().ID, sealed.KeyID)
		opened, err := consumer.Open(sealed.Box, sealedbox.Expect{
			Audience: "tenant", Provider: "github", Purpose: "github:secret:repo#/value", Deployment: "deploy", Now: now,
		})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"password": canary, "plain-password": canary + "!"}[sealed.Output], opened.Value)
	}
}

func TestOpenedSecretsAreMaskedInAllThatIsSaid(t *testing.T) {
	h := build(t)
	var log bytes.Buffer
	h.provider.Use(provider.Runtime{Keys: h.keys, Log: hclog.New(&hclog.LoggerOptions{Output: &log, JSONFormat: true})})
	h.connect = func(_ context.Context, access provider.Access[Key, Place]) error {
		_, err := access.Open(access.Credentials.Secret)
		return err
	}
	const credential = "credential-77aa"
	box := h.seal(t, sealedbox.PurposeCredential, credential)
	properties := propertiesWith(t, "/secret", h.seal(t, "acme:bucket#/secret", canary))
	forms := []string{
		canary, credential, base64.StdEncoding.EncodeToString([]byte(canary)), url.QueryEscape(canary),
		strings.Trim(fmt.Sprintf("%q", canary), `"`),
	}
	said := strings.Join(forms, " ")
	h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
		_, err := op.Open(op.Properties.Secret)
		require.NoError(t, err)
		op.Log("info", "%s", said)
		op.Progress(0.1, said)
		if op.Properties.Size == 1 {
			panic(said)
		}
		failed := provider.Errorf(provider.RemoteError, "%s: %w", said, errors.New(said))
		failed.Detail = said
		return nil, failed
	}
	for range 2 { // the second call gets its client from the cache
		request := execute(contract.VerbCreate)
		request.Context.Credentials = json.RawMessage(`{"id":"x","encrypted_secret":"` + box + `"}`)
		request.Target.Properties = properties
		result, events := h.run(t, request)
		require.Equal(t, provider.RemoteError, kind(result), result.Diagnostics)
		require.Len(t, events, 2)
		everything, err := json.Marshal([]any{result, events, log.String()})
		require.NoError(t, err)
		for _, form := range forms {
			require.NotContains(t, string(everything), form)
		}
		require.Contains(t, string(everything), "***")
	}
	require.Equal(t, 1, h.connects)
}

func TestTheHeartbeatGoesOnWhileTheAuthorWorks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := build(t)
		h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
			time.Sleep(9 * time.Second)
			op.Progress(0.5, "half")
			time.Sleep(16 * time.Second)
			return nil, nil
		}
		var beats []contract.Progress
		_, err := h.provider.Execute(context.Background(), execute(contract.VerbCreate), func(e contract.Event) {
			beats = append(beats, *e.Progress)
		})
		require.NoError(t, err)
		require.Equal(t, []contract.Progress{
			{Fraction: -1}, {Fraction: 0.5, Message: "half"}, {Fraction: 0.5, Message: "half"}, {Fraction: 0.5, Message: "half"},
		}, beats)
	})
}
