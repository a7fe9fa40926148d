package simulate

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
)

// deployment is one as its caller knows it: what was asked for last, and what was ever sealed for it.
type deployment struct {
	id        string
	version   int
	resources []resource
	// secrets are the clear values of the last document, by pointer, and kept those of each graph: they may have to be brought again.
	secrets map[string]secret
	kept    map[string]map[string]secret
	// graph is the last that was acknowledged, planned one that was stored and not applied.
	graph, planned string
	// moving is the graph of the last move.
	moving string
}

type resource struct {
	id, kind, name, value, from string
	verb                        string
	after                       []rest.Dependency
	sealed, exact               bool
	// foreign says that something of this name was there before, and is not ours.
	foreign bool
}

type secret struct{ kind, value string }

var regions = []string{"us-east-1", "eu-west-1"}

// evolve makes the next version of a deployment: some resources are new, some are changed, some are no longer named.
func (s *simulation) evolve(d *deployment) {
	d.version++
	c := s.chance
	if len(d.resources) > 2 && c.in(2) {
		s.drop(d, c.draw(len(d.resources)))
	}
	for i := range d.resources {
		r := &d.resources[i]
		r.verb = pick(c, "ensure", "ensure", "ensure", "ensure", "update", "create", "verify")
		if r.kind == "sim:job" && r.verb == "update" {
			r.verb = "ensure"
		}
		if c.in(2) && r.from == "" {
			r.value = fmt.Sprintf("v%d-%d", d.version, c.draw(1000))
		}
	}
	for len(d.resources) < 2 || len(d.resources) < 7 && c.in(2) {
		d.resources = append(d.resources, s.newResource(d))
	}
	if c.in(6) {
		s.deleteOne(d)
	}
}

// drop leaves a resource out, and whatever named it.
func (s *simulation) drop(d *deployment, i int) {
	id := d.resources[i].id
	d.resources = slices.Delete(d.resources, i, i+1)
	for k := range d.resources {
		r := &d.resources[k]
		r.after = slices.DeleteFunc(r.after, func(other rest.Dependency) bool { return other.Resource == id })
		if r.from != "" && sourceOf(r.from) == id {
			r.from, r.value = "", "orphan"
		}
	}
}

// deleteOne asks for something to be deleted that nothing refers to.
func (s *simulation) deleteOne(d *deployment) {
	i := s.chance.draw(len(d.resources))
	for k := range d.resources {
		if d.resources[k].from != "" && sourceOf(d.resources[k].from) == d.resources[i].id {
			return
		}
	}
	d.resources[i].verb = "delete"
}

func sourceOf(reference string) string {
	for i := range reference {
		if reference[i] == '.' {
			return reference[:i]
		}
	}
	return reference
}

func (s *simulation) newResource(d *deployment) resource {
	c := s.chance
	s.drawn++
	r := resource{
		id: fmt.Sprintf("r%d", s.drawn), kind: pick(c, "sim:disk", "sim:disk", "sim:net", "sim:net", "sim:entry", "sim:entry", "sim:job", "sim:pair"),
		name: fmt.Sprintf("n%d", s.drawn), value: fmt.Sprintf("v%d-%d", d.version, c.draw(1000)), verb: pick(c, "create", "ensure"),
	}
	r.sealed = r.kind != "sim:pair" && c.in(4)
	if r.exact = r.kind == "sim:entry" && c.in(3); r.exact && c.in(2) {
		r.foreign = true
		s.foreign = append(s.foreign, s.world.Plant(cloud.Item{Type: r.kind, Name: r.name, Value: "somebody's"}))
	}
	for range c.draw(3) {
		if len(d.resources) > 0 {
			other := d.resources[c.draw(len(d.resources))].id
			if !slices.ContainsFunc(r.after, func(known rest.Dependency) bool { return known.Resource == other }) {
				r.after = append(r.after, rest.Dependency{Resource: other, EdgeType: pick(c, "", "", "", "", "", "pause", "pause", "end")})
			}
		}
	}
	if len(d.resources) > 0 && c.in(3) {
		if source := d.resources[c.draw(len(d.resources))]; source.kind != "sim:disk" && r.kind != "sim:pair" {
			r.from, r.value = source.id+pick(c, ".id", ".value", ""), ""
		}
	}
	return r
}

// config is the document that a caller posts, with the boxes that go with it.
func (s *simulation) config(d *deployment) (*rest.Config, map[string]string) {
	cfg := &rest.Config{DeploymentID: d.id, Credentials: s.credentials(), Targets: []rest.Target{{Provider: cloud.Name, Regions: regions}}}
	d.secrets = map[string]secret{}
	for _, r := range d.resources {
		properties, _ := json.Marshal(map[string]string{"name": r.name, "value": r.value}) // strings always encode
		if r.from != "" {
			properties, _ = json.Marshal(map[string]string{"name": r.name})
		}
		definition := rest.Resource{Type: r.kind, Operation: r.verb, Properties: properties, DependsOn: r.after}
		if r.exact {
			definition.Naming = "exact"
		}
		if r.from != "" {
			definition.References = map[string]string{"from": r.from}
		}
		if r.sealed {
			pointer := "/resources/" + r.id + "/properties/secret"
			d.secrets[pointer] = secret{r.kind, s.newSecret()}
		}
		cfg.Resources = append(cfg.Resources, rest.NamedResource{ID: r.id, Definition: definition})
	}
	return cfg, s.boxes(d.secrets)
}

// newSecret draws one that is looked for everywhere afterwards.
func (s *simulation) newSecret() string {
	value := "canary/" + s.chance.id() + s.chance.id() + "?&="
	s.secrets = append(s.secrets, value)
	return value
}

// boxes seals secrets anew, as callers do.
func (s *simulation) boxes(secrets map[string]secret) map[string]string {
	boxes := map[string]string{}
	for pointer, secret := range secrets {
		boxes[pointer] = s.seal(sealedbox.PurposeProperty(secret.kind, "/secret"), secret.value)
	}
	return boxes
}

func (s *simulation) seal(purpose, value string) string {
	box, err := sealedbox.Seal(s.ring.Primary().Key, sealedbox.Envelope{
		Audience: s.caller.Tenant, Provider: cloud.Name, Purpose: purpose, Value: value,
	})
	if err != nil {
		panic(err) // the key is our own
	}
	s.secrets = append(s.secrets, box)
	return box
}

func (s *simulation) credentials() rest.Credentials {
	object, _ := json.Marshal(map[string]string{ // strings always encode
		"token": s.token, "encrypted_secret": s.seal(sealedbox.PurposeCredential, s.password),
	})
	return rest.Credentials{cloud.Name: object}
}
