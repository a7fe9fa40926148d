package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// shelf is a world of nothing but files: what the provider noop keeps in a directory.
type shelf struct{ dir string }

var _ world = shelf{}

func newShelf(dir string) (world, error) {
	s := shelf{dir: filepath.Join(dir, "things")}
	return s, os.MkdirAll(s.dir, 0o700)
}

func (s shelf) Settings() map[string]any {
	return map[string]any{"noop": map[string]string{"dir": s.dir}}
}

func (shelf) Tap() *tap { return nil }
func (shelf) Close()    {}

func (s shelf) Reset(context.Context) error {
	return errors.Join(os.RemoveAll(s.dir), os.MkdirAll(s.dir, 0o700))
}

// item is a thing as the provider writes it down.
type item struct {
	ID          string            `json:"id"`
	Type        string            `json:"type"`
	Region      string            `json:"region"`
	Name        string            `json:"name"`
	Value       string            `json:"value"`
	Fingerprint string            `json:"fingerprint"`
	Labels      map[string]string `json:"labels"`
}

func (s shelf) Read(context.Context) ([]thing, error) {
	paths, err := filepath.Glob(filepath.Join(s.dir, "*", "*.json"))
	if err != nil {
		return nil, err
	}
	var found []thing
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var it item
		if err = errors.Join(err, json.Unmarshal(content, &it)); err != nil {
			return nil, fmt.Errorf("read a thing: %w", err)
		}
		found = append(found, thing{
			Type: it.Type, Region: it.Region, Name: it.Name, Labels: it.Labels,
			Values: map[string]string{"id": it.ID, "value": it.Value, "sealed": strconv.FormatBool(it.Fingerprint != "")},
		})
	}
	return found, nil
}

// properties of a thing; see package noop.
type properties struct {
	Value      string `json:"value,omitempty"`
	SleepMS    int    `json:"sleep_ms,omitempty"`
	Fail       string `json:"fail,omitempty"`
	FailTimes  int    `json:"fail_times,omitempty"`
	Crash      string `json:"crash,omitempty"`
	CrashTimes int    `json:"crash_times,omitempty"`
}

func (s shelf) Scenario(d drawing) *scenario {
	made := newScenario(d.deploymentID, "noop")
	made.config.Targets = []rest.Target{{Provider: "noop", Regions: regions}}
	crashes := d.shape.IntN(3)
	if !d.crashes {
		crashes = 0
	}
	for i := range 8 + d.shape.IntN(24) {
		p := properties{Value: "value-" + strconv.Itoa(d.values.IntN(1000)), SleepMS: d.values.IntN(40)}
		if d.values.IntN(8) == 0 {
			p.Fail, p.FailTimes = "network", 1
		}
		if crashes > 0 && d.values.IntN(6) == 0 {
			p.Crash = pick(d.values, []string{"before_write", "after_write", "after_made"})
			crashes--
		}
		addThing(made, d, i, p)
	}
	return made
}

func nameOf(i int) string { return fmt.Sprintf("thing-%02d", i) }

// addThing adds a thing that refers to, and waits for, some of those before it.
func addThing(made *scenario, d drawing, i int, p properties) {
	id, chance := nameOf(i), d.shape
	definition := rest.Resource{Type: "noop:thing", Operation: d.verb(), References: map[string]string{}}
	in, sealed := global, chance.IntN(5) == 0
	if chance.IntN(3) == 0 {
		definition.Type, in = "noop:regional", regions
	}
	value := always(map[string]string{"value": p.Value, "sealed": strconv.FormatBool(sealed)})
	if i > 0 && chance.IntN(3) == 0 {
		from := chance.IntN(i)
		if made.config.Resources[from].Definition.Type == "noop:thing" {
			output := pick(chance, []string{"id", "value"})
			definition.References["from"] = nameOf(from) + "." + output
			p.Value = ""
			value = with(map[string]string{"sealed": strconv.FormatBool(sealed)}, "value", place{nameOf(from), ""}, output)
		}
	}
	for range chance.IntN(3) {
		if i > 0 {
			definition.DependsOn = dependOn(definition.DependsOn, nameOf(chance.IntN(i)), chance.IntN(12) == 0)
		}
	}
	definition.Properties, _ = json.Marshal(p) // plain values always encode
	if sealed {
		made.secrets["/resources/"+id+"/properties/secret"] = secret{"noop", definition.Type, "/secret", "hush-" + id}
	}
	made.add(id, definition, in, func(string) wanted { return value })
}

// dependOn waits for another; paused, also for a person who says that it may go on.
func dependOn(known []rest.Dependency, id string, paused bool) []rest.Dependency {
	for _, dependency := range known {
		if dependency.Resource == id {
			return known
		}
	}
	dependency := rest.Dependency{Resource: id}
	if paused {
		dependency.EdgeType = "pause"
	}
	return append(known, dependency)
}
