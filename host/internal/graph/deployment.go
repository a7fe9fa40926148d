package graph

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// What a deployment may have at most. The last two bound what several regions make of a small document.
const (
	maxIDLength       = 64
	maxVersionLength  = 64
	maxTimeoutSeconds = 30 * 24 * 3600
	maxRegions        = 64
	maxOperations     = 100_000
	maxOperationEdges = 1_000_000
)

const defaultRegion = "us-east-1"

const (
	wantID      = "must be 1 to 64 letters, digits, '_' or '-'"
	wantTimeout = "must be a number of seconds from 0 to 2592000 (30 days)"
	noProvider  = "no provider of this name is installed"
)

// isID says whether a text is an identifier: of a deployment, a resource, or a region.
func isID(text string) bool {
	if text == "" || len(text) > maxIDLength {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isTimeout(seconds float64) bool { return seconds >= 0 && seconds <= maxTimeoutSeconds }

func (b *builder) checkDeployment() {
	config := b.in.Config
	if !isID(config.DeploymentID) {
		b.problem(wantID, "deployment_id")
	}
	if utf8.RuneCountInString(config.Version) > maxVersionLength || strings.ContainsFunc(config.Version, unicode.IsControl) {
		b.problem(fmt.Sprintf("must have at most %d characters, none of them a control character", maxVersionLength), "version")
	}
	if !isTimeout(config.TimeoutSeconds) {
		b.problem(wantTimeout, "timeout_seconds")
	}
	if len(config.Resources) == 0 {
		b.problem("must have at least one resource", "resources")
	}
	for _, name := range slices.Sorted(maps.Keys(config.Credentials)) {
		object := bytes.TrimSpace(config.Credentials.For(name))
		if b.checkProvider(name, "credentials", name) && len(object) > 0 && object[0] != '{' {
			b.problem("must be an object", "credentials", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(config.Providers)) {
		b.checkProvider(name, "providers", name)
	}
}

func (b *builder) checkProvider(name string, segments ...string) bool {
	_, _, ok := b.in.Catalog.Provider(name)
	if !ok {
		b.problem(noProvider, segments...)
	}
	return ok
}

// readTargets finds the regions of each provider that a target names.
func (b *builder) readTargets() {
	seen := map[string]bool{}
	for i, target := range b.in.Config.Targets {
		at := item(i)
		if !b.checkProvider(target.Provider, "targets", at, "provider") {
			continue
		}
		if seen[target.Provider] {
			b.problem("an earlier target is for the same provider", "targets", at, "provider")
			continue
		}
		seen[target.Provider] = true
		if target.Regions != nil {
			b.regions[target.Provider] = b.targetRegions(at, target)
		}
	}
}

func (b *builder) targetRegions(at string, target rest.Target) []string {
	switch {
	case len(target.Regions) == 0:
		b.problem("must have at least one region, or be left out", "targets", at, "regions")
		return []string{defaultRegion}
	case len(target.Regions) > maxRegions:
		b.problem(fmt.Sprintf("must have at most %d regions", maxRegions), "targets", at, "regions")
		return target.Regions[:1]
	}
	seen := map[string]bool{}
	for i, region := range target.Regions {
		switch {
		case !isID(region):
			b.problem(wantID, "targets", at, "regions", item(i))
		case seen[region]:
			b.problem("stands there twice", "targets", at, "regions", item(i))
		}
		seen[region] = true
	}
	return target.Regions
}

// regionsOf gives the regions of a provider's regional resources: the target's, else that of the credentials.
func (b *builder) regionsOf(provider string) []string {
	regions, ok := b.regions[provider]
	if !ok {
		regions = []string{b.credentialRegion(provider)}
		b.regions[provider] = regions
	}
	return regions
}

func (b *builder) credentialRegion(provider string) string {
	_, description, ok := b.in.Catalog.Provider(provider)
	credentials := b.in.Config.Credentials.For(provider)
	if !ok || description.RegionField == "" || len(bytes.TrimSpace(credentials)) == 0 {
		return defaultRegion
	}
	parsed, err := document.Parse(credentials, propertyLimits)
	if err != nil {
		b.problem("is not JSON", "credentials", provider)
		return defaultRegion
	}
	n := parsed.Member(0, description.RegionField)
	if n < 0 || parsed.Kind(n) == document.Null {
		return defaultRegion
	}
	if parsed.Kind(n) != document.String || !isID(parsed.Text(n)) {
		b.problem(wantID, "credentials", provider, description.RegionField)
		return defaultRegion
	}
	return parsed.Text(n)
}

// checkSize bounds what several regions make of the document.
func (b *builder) checkSize() {
	operations, edges := 0, 0
	for i := range b.spec.Nodes {
		operations += len(b.spec.Nodes[i].Regions)
	}
	for _, e := range b.flat {
		from, to := &b.spec.Nodes[e.from], &b.spec.Nodes[e.to]
		if Paired(from, to) {
			edges += len(to.Regions)
		} else {
			edges += len(from.Regions) * len(to.Regions)
		}
	}
	if operations > maxOperations || edges > maxOperationEdges {
		b.problem(fmt.Sprintf("resources times regions make more than %d operations, or more than %d dependencies between them",
			maxOperations, maxOperationEdges), "targets")
	}
}
