package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const trustPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

const logPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`

var managedPolicies = []string{
	"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
	"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
}

// draft is a scenario of clouds in the making.
type draft struct {
	*scenario
	drawing
	objects []string // each in the bucket of its own number
	code    map[string]string
}

// Scenario is the brief's example with variations: a role, buckets with objects, functions with their code in them, and
// secrets that hold what the functions give out. All that is regional stands in two regions.
func (c *clouds) Scenario(drawn drawing) *scenario {
	d := &draft{scenario: newScenario(drawn.deploymentID, "aws", "github"), drawing: drawn, code: map[string]string{}}
	d.config.Targets = []rest.Target{{Provider: "aws", Regions: regions}}
	d.role()
	for i := range 1 + d.shape.IntN(2) {
		d.bucket(i)
		d.object(i)
	}
	functions := 1 + d.shape.IntN(2)
	for i := range functions {
		d.function(i)
	}
	for i := range 1 + d.shape.IntN(3) {
		d.secret(i, fmt.Sprintf("function-%d", d.shape.IntN(functions)))
	}
	return d.scenario
}

func resource(resourceType, verb string, properties any, references map[string]string) rest.Resource {
	encoded, _ := json.Marshal(properties) // plain values always encode
	return rest.Resource{Type: resourceType, Operation: verb, Properties: encoded, References: references}
}

func (d *draft) role() {
	attached := some(d.values, managedPolicies)
	inline := map[string]json.RawMessage{}
	if d.values.IntN(2) == 0 {
		inline["logs"] = json.RawMessage(logPolicy)
	}
	names := append([]string(nil), attached...)
	for name := range inline {
		names = append(names, name)
	}
	definition := resource("aws:iam:role", d.verb(), map[string]any{
		"role_name": d.config.DeploymentID + "-role", "assume_role_policy": json.RawMessage(trustPolicy),
		"managed_policies": attached, "inline_policies": inline,
	}, nil)
	d.add("role", definition, global, func(string) wanted {
		return always(map[string]string{"trust": canonical(trustPolicy), "policies": sorted(names)})
	})
}

func (d *draft) bucket(i int) {
	versioning, status := d.shape.IntN(3) == 0, ""
	if versioning {
		status = "Enabled"
	}
	definition := resource("aws:s3:bucket", d.verb(), map[string]any{
		"bucket_name": fmt.Sprintf("%s-b%d", d.config.DeploymentID, i), "versioning": versioning,
		"force_destroy": versioning, // old versions would keep the bucket from being deleted
	}, nil)
	d.add(fmt.Sprintf("bucket-%d", i), definition, regions, func(string) wanted {
		return always(map[string]string{"versioning": status})
	})
}

func (d *draft) object(i int) {
	id, bucket := fmt.Sprintf("object-%d", i), fmt.Sprintf("bucket-%d", i)
	content := strings.Repeat(strconv.FormatUint(d.values.Uint64(), 36), 10+d.values.IntN(200))
	sum := sha256.Sum256([]byte(content))
	d.objects = append(d.objects, id)
	d.code[id] = base64.StdEncoding.EncodeToString(sum[:])
	definition := resource("aws:s3:object", d.verb(), map[string]any{
		"key": fmt.Sprintf("code/%d.zip", i), "content": content, "content_type": "application/zip",
	}, map[string]string{"bucket": bucket})
	d.add(id, definition, regions, func(region string) wanted {
		return with(map[string]string{"sha256": hex.EncodeToString(sum[:]), "type": "application/zip"},
			"bucket", place{bucket, region}, "name")
	})
}

func (d *draft) function(i int) {
	from := d.shape.IntN(len(d.objects))
	memory, timeout := 128*(1+d.values.IntN(8)), 1+d.values.IntN(60)
	environment := map[string]string{}
	for j := range d.values.IntN(3) {
		environment[fmt.Sprintf("NAME_%d", j)] = strconv.Itoa(d.values.IntN(1000))
	}
	encoded, _ := json.Marshal(environment)
	definition := resource("aws:lambda:function", d.verb(), map[string]any{
		"function_name": fmt.Sprintf("%s-f%d", d.config.DeploymentID, i), "runtime": "python3.12", "handler": "main.run",
		"memory_size": memory, "timeout": timeout, "environment": environment,
	}, map[string]string{"role": "role", "code_bucket": fmt.Sprintf("bucket-%d", from), "code_key": d.objects[from]})
	d.add(fmt.Sprintf("function-%d", i), definition, regions, func(string) wanted {
		return with(map[string]string{
			"runtime": "python3.12", "handler": "main.run", "memory": strconv.Itoa(memory), "timeout": strconv.Itoa(timeout),
			"environment": string(encoded), "code": d.code[d.objects[from]],
		}, "role", place{"role", ""}, "arn")
	})
}

// secret holds a function's ARN, of one region or of whichever comes first, or a value that its author sealed.
func (d *draft) secret(i int, function string) {
	id := fmt.Sprintf("secret-%d", i)
	properties := map[string]any{"owner": githubOwner, "repo": githubRepo, "secret_name": fmt.Sprintf("CRASH_%d", i)}
	switch d.shape.IntN(3) {
	case 0:
		value := "hush-" + strconv.FormatUint(d.values.Uint64(), 36)
		d.secrets["/resources/"+id+"/properties/encrypted_value"] = secret{"github", "github:secret:repo", "/encrypted_value", value}
		d.add(id, resource("github:secret:repo", d.verb(), properties, nil), global, func(string) wanted {
			return always(map[string]string{"value": value})
		})
	case 1:
		d.arnSecret(id, properties, function+".arn", place{function, regions[0]})
	default:
		region := pick(d.shape, regions)
		d.arnSecret(id, properties, function+"@"+region+".arn", place{function, region})
	}
}

func (d *draft) arnSecret(id string, properties map[string]any, reference string, of place) {
	definition := resource("github:secret:repo", d.verb(), properties, map[string]string{"value_from": reference})
	d.add(id, definition, global, func(string) wanted { return with(nil, "value", of, "arn") })
}
