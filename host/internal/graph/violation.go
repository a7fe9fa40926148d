package graph

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// violation is one thing that a schema does not allow: where in the properties, and what. missing is set where a property is
// lacking. The message says what is wanted, never what was given.
type violation struct {
	location []string
	missing  bool
	message  string
}

// excuse says whether what a schema finds wrong is none of the caller's: what a reference will fill, for one.
type excuse func(violation) bool

// violations flattens what a validation found, without what is excused. An alternative all of whose complaints are excused counts
// as met.
func violations(err *jsonschema.ValidationError, excused excuse) []violation {
	switch k := err.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		return causes(err, excused)
	case *kind.AnyOf:
		return alternatives(err, excused)
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			return alternatives(err, excused)
		}
	}
	var left []violation
	for _, v := range leaf(err) {
		if !excused(v) {
			left = append(left, v)
		}
	}
	return left
}

func causes(err *jsonschema.ValidationError, excused excuse) []violation {
	var all []violation
	for _, cause := range err.Causes {
		all = append(all, violations(cause, excused)...)
	}
	return all
}

// alternatives shows what is wrong with the one that is nearest, where there is one nearest; else only that none fits.
func alternatives(err *jsonschema.ValidationError, excused excuse) []violation {
	var nearest []violation
	for i, cause := range err.Causes {
		found := violations(cause, excused)
		switch {
		case len(found) == 0:
			return nil
		case i == 0 || len(found) < len(nearest):
			nearest = found
		case len(found) == len(nearest):
			nearest = []violation{at(err, "fits none of the forms that are allowed here")}
		}
	}
	return nearest
}

func at(err *jsonschema.ValidationError, message string) violation {
	return violation{location: err.InstanceLocation, message: message}
}

// leaf words one complaint. Some kinds of the library hold the value that was given: those parts are not read.
func leaf(err *jsonschema.ValidationError) []violation {
	switch k := err.ErrorKind.(type) {
	case *kind.Required:
		return missing(err, k.Missing, "is required")
	case *kind.Dependency:
		return missing(err, k.Missing, "is required beside another property that is given")
	case *kind.DependentRequired:
		return missing(err, k.Missing, "is required beside another property that is given")
	case *kind.AdditionalProperties:
		return below(err, k.Properties, "is not a property of this type")
	case *kind.PropertyNames:
		// The library's location is not to be relied on here: it may be overwritten by then.
		return []violation{{message: "has a property whose name is not allowed"}}
	}
	return []violation{at(err, sentence(err.ErrorKind))}
}

func missing(err *jsonschema.ValidationError, names []string, message string) []violation {
	found := below(err, names, message)
	for i := range found {
		found[i].missing = true
	}
	return found
}

func below(err *jsonschema.ValidationError, names []string, message string) []violation {
	found := make([]violation, len(names))
	for i, name := range names {
		location := append(append([]string(nil), err.InstanceLocation...), name)
		found[i] = violation{location: location, message: message}
	}
	return found
}

func sentence(errorKind jsonschema.ErrorKind) string {
	switch k := errorKind.(type) {
	case *kind.Type:
		return "must be of type " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return "must be one of " + listed(k.Want)
	case *kind.Const:
		return "must be " + listed([]any{k.Want})
	case *kind.Format:
		return "must have the format " + k.Want
	case *kind.Pattern:
		return "must match " + k.Want
	case *kind.FalseSchema:
		return "is not allowed here"
	case *kind.Not:
		return "has a form that is not allowed"
	case *kind.OneOf:
		return "fits more than one of the forms that exclude each other"
	}
	if text := sized(errorKind); text != "" {
		return text
	}
	return "is not what the schema of this type allows"
}

func sized(errorKind jsonschema.ErrorKind) string {
	switch k := errorKind.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d elements", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d elements", k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d properties", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %d properties", k.Want)
	case *kind.UniqueItems:
		return "must not have one element twice"
	case *kind.Minimum:
		return "must be at least " + decimal(k.Want)
	case *kind.Maximum:
		return "must be at most " + decimal(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be more than " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + decimal(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + decimal(k.Want)
	}
	return ""
}

func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return fmt.Sprint(f)
}

// listed shows values of the schema's own.
func listed(values []any) string {
	shown := make([]string, len(values))
	for i, value := range values {
		shown[i] = fmt.Sprint(value)
	}
	return strings.Join(shown, ", ")
}
