package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
)

// AWS is what boto3 finds in the stand-in: everything of these kinds, whoever made it.
type AWS struct {
	Roles     []Role     `json:"roles"`
	Functions []Function `json:"functions"`
	Buckets   []Bucket   `json:"buckets"`
}

// Role is an IAM role.
type Role struct {
	Name             string            `json:"name"`
	ARN              string            `json:"arn"`
	Path             string            `json:"path"`
	Description      string            `json:"description"`
	TrustPolicy      json.RawMessage   `json:"trust_policy"`
	AttachedPolicies []string          `json:"attached_policies"` // ARNs
	InlinePolicies   []string          `json:"inline_policies"`   // names
	Tags             map[string]string `json:"tags"`
}

// Function is a Lambda function in one region.
type Function struct {
	Name             string            `json:"name"`
	Region           string            `json:"region"`
	ARN              string            `json:"arn"`
	Role             string            `json:"role"` // ARN
	Runtime          string            `json:"runtime"`
	Handler          string            `json:"handler"`
	Description      string            `json:"description"`
	MemorySize       int               `json:"memory_size"`
	Timeout          int               `json:"timeout"`
	Environment      map[string]string `json:"environment"`
	Architectures    []string          `json:"architectures"`
	Layers           []string          `json:"layers"` // ARNs
	CodeSHA256       string            `json:"code_sha256"`
	State            string            `json:"state"`
	LastUpdateStatus string            `json:"last_update_status"`
	Tags             map[string]string `json:"tags"`
}

// Bucket is an S3 bucket with all its objects.
type Bucket struct {
	Name       string            `json:"name"`
	Region     string            `json:"region"`
	Versioning string            `json:"versioning"`
	Tags       map[string]string `json:"tags"`
	Objects    []Object          `json:"objects"`
}

// Object is an S3 object, without its content.
type Object struct {
	Key         string            `json:"key"`
	Size        int64             `json:"size"`
	ETag        string            `json:"etag"`
	ContentType string            `json:"content_type"`
	Metadata    map[string]string `json:"metadata"`
	Tags        map[string]string `json:"tags"`
}

// ReadBack reads all roles and buckets, and the functions of these regions, with boto3: functions in the regions' order, and
// everything by name.
func (m *Moto) ReadBack(ctx context.Context, regions ...string) (*AWS, error) {
	reader, err := script("readback.py")
	if err != nil {
		return nil, err
	}
	arguments := []string{reader, "--endpoint", m.URL}
	for _, region := range regions {
		arguments = append(arguments, "--region", region)
	}
	command := exec.CommandContext(ctx, m.Python, arguments...)
	// Any credentials will do for moto; these exist in this child only.
	command.Env = environment("AWS_ACCESS_KEY_ID=reader", "AWS_SECRET_ACCESS_KEY=reader", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("read AWS back: %w: %s", err, bytes.TrimSpace(complaints.Bytes()))
	}
	var found AWS
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("read AWS back: %w", err)
	}
	return &found, nil
}
