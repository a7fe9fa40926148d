package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// clouds is a world of AWS and GitHub: a moto server and a GitHub fake of its own, both behind a tap.
type clouds struct {
	moto    *standin.Moto
	github  atomic.Pointer[githubfake.Fake]
	tap     *tap
	awsURL  string
	gitURL  string
	iam     *iam.Client
	buckets *s3.Client
	lambda  map[string]*lambda.Client // by region
}

var _ world = (*clouds)(nil)

// What the throwaway credentials say. No stand-in holds anything of value.
const (
	accessKey   = "AKIACRASHTEST"
	secretKey   = "crash-secret-access-key"
	githubToken = "ghp_crashtest"
	githubOwner = "crash-org"
	githubRepo  = "crash-repo"
)

func newClouds(ctx context.Context, log io.Writer) (world, error) {
	moto, err := standin.StartMoto(ctx, log)
	if err != nil {
		return nil, err
	}
	c := &clouds{moto: moto, tap: &tap{}}
	if err := errors.Join(c.open(), c.Reset(ctx)); err != nil {
		c.Close()
		return nil, err
	}
	c.connect()
	return c, nil
}

func (c *clouds) open() error {
	toMoto, err := forward(c.moto.URL)
	if err != nil {
		return err
	}
	if c.awsURL, err = c.tap.open("aws", toMoto); err != nil {
		return err
	}
	c.gitURL, err = c.tap.open("github", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.github.Load().ServeHTTP(w, r)
	}))
	return err
}

// connect makes the clients that the checker reads with. They go past the tap.
func (c *clouds) connect() {
	config := sdk.Config{
		BaseEndpoint: sdk.String(c.moto.URL), Region: regions[0],
		Credentials: credentials.NewStaticCredentialsProvider("reader", "reader", ""),
	}
	c.iam = iam.NewFromConfig(config)
	c.buckets = s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	c.lambda = map[string]*lambda.Client{}
	for _, region := range regions {
		c.lambda[region] = lambda.NewFromConfig(config, func(o *lambda.Options) { o.Region = region })
	}
}

func (c *clouds) Settings() map[string]any {
	return map[string]any{"aws": map[string]string{"endpoint": c.awsURL}, "github": map[string]string{"endpoint": c.gitURL}}
}

func (c *clouds) Tap() *tap { return c.tap }

func (c *clouds) Close() {
	c.tap.close()
	c.moto.Stop()
}

// Reset empties both: moto by its own means, GitHub by another fake.
func (c *clouds) Reset(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.moto.URL+"/moto-api/reset", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("reset moto: %w", err)
	}
	fake := githubfake.New(githubfake.Options{})
	fake.AddToken(githubfake.Token{Value: githubToken, Login: githubOwner, Scopes: []string{"repo"}})
	err = fake.AddRepo(githubfake.Repo{Owner: githubOwner, Name: githubRepo, Private: true})
	c.github.Store(fake)
	return errors.Join(err, response.Body.Close())
}

// Read lists all that exists in both.
func (c *clouds) Read(ctx context.Context) ([]thing, error) {
	var all []thing
	for _, read := range []func(context.Context) ([]thing, error){c.roles, c.functions, c.bucketsAndObjects} {
		found, err := read(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the stand-in: %w", err)
		}
		all = append(all, found...)
	}
	for _, secret := range c.github.Load().Secrets(githubOwner, githubRepo) {
		all = append(all, thing{
			Type: "github:secret:repo", Name: secret.Name, Values: map[string]string{"value": secret.Value},
		})
	}
	return all, nil
}
