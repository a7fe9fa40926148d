package graph

import (
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// resourceKind is a resource type, made ready to check many resources of it.
type resourceKind struct {
	*contract.ResourceType
	provider     string
	pin          Pin
	schema       *jsonschema.Schema
	roles        map[string]*role
	outputs      map[string]bool
	sensitive    []property
	identifying  []property // without the one that holds the name
	name         property
	namePattern  *regexp.Regexp
	labelPattern *regexp.Regexp
	// fault is what is wrong with the type itself, "" for nothing.
	fault string
	// deploymentLabel and ownerLabel are what is wrong with those labels of ours, "" for nothing.
	deploymentLabel, ownerLabel string
}

// role is a reference role and the property that it fills.
type role struct {
	*contract.ReferenceRole
	fills property
}

// property is a pointer into properties.
type property struct {
	pointer  string
	segments []string
}

func propertyAt(pointer string) property {
	return property{pointer: pointer, segments: document.Split(pointer)}
}

// kinds looks types up, and makes each ready once.
type kinds struct {
	in      *Input
	schemas *Schemas
	known   map[string]*resourceKind
}

// of gives nil for a type that nobody offers.
func (k kinds) of(name string) *resourceKind {
	kind, ok := k.known[name]
	if !ok {
		if declared, offered := k.in.Catalog.Type(name); offered {
			kind = k.prepare(declared)
			kind.provider, _, _ = strings.Cut(name, ":")
			kind.pin, _, _ = k.in.Catalog.Provider(kind.provider)
		}
		k.known[name] = kind
	}
	return kind
}

func (k kinds) prepare(declared *contract.ResourceType) *resourceKind {
	kind := &resourceKind{ResourceType: declared, roles: map[string]*role{}, outputs: map[string]bool{}}
	for i := range declared.References {
		r := &role{ReferenceRole: &declared.References[i]}
		if r.Property != "" {
			r.fills = propertyAt(r.Property)
		}
		kind.roles[r.Role] = r
	}
	for _, output := range declared.Outputs {
		kind.outputs[output.Name] = true
	}
	for _, pointer := range declared.Sensitive {
		kind.sensitive = append(kind.sensitive, propertyAt(pointer))
	}
	for _, pointer := range declared.Identifying {
		if pointer != declared.Naming.Property {
			kind.identifying = append(kind.identifying, propertyAt(pointer))
		}
	}
	kind.name = propertyAt(declared.Naming.Property)
	kind.compile(k.schemas)
	kind.checkPointers()
	if kind.fault == "" {
		kind.deploymentLabel = kind.badLabelValue(k.in.Config.DeploymentID)
		kind.ownerLabel = kind.badLabelValue(k.in.Owner)
	}
	return kind
}

// checkPointers wants each pointer to lead somewhere below the whole.
func (kind *resourceKind) checkPointers() {
	pointers := slices.Concat(kind.Sensitive, kind.Identifying)
	for _, r := range kind.References {
		if r.Property != "" {
			pointers = append(pointers, r.Property)
		}
	}
	for _, pointer := range pointers {
		if !strings.HasPrefix(pointer, "/") {
			kind.fault = "its provider declares a pointer that leads to no property"
		}
	}
}

func (kind *resourceKind) compile(schemas *Schemas) {
	var err error
	if kind.schema, err = schemas.compile(kind.Schema); err != nil {
		kind.fault = "its provider declares a schema that does not compile"
	}
	if kind.namePattern, err = whole(kind.Naming.Pattern); err != nil {
		kind.fault = "its provider declares a pattern for names that does not compile"
	}
	if kind.labelPattern, err = whole(kind.LabelLimits.Pattern); err != nil {
		kind.fault = "its provider declares a pattern for labels that does not compile"
	}
}

// whole compiles a pattern that the whole text must match; nil for any text.
func whole(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

// takesLabels is false for a type that is not found by labels and allows none.
func (kind *resourceKind) takesLabels() bool {
	return kind.LabelLimits.MaxCount > 0 || kind.Discovery == contract.DiscoverByLabel
}

// filler is the role that fills a property, "" for none.
func (kind *resourceKind) filler(pointer string) string {
	for _, r := range kind.References {
		if r.Property == pointer {
			return r.Role
		}
	}
	return ""
}

// offers says whether the type has a verb. Every provider serves verify. A composite that names none leaves it to its parts.
func (kind *resourceKind) offers(verb contract.Verb) bool {
	_, ok := kind.Verb(verb)
	return ok || verb == contract.VerbVerify || kind.Composite && len(kind.Verbs) == 0 && slices.Contains(contract.Verbs(), verb)
}
