package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// symbols and actionWords show an action.
var (
	symbols = map[string]string{
		rest.ActionCreate: "+", rest.ActionUpdate: "~", rest.ActionReplace: "-/+", rest.ActionDelete: "-", rest.ActionNoOp: "=",
		rest.ActionUnknown: "?", rest.ActionConflict: "!",
	}
	actionWords = map[string]string{
		rest.ActionCreate: "create", rest.ActionUpdate: "update", rest.ActionReplace: "replace", rest.ActionDelete: "delete",
		rest.ActionNoOp: "nothing", rest.ActionUnknown: "not known", rest.ActionConflict: "conflict",
	}
)

func planHeading(plan *rest.PlanResponse) []string {
	heading := []string{"GROUP", "OPERATION", "RESOURCE", "TYPE", "REGION", "NAME", "AFTER"}
	if plan.ProvidersAsked {
		heading = slices.Insert(heading, 1, "ACTION")
	}
	return heading
}

func (a *app) showPlan(plan *rest.PlanResponse) {
	if !plan.Success {
		a.print("Not valid: %s", plural(len(plan.ValidationErrors), "problem"))
		for _, text := range plan.ValidationErrors {
			a.print("  %s", printable(text))
		}
		return
	}
	a.print("Plan for %s %s: %s in %s, about %s", printable(plan.DeploymentID), printable(plan.Version),
		plural(len(plan.Operations), "operation"), plural(len(plan.Groups), "group"), shortSeconds(plan.EstimatedTime))
	a.print("")
	table(a.env.Out, planHeading(plan), planRows(plan))
	a.showChanges(plan)
	a.warn(plan.Warnings)
	if plan.SpecGraphID != "" {
		a.print("\nKept as graph %s: mgraph-deploy apply --graph %s", plan.SpecGraphID, plan.SpecGraphID)
	}
}

func planRows(plan *rest.PlanResponse) [][]string {
	group := map[string]int{}
	for i, ids := range plan.Groups {
		for _, id := range ids {
			group[id] = i + 1
		}
	}
	names := resourceNames(plan.Operations)
	operations := slices.Clone(plan.Operations)
	slices.SortStableFunc(operations, func(x, y rest.OperationSummary) int { return group[x.ID] - group[y.ID] })
	lines := outline(plan.Composites, operations)
	rows := make([][]string, len(lines))
	for i, l := range lines {
		if l.composite >= 0 {
			one := &plan.Composites[l.composite]
			rows[i] = []string{"", one.Operation, l.indented(one.ResourceID), one.ResourceType, "", "", ""}
		} else {
			one := &operations[l.operation]
			rows[i] = []string{
				strconv.Itoa(group[one.ID]), one.Operation, l.indented(one.ResourceID), one.ResourceType, dash(one.Region), dash(one.Name),
				dash(strings.Join(named(one.DependsOn, names), ", ")),
			}
		}
		if plan.ProvidersAsked {
			rows[i] = slices.Insert(rows[i], 1, actionOf(l, operations))
		}
	}
	return rows
}

// actionOf is what would really happen, "" for a composite.
func actionOf(l line, operations []rest.OperationSummary) string {
	if l.composite >= 0 {
		return ""
	}
	action := operations[l.operation].Action
	return symbols[action] + " " + actionWords[action]
}

// showChanges lists below the plan which properties would change, and why an action is not known.
func (a *app) showChanges(plan *rest.PlanResponse) {
	for i := range plan.Operations {
		one := &plan.Operations[i]
		if one.Action == rest.ActionNoOp || len(one.Changes) == 0 && one.ActionReason == "" {
			continue
		}
		a.print("")
		a.print("%s %s%s%s", symbols[one.Action], one.ResourceID, at(one.Region), because(one.ActionReason))
		for _, change := range one.Changes {
			a.print("    %s: %s", printable(change.Pointer), changeText(change))
		}
	}
	if plan.ProvidersAsked {
		a.print("")
		a.print("%s", actionsText(plan))
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + printable(reason) + ")"
}

func changeText(change rest.PropertyChange) string {
	switch {
	case change.KnownAfterApply:
		return "known after apply"
	case change.Sensitive:
		return "differs (sensitive)"
	default:
		return jsonText(change.Before) + " -> " + jsonText(change.After)
	}
}

func jsonText(value []byte) string {
	if len(value) == 0 {
		return "nothing"
	}
	return printable(string(value))
}

// actionsText counts the actions out.
func actionsText(plan *rest.PlanResponse) string {
	var parts []string
	for _, action := range rest.Actions() {
		if count := plan.Actions[action]; count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count, actionWords[action]))
		}
	}
	return strings.Join(parts, ", ")
}
