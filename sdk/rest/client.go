package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls a host. Its methods can be used by any number of goroutines at once. Errors that a host answers with are
// *ProblemError, matched by kind: errors.Is(err, rest.KindConflict).
type Client struct {
	base   *url.URL
	http   http.Client
	key    string
	wait   time.Duration
	follow followSettings
}

// Option changes a client.
type Option func(*Client)

// WithKey sends an API key with every call.
func WithKey(key string) Option { return func(c *Client) { c.key = key } }

// WithHTTPClient sends calls through another HTTP client. It must have no timeout of its own: contexts say how long a call
// may take. Redirects are never followed.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) { c.http = *client }
}

// WithWait sets how long the host is asked to hold an answer back (20 s): shorter than what gateways in between allow.
func WithWait(wait time.Duration) Option { return func(c *Client) { c.wait = wait } }

// WithRetry sets how a lost connection is got back, by a follower of events and by a command whose answer did not come: how often in
// a row it is tried, and how long the client waits before the first time and at most.
func WithRetry(tries int, first, most time.Duration) Option {
	return func(c *Client) { c.follow.tries, c.follow.first, c.follow.most = tries, first, most }
}

// WithSilence sets how long a stream may say nothing, not even that it lives, before it is given up (60 s).
func WithSilence(silence time.Duration) Option {
	return func(c *Client) { c.follow.silence = silence }
}

// NewClient makes a client of the host at a base URL such as "http://127.0.0.1:8080".
func NewClient(baseURL string, options ...Option) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("the server must be a URL such as https://deploy.example.com")
	}
	c := &Client{base: base, wait: 20 * time.Second, follow: defaultFollow()}
	for _, option := range options {
		option(c)
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// Plan validates a deployment and says what it would do. A deployment that is not valid is an answer, not an error.
func (c *Client) Plan(ctx context.Context, request *PlanRequest, options ...CallOption) (*PlanResponse, error) {
	body, err := bodyOf(request, options)
	if err != nil {
		return nil, err
	}
	return once[PlanResponse](ctx, c, "/deploy/plan", http.Header{}, body, collect(options).key)
}

// StoredPlan reads a plan that was stored.
func (c *Client) StoredPlan(ctx context.Context, graphID string) (*PlanResponse, error) {
	return call[PlanResponse](ctx, c, http.MethodGet, path("deploy", "plan", graphID), nil, nil)
}

// Run reads the result of a run, finished or not.
func (c *Client) Run(ctx context.Context, runID string) (*RunResult, error) {
	return call[RunResult](ctx, c, http.MethodGet, path("deploy", "runs", runID), nil, nil)
}

// Runs lists runs, newest first.
func (c *Client) Runs(ctx context.Context, query RunsQuery) (*RunList, error) {
	values := pageValues(query.ListQuery)
	setValue(values, "deployment_id", query.DeploymentID)
	setValue(values, "graph_id", query.GraphID)
	setValue(values, "kind", query.Kind)
	setValue(values, "status", query.Status)
	if !query.Since.IsZero() {
		values.Set("since", query.Since.String())
	}
	return call[RunList](ctx, c, http.MethodGet, "/deploy/runs", values, nil)
}

// History lists the spec graphs of a deployment with their runs, newest first.
func (c *Client) History(ctx context.Context, deploymentID string, query ListQuery) (*History, error) {
	return call[History](ctx, c, http.MethodGet, path("deploy", "history", deploymentID), pageValues(query), nil)
}

// Compare says what is different between two spec graphs of a deployment.
func (c *Client) Compare(ctx context.Context, from, to string) (*Comparison, error) {
	return call[Comparison](ctx, c, http.MethodGet, "/deploy/compare", url.Values{"from": {from}, "to": {to}}, nil)
}

// Deployments lists deployments, newest first.
func (c *Client) Deployments(ctx context.Context, query ListQuery) (*DeploymentList, error) {
	return call[DeploymentList](ctx, c, http.MethodGet, "/deployments", pageValues(query), nil)
}

// Discover looks outside for what is deployed, and makes its records anew. It changes nothing outside.
func (c *Client) Discover(ctx context.Context, request *DiscoverRequest, options ...CallOption) (*DiscoverResponse, error) {
	body, err := bodyOf(request, options)
	if err != nil {
		return nil, err
	}
	return once[DiscoverResponse](ctx, c, "/deploy/discover", http.Header{}, body, collect(options).key)
}

// Forget deletes the records of a deployment that is destroyed.
func (c *Client) Forget(ctx context.Context, deploymentID string) error {
	response, err := c.send(ctx, http.MethodDelete, path("deployments", deploymentID), nil, nil, nil)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Status says how a graph's latest run stands, or the one that runID names.
func (c *Client) Status(ctx context.Context, graphID, runID string) (*StatusResponse, error) {
	return call[StatusResponse](ctx, c, http.MethodGet, path("deploy", "status", graphID), runValues(runID), nil)
}

// Graph reads a graph as JSON: view is spec or execution.
func (c *Client) Graph(ctx context.Context, graphID, runID, view string) (json.RawMessage, error) {
	return c.GraphAs(ctx, graphID, runID, view, "")
}

// GraphAs reads a graph in a format: json, mgraph, dot or mermaid.
func (c *Client) GraphAs(ctx context.Context, graphID, runID, view, format string) ([]byte, error) {
	values := runValues(runID)
	setValue(values, "view", view)
	setValue(values, "format", format)
	header := http.Header{"Accept": {"*/*"}}
	response, err := c.send(ctx, http.MethodGet, path("deploy", "graph", graphID), values, header, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return text, nil
}

// Logs reads what the operations of a node logged; a resource id will do.
func (c *Client) Logs(ctx context.Context, graphID, runID, node string) (*LogList, error) {
	return call[LogList](ctx, c, http.MethodGet, path("deploy", "logs", graphID, node), runValues(runID), nil)
}

// Outputs reads what the operations of a node gave out; a resource id will do.
func (c *Client) Outputs(ctx context.Context, graphID, runID, node string) (*OutputList, error) {
	return call[OutputList](ctx, c, http.MethodGet, path("deploy", "outputs", graphID, node), runValues(runID), nil)
}

// PublicKeys reads the keys to seal a provider's values with.
func (c *Client) PublicKeys(ctx context.Context, provider string) (*PublicKeys, error) {
	return call[PublicKeys](ctx, c, http.MethodGet, path("public-keys", provider), nil, nil)
}

// Providers lists the providers.
func (c *Client) Providers(ctx context.Context) (*ProviderList, error) {
	return call[ProviderList](ctx, c, http.MethodGet, "/providers", nil, nil)
}

// Provider reads one provider.
func (c *Client) Provider(ctx context.Context, name string) (*ProviderStatus, error) {
	return call[ProviderStatus](ctx, c, http.MethodGet, path("providers", name), nil, nil)
}

// ReloadProviders has the host look for provider executables again.
func (c *Client) ReloadProviders(ctx context.Context) (*ProviderList, error) {
	return call[ProviderList](ctx, c, http.MethodPost, "/providers/reload", nil, []byte("{}"))
}

// ResourceTypes lists what can be deployed.
func (c *Client) ResourceTypes(ctx context.Context) (*ResourceTypeList, error) {
	return call[ResourceTypeList](ctx, c, http.MethodGet, "/resource-types", nil, nil)
}

// ResourceType reads one type.
func (c *Client) ResourceType(ctx context.Context, name string) (*ResourceType, error) {
	return call[ResourceType](ctx, c, http.MethodGet, path("resource-types", name), nil, nil)
}

// Health fails while the host takes no requests.
func (c *Client) Health(ctx context.Context) error {
	_, err := call[Health](ctx, c, http.MethodGet, "/info/health", nil, nil)
	return err
}

// SystemStatus says how the host and its parts are.
func (c *Client) SystemStatus(ctx context.Context) (*SystemStatus, error) {
	return call[SystemStatus](ctx, c, http.MethodGet, "/info/status", nil, nil)
}

// Version says which version the host is.
func (c *Client) Version(ctx context.Context) (*Version, error) {
	return call[Version](ctx, c, http.MethodGet, "/info/version", nil, nil)
}

// Whoami says whom the host takes the caller for.
func (c *Client) Whoami(ctx context.Context) (*Whoami, error) {
	return call[Whoami](ctx, c, http.MethodGet, "/info/whoami", nil, nil)
}

// CreateKey makes an API key.
func (c *Client) CreateKey(ctx context.Context, request *KeyRequest) (*CreatedKey, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	return call[CreatedKey](ctx, c, http.MethodPost, "/keys", nil, body)
}

// Keys lists API keys.
func (c *Client) Keys(ctx context.Context) (*KeyList, error) {
	return call[KeyList](ctx, c, http.MethodGet, "/keys", nil, nil)
}

// RevokeKey revokes an API key at once.
func (c *Client) RevokeKey(ctx context.Context, tenant, name string) error {
	response, err := c.send(ctx, http.MethodDelete, path("keys", tenant, name), nil, nil, nil)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// path escapes each segment.
func path(segments ...string) string {
	var out strings.Builder
	for _, segment := range segments {
		out.WriteString("/" + url.PathEscape(segment))
	}
	return out.String()
}

func setValue(values url.Values, name, value string) {
	if value != "" {
		values.Set(name, value)
	}
}

func runValues(runID string) url.Values {
	values := url.Values{}
	setValue(values, "run", runID)
	return values
}

func pageValues(query ListQuery) url.Values {
	values := url.Values{}
	if query.Limit > 0 {
		values.Set("limit", strconv.Itoa(query.Limit))
	}
	setValue(values, "cursor", query.Cursor)
	return values
}

// call sends a request and reads one JSON value.
func call[T any](ctx context.Context, c *Client, method, path string, query url.Values, body []byte) (*T, error) {
	response, err := c.send(ctx, method, path, query, nil, body)
	if err != nil {
		return nil, err
	}
	return read[T](response)
}

func read[T any](response *http.Response) (*T, error) {
	defer func() { _ = response.Body.Close() }()
	var value T
	if err := json.NewDecoder(response.Body).Decode(&value); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return &value, nil
}

// send answers with a success, or an error.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, header http.Header, body []byte) (*http.Response, error) {
	address := strings.TrimSuffix(c.base.String(), "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		defer func() { _ = response.Body.Close() }()
		return nil, problemOf(response)
	}
	return response, nil
}

// maxProblem bounds what is read of an error.
const maxProblem = 1 << 20

// problemOf reads an error answer. One that is not of this API, such as a gateway's, is told by its status alone.
func problemOf(response *http.Response) error {
	problem := &ProblemError{}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	err := json.NewDecoder(io.LimitReader(response.Body, maxProblem)).Decode(&problem.Problem)
	if mediaType != "application/problem+json" || err != nil || problem.Kind == "" {
		return &ProblemError{Problem{
			Kind: KindUnexpected, Status: response.StatusCode, Title: "Unexpected answer",
			Detail: fmt.Sprintf("HTTP status %d, and no problem of this API", response.StatusCode),
		}}
	}
	return problem
}
