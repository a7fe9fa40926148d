package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

func (h *house) verify(t *testing.T) (*contract.VerifyResult, error) {
	request := execute(contract.VerbVerify)
	return h.provider.Verify(context.Background(), &contract.VerifyRequest{Context: request.Context, Target: request.Target})
}

func TestVerify(t *testing.T) {
	wrongNode := map[string]string{}
	for key, value := range labels {
		wrongNode[key] = value
	}
	wrongNode[contract.LabelNodeID] = "99999999"
	cases := map[string]struct {
		things []provider.Found
		lag    time.Duration
		want   map[string]contract.CheckStatus
	}{
		"absent":     {want: map[string]contract.CheckStatus{"exists": contract.CheckFail}},
		"lagging":    {lag: time.Second, want: map[string]contract.CheckStatus{"exists": contract.CheckUnknown}},
		"several":    {things: several, want: map[string]contract.CheckStatus{"exists": contract.CheckFail}},
		"there":      {things: ours, want: map[string]contract.CheckStatus{"exists": contract.CheckPass, "labels": contract.CheckPass, "size": contract.CheckPass}},
		"another's":  {things: other, want: map[string]contract.CheckStatus{"exists": contract.CheckPass, "labels": contract.CheckFail, "size": contract.CheckPass}},
		"wrong node": {things: []provider.Found{thing(wrongNode)}, want: map[string]contract.CheckStatus{"exists": contract.CheckPass, "labels": contract.CheckFail, "size": contract.CheckPass}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			h.things, h.lag = c.things, c.lag
			result, err := h.verify(t)
			require.NoError(t, err)
			got := map[string]contract.CheckStatus{}
			for _, check := range result.Checks {
				got[check.Name] = check.Status
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestVerifyAndFindFailWithAKind(t *testing.T) {
	h := build(t)
	h.findErr = errors.New("what")
	_, err := h.verify(t)
	require.Equal(t, provider.ProviderFault, contract.KindOf(err))
	require.NotContains(t, err.Error(), "what")
	h.findErr = nil
	h.things = ours
	h.check = func(context.Context, *provider.Operation[Bucket]) ([]provider.Check, error) { panic("oh") }
	_, err = h.verify(t)
	require.Equal(t, provider.ProviderFault, contract.KindOf(err))
	request := execute(contract.VerbVerify)
	request.Target.Type = "acme:what"
	_, err = h.provider.Find(context.Background(), &contract.FindRequest{Context: request.Context, Target: request.Target}, nil)
	require.Equal(t, provider.Unsupported, contract.KindOf(err))
}

func TestFind(t *testing.T) {
	h := build(t)
	h.things = []provider.Found{
		thing(labels), thing(others()), thing(nil),
		{Identity: "arn:pending", Labels: labels, Outputs: provider.Outputs{"password": provider.NewSecret(canary), "size": 5}},
	}
	request := execute(contract.VerbCreate)
	find := &contract.FindRequest{Context: request.Context, Target: request.Target}
	var found []contract.Found
	end, err := h.provider.Find(context.Background(), find, func(f contract.Found) { found = append(found, f) })
	require.NoError(t, err)
	require.Equal(t, contract.Complete, end.Completeness)
	require.Len(t, found, 4)
	require.Equal(t, []contract.Ownership{contract.OwnershipOurs, contract.OwnershipOther, contract.OwnershipNobody, contract.OwnershipOurs},
		[]contract.Ownership{found[0].Ownership, found[1].Ownership, found[2].Ownership, found[3].Ownership})
	require.True(t, found[0].Ready)
	require.JSONEq(t, `{"arn":"arn:old"}`, string(found[0].Outputs))
	require.False(t, found[3].Ready)
	require.JSONEq(t, `{"size":5}`, string(found[3].Outputs))

	h.things, h.lag = nil, time.Minute
	end, err = h.provider.Find(context.Background(), find, func(contract.Found) { t.Fatal("nothing is there") })
	require.NoError(t, err)
	require.Equal(t, contract.Inconclusive, end.Completeness)
	require.Equal(t, time.Minute, end.RetryAfter)
}

func TestCheckCredentials(t *testing.T) {
	identify := provider.Identify(func(_ context.Context, v *vendor) (provider.Principal, error) {
		return provider.Principal{Account: "123", Principal: "me", ExpiresAt: now}, v.findErr
	})
	h := build(t, provider.TypeOf(buckets{discovery: contract.DiscoverByLabel}), identify)
	request := &contract.CheckCredentialsRequest{
		Context: callContext(), Identify: true,
		SealedValues: []contract.SealedValue{
			{Type: "acme:bucket", Pointer: "/secret", Ref: "one/secret", Box: h.seal(t, "acme:bucket#/secret", canary)},
			{Type: "acme:bucket", Pointer: "/secret", Ref: "two", Box: h.seal(t, "acme:bucket#/secret", canary)},
		},
	}
	request.Context.Credentials = json.RawMessage(`{"id":"x","encrypted_secret":"` + h.seal(t, sealedbox.PurposeCredential, "c") + `"}`)
	check := func() (*contract.CheckCredentialsResult, error) {
		return h.provider.CheckCredentials(context.Background(), request)
	}
	result, err := check()
	require.NoError(t, err)
	require.Empty(t, result.Diagnostics)
	require.Equal(t, []any{"123", "me", now}, []any{result.Account, result.Principal, result.ExpiresAt})
	require.Len(t, result.Fingerprints, 2)
	require.Equal(t, result.Fingerprints["one/secret"], result.Fingerprints["two"])

	h.findErr = provider.Errorf(provider.CredentialsExpired, "expired")
	result, err = check()
	require.NoError(t, err)
	require.Equal(t, provider.CredentialsExpired, result.Diagnostics[0].Kind)
	h.findErr = errors.New("what")
	_, err = check()
	require.Equal(t, provider.ProviderFault, contract.KindOf(err))

	request.SealedValues[0].Type, request.SealedValues[1].Pointer = "acme:other", "/env/A"
	request.Context.Credentials = json.RawMessage(`{"id":"x","encrypted_secret":"AAAA"}`)
	result, err = check()
	require.NoError(t, err)
	require.Empty(t, result.Fingerprints)
	require.Empty(t, result.Account, "nobody is asked with what cannot be opened")
	pointers := []string{}
	for _, diagnostic := range result.Diagnostics {
		require.Equal(t, provider.DecryptionFailed, diagnostic.Kind)
		pointers = append(pointers, diagnostic.Pointer)
	}
	require.Equal(t, []string{"/encrypted_secret", "one/secret", "two/env/A"}, pointers)

	request.Context.Credentials = json.RawMessage(`{"id":"x","surprise":"y"}`)
	result, err = check()
	require.NoError(t, err)
	require.Equal(t, provider.InvalidInput, result.Diagnostics[0].Kind)
	require.Equal(t, "/surprise", result.Diagnostics[0].Pointer)
}

func TestPlainBoxesAreTakenWhereTheHostAllowsThem(t *testing.T) {
	h := build(t)
	box, err := sealedbox.SealPlain(h.keys.Primary().Key, []byte("plain"))
	require.NoError(t, err)
	request := &contract.CheckCredentialsRequest{Context: callContext()}
	request.Context.Credentials = json.RawMessage(`{"id":"x","encrypted_secret":"` + box + `"}`)
	for _, allowed := range []bool{true, false} {
		request.Context.AllowPlainBoxes = allowed
		result, err := h.provider.CheckCredentials(context.Background(), request)
		require.NoError(t, err)
		require.Equal(t, allowed, len(result.Diagnostics) == 0)
	}
}

func TestValidate(t *testing.T) {
	h := build(t, provider.TypeOf(buckets{discovery: contract.DiscoverByLabel, validate: func(
		b Bucket, roles provider.References,
	) []provider.Diagnostic {
		switch {
		case b.Size == 13:
			panic("unlucky")
		case b.Size == 0 && !roles.Has("size-from"):
			return []provider.Diagnostic{{Summary: "a size is needed", Pointer: "/size"}}
		}
		return nil
	}}))
	item := func(properties string, roles ...string) contract.ValidateItem {
		return contract.ValidateItem{Type: "acme:bucket", Properties: json.RawMessage(properties), Roles: roles}
	}
	judged, err := h.provider.Validate(context.Background(), []contract.ValidateItem{
		item(`{"name":"x","size":1}`), item(`{"name":"x"}`), item(`{"name":"x"}`, "size-from"), item(`{"nmae":"x"}`),
		item(`{"size":13}`), {Type: "acme:what"},
	})
	require.NoError(t, err)
	require.Len(t, judged, 6)
	require.Empty(t, judged[0])
	require.Equal(t, []contract.Diagnostic{{
		Severity: contract.SeverityError, Kind: provider.InvalidInput, Summary: "a size is needed", Pointer: "/size",
		Retry: contract.RetryAfterFix,
	}}, judged[1])
	require.Empty(t, judged[2])
	require.Equal(t, "/nmae", judged[3][0].Pointer)
	require.Equal(t, provider.ProviderFault, judged[4][0].Kind)
	require.Equal(t, provider.Unsupported, judged[5][0].Kind)
}
