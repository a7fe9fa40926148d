// Command cut reduces GitHub's OpenAPI description to the calls that the tests make, so that it loads in milliseconds. It
// drops examples and vendor extensions, and keeps every component that what is left refers to. It fetches nothing:
//
//	npm pack @octokit/openapi@23.0.2 && tar xf octokit-openapi-23.0.2.tgz
//	go run ./tests/githubfake/referee/cut < package/generated/api.github.com.json > tests/githubfake/referee/testdata/api.github.com.json
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// calls are the operations kept, by path.
var calls = map[string][]string{
	"/user":                                 {"get"},
	"/rate_limit":                           {"get"},
	"/repos/{owner}/{repo}":                 {"get"},
	"/repos/{owner}/{repo}/actions/secrets": {"get"},
	"/repos/{owner}/{repo}/actions/secrets/public-key":    {"get"},
	"/repos/{owner}/{repo}/actions/secrets/{secret_name}": {"get", "put", "delete"},
}

// errorShapes are kept though no call refers to them: GitHub describes few of the errors that its calls answer.
var errorShapes = []string{"#/components/schemas/basic-error", "#/components/schemas/validation-error"}

type object = map[string]any

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cut:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var whole object
	if err := json.NewDecoder(in).Decode(&whole); err != nil {
		return err
	}
	paths, err := keep(whole["paths"].(object))
	if err != nil {
		return err
	}
	part := object{"openapi": whole["openapi"], "info": whole["info"], "paths": paths, "components": object{}}
	strip(part)
	if err := follow(whole, part); err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(part)
}

func keep(all object) (object, error) {
	kept := object{}
	for path, methods := range calls {
		kept[path] = object{}
		for _, method := range methods {
			call, ok := all[path].(object)[method]
			if !ok {
				return nil, fmt.Errorf("the description has no %s %s", method, path)
			}
			kept[path].(object)[method] = call
		}
	}
	return kept, nil
}

// strip removes in place what judges nothing.
func strip(value any) {
	switch value := value.(type) {
	case object:
		for key, child := range value {
			// A property may be called "examples"; the keyword never stands beside a schema's own keywords then.
			if strings.HasPrefix(key, "x-") || key == "externalDocs" || isExample(key, child) {
				delete(value, key)
				continue
			}
			strip(child)
		}
	case []any:
		for _, child := range value {
			strip(child)
		}
	}
}

func isExample(key string, child any) bool {
	schema, _ := child.(object)
	_, isProperty := schema["type"]
	return (key == "example" || key == "examples") && !isProperty
}

// follow copies every component that the part refers to, and what those refer to in turn.
func follow(whole, part object) error {
	open := append(references(part["paths"]), errorShapes...)
	seen := map[string]bool{}
	for len(open) > 0 {
		reference := open[0]
		open = open[1:]
		if seen[reference] {
			continue
		}
		seen[reference] = true
		component, err := copyComponent(whole, part, reference)
		if err != nil {
			return err
		}
		open = append(open, references(component)...)
	}
	return nil
}

func copyComponent(whole, part object, reference string) (any, error) {
	segments := strings.Split(reference, "/") // #/components/<kind>/<name>
	if len(segments) != 4 || segments[1] != "components" {
		return nil, fmt.Errorf("unexpected reference %s", reference)
	}
	kind, name := segments[2], segments[3]
	from, _ := whole["components"].(object)[kind].(object)
	component, ok := from[name]
	if !ok {
		return nil, fmt.Errorf("the description has no %s", reference)
	}
	strip(component)
	components := part["components"].(object)
	if components[kind] == nil {
		components[kind] = object{}
	}
	components[kind].(object)[name] = component
	return component, nil
}

func references(value any) []string {
	var found []string
	switch value := value.(type) {
	case object:
		for key, child := range value {
			if target, ok := child.(string); ok && key == "$ref" {
				found = append(found, target)
				continue
			}
			found = append(found, references(child)...)
		}
	case []any:
		for _, child := range value {
			found = append(found, references(child)...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
