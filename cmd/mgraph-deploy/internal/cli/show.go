package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// answer writes an answer in the form that was asked for.
func answer[T any](a *app, value *T, err error, show func(*T)) error {
	switch {
	case err != nil:
		return err
	case a.json():
		return a.writeJSON(value)
	default:
		show(value)
		return nil
	}
}

func (a *app) writeJSON(value any) error {
	encoder := json.NewEncoder(a.env.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// print writes a line of the answer.
func (a *app) print(format string, arguments ...any) {
	_, _ = fmt.Fprintf(a.env.Out, format+"\n", arguments...)
}

// printable takes out what would steer a terminal: texts can come from anywhere.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, text)
}

// table writes rows in columns under a heading.
func table(out io.Writer, heading []string, rows [][]string) {
	var text bytes.Buffer
	writer := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = printable(cell)
		}
		_, _ = fmt.Fprintln(writer, strings.Join(cells, "\t"))
	}
	_ = writer.Flush()
	for line := range strings.Lines(text.String()) {
		_, _ = fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
}

// resourceNames says which resource an operation id is, with its region where it has one.
func resourceNames(operations []rest.OperationSummary) map[string]string {
	names := map[string]string{}
	for _, one := range operations {
		names[one.ID] = one.ResourceID
		if strings.Contains(one.ID, "@") {
			names[one.ID] += "@" + one.Region
		}
	}
	return names
}

// named gives the distinct names of some operations, in order.
func named(ids []string, names map[string]string) []string {
	var list []string
	for _, id := range ids {
		if name := first(names[id], id); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func (a *app) showResult(result *rest.RunResult, names map[string]string) {
	took := ""
	if result.DurationSeconds > 0 {
		took = " in " + shortSeconds(result.DurationSeconds)
	}
	a.print("%s of %s %s%s: %s", result.Kind, printable(result.DeploymentID), result.Status, took, countsText(result))
	if result.GraphID != "" {
		a.print("graph %s, run %s", result.GraphID, result.RunID)
	}
	if failed := result.FailedOperation; failed != nil {
		a.print("\nFailed: %s %s%s: %s", failed.Operation, failed.ResourceID, at(failed.Region), printable(failed.Error))
		if failed.Diagnostic != nil && failed.Diagnostic.Detail != "" {
			a.print("  %s", printable(failed.Diagnostic.Detail))
		}
	}
	a.showChecks(result.Checks, names)
	a.showOutputs(result.Outputs, names)
	for _, open := range result.Unsettled {
		a.print("Unsettled: %s %s%s: something of it may be there", open.Operation, open.ResourceID, at(open.Region))
	}
	for _, left := range result.LeftOver {
		a.print("Left over: %s %s%s: %s", left.ResourceType, left.ResourceID, at(left.Region), printable(left.Reason))
	}
	a.warn(result.Warnings)
	if next := result.NextOperation; next != nil {
		a.print("Next: %s %s%s", next.Operation, next.ResourceID, at(next.Region))
	}
	if result.Move != nil && result.Move.Phase == rest.MoveHeld && !rest.ActiveStatus(result.Status) {
		a.print("The move waits for its end: move commit %s, or move discard %s", result.GraphID, result.GraphID)
	}
}

func countsText(r *rest.RunResult) string {
	parts := []string{fmt.Sprintf("%d of %d done", r.Completed, r.Total)}
	for _, one := range []struct {
		count int
		word  string
	}{
		{r.Changed, "changed"}, {r.Unchanged, "unchanged"}, {r.Failed, "failed"}, {r.Blocked, "blocked"}, {r.Pending, "pending"},
		{r.Running, "running"}, {r.Skipped, "skipped"}, {r.Paused, "paused"},
	} {
		if one.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", one.count, one.word))
		}
	}
	return strings.Join(parts, ", ")
}

func (a *app) showChecks(checks map[string][]rest.Check, names map[string]string) {
	var rows [][]string
	for _, id := range byName(checks, names) {
		for _, check := range checks[id] {
			rows = append(rows, []string{first(names[id], id), check.Name, check.Status, findings(check)})
		}
	}
	if rows != nil {
		a.print("")
		table(a.env.Out, []string{"RESOURCE", "CHECK", "RESULT", ""}, rows)
	}
}

// findings says what there is to say of a check that did not pass.
func findings(check rest.Check) string {
	if check.Status == "pass" || check.Expected == check.Actual {
		return check.Message
	}
	return strings.TrimPrefix(check.Message+"; expected "+first(check.Expected, "nothing")+", found "+first(check.Actual, "nothing"), "; ")
}

// byName sorts operation ids by what they are called.
func byName[T any](values map[string]T, names map[string]string) []string {
	return slices.SortedFunc(maps.Keys(values), func(x, y string) int {
		return strings.Compare(first(names[x], x), first(names[y], y))
	})
}

func (a *app) showOutputs(outputs map[string]json.RawMessage, names map[string]string) {
	var rows [][]string
	for _, id := range byName(outputs, names) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(outputs[id], &fields) != nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			rows = append(rows, []string{first(names[id], id), name, outputText(fields[name])})
		}
	}
	if rows != nil {
		a.print("")
		table(a.env.Out, []string{"RESOURCE", "OUTPUT", "VALUE"}, rows)
	}
}

// outputText shows text without its quotes, all else as JSON.
func outputText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return string(value)
	}
	return compact.String()
}

func (a *app) showStatus(status *rest.StatusResponse) {
	a.print("%s %s: %s, %d%%", printable(status.DeploymentID), printable(status.Version), status.Status, int(100*status.Progress))
	a.print("graph %s, run %s, since %s%s", status.GraphID, dash(status.RunID), status.CreatedAt, leftText(status))
	a.print("")
	table(a.env.Out, []string{"RESOURCE", "REGION", "OPERATION", "STATUS", "CHANGE", "TOOK", ""}, statusRows(status))
	a.warn(status.Warnings)
	for _, call := range status.Next {
		a.print("Next: %s %s: %s", call.Method, call.Path, printable(call.Why))
	}
}

func statusRows(status *rest.StatusResponse) [][]string {
	composites := make([]rest.CompositeSummary, len(status.Composites))
	for i := range composites {
		composites[i] = status.Composites[i].CompositeSummary
	}
	operations := make([]rest.OperationSummary, len(status.Operations))
	for i := range operations {
		operations[i] = status.Operations[i].OperationSummary
	}
	lines := outline(composites, operations)
	rows := make([][]string, len(lines))
	for i, l := range lines {
		if l.composite >= 0 {
			one := &status.Composites[l.composite]
			rows[i] = []string{l.indented(one.ResourceID), "", one.Operation, one.Status, "", "", ""}
			continue
		}
		one := &status.Operations[l.operation]
		rows[i] = []string{
			l.indented(one.ResourceID), dash(one.Region), one.Operation, one.Status, dash(one.Change), dash(duration(one.DurationSeconds)),
			first(one.Error, one.Message),
		}
	}
	return rows
}

// leftText says how much longer it will take, where that is known.
func leftText(status *rest.StatusResponse) string {
	if status.EstimatedRemaining == 0 {
		return ""
	}
	return ", about " + shortSeconds(status.EstimatedRemaining) + " left"
}

func (a *app) showDeployments(list *rest.DeploymentList) {
	rows := make([][]string, len(list.Deployments))
	for i, one := range list.Deployments {
		state := "deployed"
		switch {
		case one.Destroyed:
			state = "destroyed"
		case one.HeadGraphID == "":
			state = "planned"
		}
		rows[i] = []string{one.DeploymentID, dash(one.HeadVersion), state, dash(one.HeadGraphID), one.UpdatedAt.String()}
	}
	table(a.env.Out, []string{"DEPLOYMENT", "VERSION", "STATE", "GRAPH", "CHANGED"}, rows)
}

func (a *app) showKeys(list *rest.KeyList) {
	rows := make([][]string, len(list.Keys))
	for i, key := range list.Keys {
		rows[i] = []string{key.Tenant, key.Name, key.Role, key.CreatedAt.String()}
	}
	table(a.env.Out, []string{"TENANT", "NAME", "ROLE", "CREATED"}, rows)
}

func (a *app) showVersion(version *rest.Version) { a.print("%s %s", version.Name, version.Version) }

func (a *app) warn(warnings []string) {
	for _, text := range warnings {
		a.print("Warning: %s", printable(text))
	}
}

func dash(text string) string { return first(text, "-") }

func at(region string) string {
	if region == "" {
		return ""
	}
	return "@" + region
}

func plural(count int, word string) string {
	if count == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", count, word)
}

func duration(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return shortSeconds(seconds)
}

func shortSeconds(number float64) string {
	took := seconds(number)
	if took < time.Second {
		return took.Round(time.Millisecond).String()
	}
	return took.Round(100 * time.Millisecond).String()
}
