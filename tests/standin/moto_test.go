package standin_test

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMotoIsReadBack(t *testing.T) {
	// A half-set AWS environment would make moto's Lambda calls fail.
	t.Setenv("AWS_ACCESS_KEY_ID", "half-set")
	moto := standin.RunMoto(t)
	out, err := exec.Command(moto.Python, "testdata/make.py", moto.URL).CombinedOutput()
	require.NoError(t, err, "%s", out)

	aws, err := moto.ReadBack(t.Context(), "us-east-1", "eu-west-2")
	require.NoError(t, err)

	labels := map[string]string{"graph-id": "aaaa1111"}
	require.Len(t, aws.Roles, 1)
	role := aws.Roles[0]
	require.Equal(t, "arn:aws:iam::123456789012:role/deploy/runner", role.ARN)
	require.Equal(t, []string{"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}, role.AttachedPolicies)
	require.Equal(t, labels, role.Tags)
	require.Contains(t, string(role.TrustPolicy), "lambda.amazonaws.com")

	require.Len(t, aws.Functions, 2)
	for n, region := range []string{"us-east-1", "eu-west-2"} {
		function := aws.Functions[n]
		require.Equal(t, "arn:aws:lambda:"+region+":123456789012:function:app", function.ARN)
		require.Equal(t, role.ARN, function.Role)
		require.Equal(t, map[string]string{"STAGE": "dev"}, function.Environment)
		require.Equal(t, [2]int{256, 7}, [2]int{function.MemorySize, function.Timeout})
		require.Equal(t, "Active", function.State)
		require.Equal(t, labels, function.Tags)
	}

	require.Len(t, aws.Buckets, 2)
	for _, bucket := range aws.Buckets {
		require.Equal(t, "code-"+bucket.Region, bucket.Name)
		require.Equal(t, labels, bucket.Tags)
		require.Len(t, bucket.Objects, 1)
		require.Equal(t, "app.zip", bucket.Objects[0].Key)
		require.Equal(t, map[string]string{"made-by": "test"}, bucket.Objects[0].Metadata)
		require.Equal(t, map[string]string{"a": "b"}, bucket.Objects[0].Tags)
		require.Positive(t, bucket.Objects[0].Size)
	}
}

func TestMotoIsEmptyAtItsStart(t *testing.T) {
	aws, err := standin.RunMoto(t).ReadBack(t.Context(), "us-east-1")
	require.NoError(t, err)
	require.Equal(t, &standin.AWS{Roles: []standin.Role{}, Functions: []standin.Function{}, Buckets: []standin.Bucket{}}, aws)
}

func TestMotoStops(t *testing.T) {
	moto := standin.RunMoto(t)
	pid := moto.PID()
	require.NoError(t, syscall.Kill(pid, 0))
	moto.Stop()
	moto.Stop()
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	_, err := http.Get(moto.URL)
	require.Error(t, err)
	_, err = moto.ReadBack(t.Context())
	require.Error(t, err, "a reader that reaches nothing must not say that there is nothing")
}

func TestMotoStartIsBounded(t *testing.T) {
	_, err := standin.Python(t.Context()) // so that no environment has to be made in the time below
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = standin.StartMoto(ctx, nil)
	require.Error(t, err)
}

func TestReaderRefusesOtherHosts(t *testing.T) {
	moto := standin.RunMoto(t)
	for _, endpoint := range []string{"https://iam.amazonaws.com", "http://10.0.0.1:80", "nonsense"} {
		elsewhere := standin.Moto{URL: endpoint, Python: moto.Python}
		_, err := elsewhere.ReadBack(t.Context())
		require.Error(t, err)
		require.True(t, strings.Contains(err.Error(), "not on loopback"), "%v", err)
	}
}
