package provider

import (
	"context"
	"reflect"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// CheckCredentials opens every sealed value of a request. What the caller can put right is a diagnostic, not an error.
func (p *Provider) CheckCredentials(
	ctx context.Context, request *contract.CheckCredentialsRequest,
) (*contract.CheckCredentialsResult, error) {
	c := p.call(&request.Context, "credentials", nil)
	result := &contract.CheckCredentialsResult{Fingerprints: map[string]string{}}
	result.Diagnostics = append(c.openCredentials(p.credentials), c.openValues(request.SealedValues, result.Fingerprints)...)
	if !request.Identify || p.identify == nil || len(result.Diagnostics) > 0 {
		return result, nil
	}
	return result, p.identifyInto(c.in(Reading(ctx)), c, result)
}

// identifyInto asks the vendor who the caller is.
func (p *Provider) identifyInto(ctx context.Context, c *call, result *contract.CheckCredentialsResult) error {
	who, err := p.identify(ctx, c)
	switch {
	case err != nil && callersFault(classify(err).Kind):
		result.Diagnostics = append(result.Diagnostics, c.diagnose(err))
	case err != nil:
		return c.fail(err)
	}
	result.Account, result.Principal, result.ExpiresAt = who.Account, who.Principal, who.ExpiresAt
	return nil
}

// callersFault says which kinds the caller can put right with another request.
func callersFault(kind Kind) bool {
	switch kind {
	case InvalidInput, Unauthenticated, PermissionDenied, CredentialsExpired, DecryptionFailed, NotFound, Unsupported:
		return true
	default:
		return false
	}
}

// openCredentials opens each sealed credential.
func (c *call) openCredentials(credentials shape) []contract.Diagnostic {
	decoded := reflect.New(credentials.goType)
	if err := credentials.decode(c.context.Credentials, decoded.Interface(), credentialPurpose); err != nil {
		return []contract.Diagnostic{err.Diagnostic}
	}
	var found []contract.Diagnostic
	eachSealed(decoded.Elem(), "", func(pointer string, sealed *Sealed) {
		if sealed.IsZero() {
			return
		}
		if _, err := c.open(*sealed); err != nil {
			found = append(found, at(classify(err), pointer).Diagnostic)
		}
	})
	return found
}

// openValues opens each sealed property and takes its fingerprint.
func (c *call) openValues(values []contract.SealedValue, fingerprints map[string]string) []contract.Diagnostic {
	var found []contract.Diagnostic
	for _, value := range values {
		sealed := Sealed{box: value.Box, purpose: sealedbox.PurposeProperty(value.Type, value.Pointer)}
		secret, err := c.open(sealed)
		if err != nil {
			found = append(found, at(classify(err), placeOf(value)).Diagnostic)
			continue
		}
		fingerprints[value.Ref] = c.fingerprint(secret)
	}
	return found
}

// placeOf names a sealed property by the caller's handle.
func placeOf(value contract.SealedValue) string {
	if strings.HasSuffix(value.Ref, value.Pointer) {
		return value.Ref
	}
	return value.Ref + value.Pointer
}
