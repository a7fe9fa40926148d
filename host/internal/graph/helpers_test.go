package graph_test

import (
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func target(provider string, regions int) rest.Target {
	t := rest.Target{Provider: provider}
	for i := range regions {
		t.Regions = append(t.Regions, fmt.Sprintf("region-%d", i))
	}
	return t
}

func bucket(i int) rest.NamedResource {
	properties := json.RawMessage(fmt.Sprintf(`{"bucket_name": "bucket-%d"}`, i))
	return rest.NamedResource{ID: fmt.Sprintf("b%d", i), Definition: rest.Resource{Type: "cloud:bucket", Properties: properties}}
}

type fault struct {
	change  func(*contract.ResourceType)
	message string
}

func faults() map[string]fault {
	return map[string]fault{
		"schema": {func(r *contract.ResourceType) { r.Schema = []byte(`{"type": "thing"}`) }, "a schema that does not compile"},
		"text":   {func(r *contract.ResourceType) { r.Schema = []byte(`{`) }, "a schema that does not compile"},
		"a file": {func(r *contract.ResourceType) { r.Schema = []byte(`{"$ref": "file:///etc/passwd"}`) }, "a schema that does not compile"},
		"names":  {func(r *contract.ResourceType) { r.Naming.Pattern = `(` }, "a pattern for names that does not compile"},
		"labels": {func(r *contract.ResourceType) { r.LabelLimits.Pattern = `(` }, "a pattern for labels that does not compile"},
		"points": {func(r *contract.ResourceType) { r.Sensitive = []string{""} }, "a pointer that leads to no property"},
	}
}

// faulty is the catalog with another cloud:role.
func faulty(change func(*contract.ResourceType)) graphtest.Catalog {
	catalog := graphtest.NewCatalog()
	kind, _ := catalog.Type("cloud:role")
	change(kind)
	return catalog
}
