package aws

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

func expandFull(t *testing.T, properties string, roles ...string) *contract.ExpandResult {
	t.Helper()
	made, err := New("1.0.0")
	require.NoError(t, err)
	result, err := made.Expand(t.Context(), &contract.ExpandRequest{
		Type: "aws:lambda:full", Properties: json.RawMessage(properties), Roles: roles,
	})
	require.NoError(t, err)
	require.Empty(t, result.Diagnostics)
	return result
}

func TestAFullFunctionIsARoleAndAFunction(t *testing.T) {
	result := expandFull(t, `{"function_name": "api", "runtime": "python3.12", "handler": "h.run", "memory_size": 256,
		"inline_policies": {"read": {"Statement": [{"Effect": "Allow"}]}}}`, "code_bucket", "code_key")
	require.Equal(t, map[string]string{"arn": "function.arn", "function_name": "function.function_name", "role_arn": "role.arn"}, result.Outputs)
	role, function := result.Nodes[0], result.Nodes[1]
	require.Equal(t, []string{"role", "aws:iam:role"}, []string{role.LocalName, role.Type})
	require.JSONEq(t, `{"role_name": "api-role", "managed_policies": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
		"inline_policies": {"read": {"Statement": [{"Effect": "Allow"}]}},
		"assume_role_policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
			"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}`, string(role.Properties))
	require.Equal(t, []string{"function", "aws:lambda:function"}, []string{function.LocalName, function.Type})
	require.JSONEq(t, `{"function_name": "api", "runtime": "python3.12", "handler": "h.run", "memory_size": 256}`,
		string(function.Properties), "what references fill is not written")
	require.Equal(t, map[string]string{"role": "role", "code_bucket": "$code_bucket", "code_key": "$code_key"}, function.References)

	own := expandFull(t, `{"function_name": "api", "runtime": "x", "handler": "h.run", "code_s3_bucket": "b", "code_s3_key": "k",
		"role_name": "mine", "managed_policies": [], "assume_role_policy": {"Statement": [{"Effect": "Deny"}]}}`)
	require.JSONEq(t, `{"role_name": "mine", "assume_role_policy": {"Statement": [{"Effect": "Deny"}]}}`, string(own.Nodes[0].Properties))
	require.Contains(t, string(own.Nodes[1].Properties), `"code_s3_bucket":"b"`)
	require.Equal(t, map[string]string{"role": "role"}, own.Nodes[1].References)
}

func TestAFullFunctionsRoleIsValidated(t *testing.T) {
	made, err := New("1.0.0")
	require.NoError(t, err)
	judged, err := made.Validate(t.Context(), []contract.ValidateItem{
		{Type: "aws:lambda:full", Properties: json.RawMessage(`{"function_name": "api"}`)},
		{Type: "aws:lambda:full", Properties: json.RawMessage(`{"function_name": "api", "inline_policies": {"bad name": {}}}`)},
	})
	require.NoError(t, err)
	require.Empty(t, judged[0])
	require.Equal(t, "/inline_policies", judged[1][0].Pointer)
}

func TestWhatIsRequiredOfAFunctionStaysRequired(t *testing.T) {
	made, err := New("1.0.0")
	require.NoError(t, err)
	about, err := made.Describe(t.Context())
	require.NoError(t, err)
	for name, wanted := range map[string][]string{
		"aws:lambda:function": {"function_name", "runtime", "handler", "code_s3_bucket", "code_s3_key", "role"},
		"aws:lambda:full":     {"function_name", "runtime", "handler", "code_s3_bucket", "code_s3_key"},
	} {
		kind, _ := about.Type(name)
		var schema struct{ Required []string }
		require.NoError(t, json.Unmarshal(kind.Schema, &schema))
		require.ElementsMatch(t, wanted, schema.Required, name)
	}
}
