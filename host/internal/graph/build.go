package graph

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Catalog is what the providers that were picked for a graph say of themselves.
type Catalog interface {
	// Type looks a resource type up by its full name.
	Type(name string) (*contract.ResourceType, bool)
	// Provider looks a provider up: the version that was picked, and its description.
	Provider(name string) (Pin, *contract.Description, bool)
}

// KnownResource is a logical resource that the deployment has already. Names are its physical names by region.
type KnownResource struct {
	ResourceID string
	Type       string
	NodeID     string
	Names      map[string]string
}

// Input is what a spec graph is built from.
type Input struct {
	Config  *rest.Config
	Catalog Catalog
	Known   []KnownResource
	// GraphID and Version are the new graph's; Version "" takes that of Config.
	GraphID string
	Version string
	// NewID draws 8 random lowercase hex characters.
	NewID func() string
	// Owner is what the owner label will hold: checked against the limits of labels.
	Owner string
	// Prefix is where Config stands in the request ("/config"): every pointer begins with it.
	Prefix string
	// SealedProperties are boxes that stand beside the config, by pointer "/resources/x/properties/y".
	SealedProperties map[string]string
	// Schemas remembers compiled schemas from one Build to the next; nil for none.
	Schemas *Schemas
	// Expand asks the provider of a composite type what a resource of it consists of; nil when it could not be asked.
	Expand func(*contract.ExpandRequest) *contract.ExpandResult
}

// Built is a spec graph, and what was given with it and is no part of it.
type Built struct {
	Spec *Spec
	// Subgraphs are what the composites of Spec consist of, one for each, the inner ones behind those that they are in.
	Subgraphs []*Spec
	// Sealed are the boxes of sensitive properties, by provider.
	Sealed   map[string][]SealedValue
	Warnings []string
}

// SealedValue is one sensitive property: its pointer into the properties of its resource, and the box that was given.
type SealedValue struct {
	NodeID     string
	ResourceID string
	Type       string
	Pointer    string
	Box        string
}

// String hides the box.
func (v SealedValue) String() string { return v.ResourceID + v.Pointer + " ***" }

// GoString hides the box.
func (v SealedValue) GoString() string { return v.String() }

// Paired says whether two nodes go region by region: they are of one provider and have the same regions.
func Paired(a, b *Node) bool {
	if a.Provider() != b.Provider() || len(a.Regions) != len(b.Regions) {
		return false
	}
	for i := range a.Regions {
		if a.Regions[i] != b.Regions[i] {
			return sameSet(a.Regions, b.Regions)
		}
	}
	return true
}

func sameSet(a, b []string) bool {
	in := make(map[string]bool, len(a))
	for _, region := range a {
		in[region] = true
	}
	for _, region := range b {
		if !in[region] {
			return false
		}
	}
	return true
}

// Build turns a configuration into a spec graph, or says everything that is wrong with it. It draws ids, and does nothing else.
func Build(in Input) (*Built, []Problem) {
	b := newBuilder(in)
	b.checkDeployment()
	b.readTargets()
	b.index()
	b.readSealed()
	for i := range b.top {
		b.startNode(i)
		b.expand(i, nil)
	}
	for i := range b.resources {
		b.connect(i)
	}
	for i := range b.resources {
		b.finishNode(i)
	}
	b.findCycles()
	b.flatten()
	b.checkSize()
	if len(b.problems) > 0 {
		return nil, b.sorted()
	}
	b.nameEdges()
	built := &Built{Spec: b.spec, Sealed: b.sealed, Warnings: b.warnings, Subgraphs: b.subgraphs()}
	b.arrange()
	return built, nil
}

// builder holds one Build. Nodes stand at the index of their resource all the time: first the resources of the configuration,
// top many, then the parts of composites, each behind the composite it is in.
type builder struct {
	in        *Input
	resources []*rest.NamedResource
	top       int
	// composites is how many were expanded.
	composites int
	spec       *Spec
	kinds      kinds
	byID       map[string]int            // resource id to index
	known      map[string]*KnownResource // by resource id
	drawn      map[string]bool           // node ids that are taken
	regions    map[string][]string       // of a provider's regional resources
	states     []nodeState
	places     map[string]bool // type, name and place of everything so far
	parser     document.Parser // of properties, one resource after the other
	scratch    []byte
	edges      edgeSet
	order      []int                        // by the edges
	flat       []pendingEdge                // edges without composites
	given      map[string]map[string]string // boxes from beside the config, by resource and pointer
	sealed     map[string][]SealedValue
	warnings   []string
	problems   []located
}

// nodeState is what is known of a node while it is built; kind is nil when its type is unknown. The rest is about composites:
// see expand.
type nodeState struct {
	kind      *resourceKind
	global    bool
	part      *part
	expansion *expansion
}

// located is a problem and the resource it belongs to, -1 for none: problems are given in the order of the document.
type located struct {
	resource int
	Problem
}

func newBuilder(in Input) *builder {
	n := len(in.Config.Resources)
	resources := make([]*rest.NamedResource, n)
	for i := range resources {
		resources[i] = &in.Config.Resources[i]
	}
	schemas := in.Schemas
	if schemas == nil {
		schemas = &Schemas{}
	}
	return &builder{
		in:        &in,
		resources: resources,
		top:       n,
		spec: &Spec{
			GraphID: in.GraphID, DeploymentID: in.Config.DeploymentID, Version: cmp.Or(in.Version, in.Config.Version),
			Timeout: in.Config.TimeoutSeconds, Providers: map[string]Pin{}, Nodes: make([]Node, n), Edges: []Edge{},
		},
		kinds:   kinds{in: &in, schemas: schemas, known: map[string]*resourceKind{}},
		byID:    make(map[string]int, n),
		drawn:   make(map[string]bool, n+len(in.Known)),
		regions: map[string][]string{},
		states:  make([]nodeState, n),
		places:  make(map[string]bool, n),
		edges:   newEdgeSet(in.Config.Resources),
		given:   map[string]map[string]string{},
		sealed:  map[string][]SealedValue{},
	}
}

// problem reports one at segments below the config.
func (b *builder) problem(message string, segments ...string) {
	b.report(-1, message, segments)
}

// wrong reports one at segments below a resource. What is wrong with a part is told where the composite stands.
func (b *builder) wrong(i int, message string, segments ...string) {
	if b.states[i].part != nil {
		i, message, segments = b.blame(i, message, segments)
	}
	b.report(i, message, append([]string{"resources", b.resources[i].ID}, segments...))
}

func (b *builder) report(resource int, message string, segments []string) {
	if len(b.problems) >= MaxProblems {
		return
	}
	pointer := b.in.Prefix
	for _, segment := range segments {
		below := document.Join(pointer, segment)
		if below == pointer {
			break // too long to be shown
		}
		pointer = below
	}
	b.problems = append(b.problems, located{resource, Problem{Pointer: pointer, Message: message}})
}

func (b *builder) sorted() []Problem {
	slices.SortStableFunc(b.problems, func(a, b located) int { return a.resource - b.resource })
	problems := make([]Problem, len(b.problems))
	for i := range b.problems {
		problems[i] = b.problems[i].Problem
	}
	return problems
}

// draw gives an id that is not in taken yet.
func (b *builder) draw(taken map[string]bool) string {
	return draw(b.in.NewID, taken)
}

func draw(newID func() string, taken map[string]bool) string {
	for {
		if id := newID(); !taken[id] {
			taken[id] = true
			return id
		}
	}
}

func item(i int) string { return strconv.Itoa(i) }
