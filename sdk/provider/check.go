package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Equal compares one value of the real thing with what is asked for. Never for secrets: compare fingerprints.
func Equal[T comparable](name string, expected, actual T) Check {
	return check(name, expected == actual, fmt.Sprint(expected), fmt.Sprint(actual))
}

// EqualJSON compares two values as JSON: maps, slices, and documents that vendors reformat (json.RawMessage).
func EqualJSON(name string, expected, actual any) Check {
	wanted, errWanted := canonical(expected)
	real, errReal := canonical(actual)
	if errWanted != nil || errReal != nil {
		return Check{Name: name, Status: contract.CheckUnknown, Message: "a side of the comparison is not JSON"}
	}
	return check(name, reflect.DeepEqual(wanted, real), text(wanted), text(real))
}

// Unanswered is a check that could not be made.
func Unanswered(name, message string) Check {
	return Check{Name: name, Status: contract.CheckUnknown, Message: message}
}

// check makes a check of a comparison.
func check(name string, pass bool, expected, actual string) Check {
	status := contract.CheckFail
	if pass {
		status = contract.CheckPass
	}
	return Check{Name: name, Status: status, Expected: expected, Actual: actual}
}

// canonical brings a value to the plain form of its JSON, numbers kept exactly.
func canonical(value any) (any, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var plain any
	err = decoder.Decode(&plain)
	return plain, err
}

// text writes a plain JSON value.
func text(plain any) string {
	raw, _ := json.Marshal(plain)
	return string(raw)
}
