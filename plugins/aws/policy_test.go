package aws

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func policy(t require.TestingT, text string) Policy {
	var document Policy
	require.NoError(t, json.Unmarshal([]byte(text), &document))
	return document
}

func TestDocumentsThatMeanTheSameAreTheSame(t *testing.T) {
	const wanted = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	for name, test := range map[string]struct {
		wanted, actual string
		same           bool
	}{
		"spaces and order":   {wanted, `{ "Statement": [ {"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}} ], "Version":"2012-10-17"}`, true},
		"lists of one":       {wanted, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com"]},"Action":["sts:AssumeRole"]}}`, true},
		"another service":    {wanted, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, false},
		"one statement more": {wanted, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":"*","Action":"*"}]}`, false},
		"account and root": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["123456789012","arn:aws:iam::210987654321:user/a"]},"Action":"sts:AssumeRole"}]}`,
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::210987654321:user/a","arn:aws:iam::123456789012:root"]},"Action":"sts:AssumeRole"}]}`, true,
		},
		"condition values": {
			`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":["b","a"],"Condition":{"Bool":{"aws:SecureTransport":true}}}]}`,
			`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":["a","b"],"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, true,
		},
		"condition differs": {
			`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"a","Condition":{"Bool":{"aws:SecureTransport":true}}}]}`,
			`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"a"}]}`, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.same, samePolicy(policy(t, test.wanted), url.PathEscape(test.actual)))
		})
	}
}

func TestADocumentThatCannotBeReadIsAnother(t *testing.T) {
	require.False(t, samePolicy(Policy{}, "%zz"))
	require.False(t, samePolicy(Policy{}, "no json"))
}

func TestCanonicalFormIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9:*]{1,8}`), 1, 4)
		statement := map[string]any{"Effect": "Allow", "Action": anyOf(texts.Draw(t, "actions")), "Resource": anyOf(texts.Draw(t, "resources"))}
		document := Policy{"Version": "2012-10-17", "Statement": []any{statement}}
		text, err := document.document()
		require.NoError(t, err)
		require.True(t, samePolicy(document, url.PathEscape(text)), "a document is the same as what IAM gives back of it")
		again := Policy(document.canonical().(map[string]any))
		roundTrip := policy(t, string(jsonOf(again)))
		require.Equal(t, string(jsonOf(again)), string(jsonOf(roundTrip.canonical())))
	})
}

// FuzzPolicies takes what IAM might return: whatever it is, comparing it neither panics nor depends on the side.
func FuzzPolicies(f *testing.F) {
	f.Add(url.PathEscape(`{"Statement":[{"Action":"a","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Condition":{"Bool":{"k":true}}}]}`))
	f.Add(`{"Statement":{"Principal":"*","Condition":"none"}}`)
	f.Add(`{"Statement":[null,1,["x"]],"Version":null}`)
	f.Add("%zz")
	f.Fuzz(func(t *testing.T, encoded string) {
		read, err := decodePolicy(encoded)
		if err != nil {
			require.False(t, samePolicy(Policy{}, encoded))
			return
		}
		require.True(t, samePolicy(read, encoded))
		text, err := read.document()
		require.NoError(t, err)
		require.True(t, samePolicy(read, url.PathEscape(text)))
	})
}

func anyOf(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}
