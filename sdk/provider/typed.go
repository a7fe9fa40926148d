package provider

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// typed is one resource type with its generic parameters: it stands between the untyped contract and the author's methods.
type typed[C, P any] struct {
	author     Resource[C, P]
	updater    Updater[C, P]
	validator  Validator[P]
	planner    Planner[C, P]
	rollbacker Rollbacker[C, P]
	about      Description
	shape      shape
	labelled   bool
	sensitive  map[string]bool
	clients    *clients[C]
	// handed says whether a purpose is that of a sealed property of a composite, which hands it to its parts.
	handed func(purpose string) bool
}

// addType studies an author's resource and puts it into the provider.
func addType[C, P any](b *builder[C], author Resource[C, P]) error {
	about := author.Describe()
	properties, err := shapeOf(reflect.TypeFor[P]())
	if err != nil {
		return fmt.Errorf("type %q: %w", about.Type, err)
	}
	if len(about.RecordFormats) == 0 {
		about.RecordFormats = []string{"1"}
	}
	t := &typed[C, P]{
		author: author, about: about, shape: properties, clients: b.clients, sensitive: map[string]bool{}, handed: b.provider.hands,
	}
	t.updater, _ = author.(Updater[C, P])
	t.validator, _ = author.(Validator[P])
	t.planner, _ = author.(Planner[C, P])
	t.rollbacker, _ = author.(Rollbacker[C, P])
	t.labelled = about.Discovery == contract.DiscoverByLabel || about.LabelLimits.MaxCount > 0
	for _, output := range about.Outputs {
		t.sensitive[output.Name] = output.Sensitive
	}
	err = errors.Join(b.provider.unused(about.Type), t.check(b.provider.description.Name), t.lostMethods())
	if err != nil {
		return fmt.Errorf("type %q: %w", about.Type, err)
	}
	b.provider.types[about.Type] = t
	b.provider.description.ResourceTypes = append(b.provider.description.ResourceTypes, t.describe())
	return nil
}

// unused refuses the name of a type that is there already.
func (p *Provider) unused(name string) error {
	_, resource := p.types[name]
	_, composite := p.composites[name]
	if resource || composite {
		return errors.New("it is given twice")
	}
	return nil
}

// lostMethods finds methods that look like optional ones but are not theirs: a wrong signature, or a pointer receiver under a
// value. The names are constants so that the linker can still leave unused methods away.
func (t *typed[C, P]) lostMethods() error {
	author := reflect.TypeOf(t.author)
	if author.Kind() != reflect.Pointer {
		author = reflect.PointerTo(author)
	}
	var err error
	lost := func(has, taken bool, method, of string) {
		if has && !taken {
			err = errors.Join(err, fmt.Errorf("its method %s is not that of a %s: wrong signature or pointer receiver", method, of))
		}
	}
	_, update := author.MethodByName("Update")
	_, validate := author.MethodByName("Validate")
	_, plan := author.MethodByName("Plan")
	_, rollback := author.MethodByName("Rollback")
	lost(update, t.updater != nil, "Update", "Updater")
	lost(validate, t.validator != nil, "Validate", "Validator")
	lost(plan, t.planner != nil, "Plan", "Planner")
	lost(rollback, t.rollbacker != nil, "Rollback", "Rollbacker")
	if _, upgrade := author.MethodByName("Upgrade"); upgrade {
		err = errors.Join(err, errors.New("a method named Upgrade is reserved and not served yet"))
	}
	if t.rollbacker != nil && t.planner == nil {
		err = errors.Join(err, errors.New("a Rollbacker needs a Planner that writes down what to bring back"))
	}
	return err
}

// check judges a description: what is wrong here would mislead every host.
func (t *typed[C, P]) check(provider string) error {
	var problems []error
	require := func(holds bool, problem string, args ...any) {
		if !holds {
			problems = append(problems, fmt.Errorf(problem, args...))
		}
	}
	about := &t.about
	require(ownType(provider, about.Type), "its name must begin with %q", provider+":")
	require(oneOf(about.Placement, contract.Placements()), "Placement is not set")
	require(oneOf(about.Discovery, contract.Discoveries()), "Discovery is not set")
	require(oneOf(about.RepeatSafety, contract.RepeatSafeties()), "RepeatSafety is not set")
	for _, pointer := range about.Identifying {
		require(t.shape.has(pointer), "identifying property %q does not exist", pointer)
	}
	for _, role := range about.References {
		require(role.Property == "" || t.shape.has(role.Property), "role %q fills %q, which does not exist", role.Role, role.Property)
	}
	require(about.Naming.Property == "" || t.shape.has(about.Naming.Property), "naming property does not exist")
	_, declared := t.sensitive[about.SelfOutput]
	require(about.SelfOutput == "" || declared, "SelfOutput %q is not among the outputs", about.SelfOutput)
	return errors.Join(problems...)
}

func oneOf[T comparable](value T, all []T) bool {
	for _, one := range all {
		if one == value {
			return true
		}
	}
	return false
}

// describe is the type as hosts see it.
func (t *typed[C, P]) describe() contract.ResourceType {
	about := &t.about
	return contract.ResourceType{
		Name: about.Type, Summary: about.Summary, Schema: t.shape.schema(), Sensitive: t.shape.sensitive,
		Identifying: about.Identifying, References: about.References, Outputs: about.Outputs, SelfOutput: about.SelfOutput,
		Placement: about.Placement, Verbs: t.verbs(), Discovery: about.Discovery, LabelLimits: about.LabelLimits,
		Naming: about.Naming, SettleTime: about.SettleTime, Validates: t.validator != nil,
		Plans: true, Rollbacks: t.rollbacker != nil,
	}
}

// verbs are what the methods offer.
func (t *typed[C, P]) verbs() []contract.VerbSupport {
	support := func(verb contract.Verb, safety contract.RepeatSafety, typical time.Duration) contract.VerbSupport {
		return contract.VerbSupport{Verb: verb, RepeatSafety: safety, TypicalDuration: typical}
	}
	verbs := []contract.VerbSupport{
		support(contract.VerbCreate, t.about.RepeatSafety, t.about.Typical),
		support(contract.VerbEnsure, t.about.RepeatSafety, t.about.Typical),
		support(contract.VerbDelete, contract.Convergent, t.about.Typical),
		support(contract.VerbVerify, contract.Convergent, 0),
	}
	if t.updater != nil {
		verbs = append(verbs, support(contract.VerbUpdate, contract.Convergent, t.about.Typical))
	}
	return verbs
}

// properties decodes the properties of a target. A box that was sealed for a composite's property must have come from there.
func (t *typed[C, P]) properties(target *contract.Target) (P, error) {
	var properties P
	err := t.shape.decode(target.Properties, &properties, func(pointer string) string {
		if purpose := target.SealedPurposes[pointer]; purpose != "" && t.handed(purpose) {
			return purpose
		}
		return sealedbox.PurposeProperty(t.about.Type, pointer)
	})
	if err != nil {
		return properties, err
	}
	return properties, nil
}

// query is what Find is given.
func (t *typed[C, P]) query(c *call, target *contract.Target, properties P) *Query[P] {
	return &Query[P]{
		Name: target.Name, Properties: properties, Labels: target.Labels, Identity: target.Identity,
		Region: c.context.Region, Account: c.context.Account, call: c,
	}
}

// operation is what the other methods are given.
func (t *typed[C, P]) operation(c *call, target *contract.Target, verb contract.Verb, properties P) *Operation[P] {
	return &Operation[P]{
		Verb: verb, Properties: properties, Name: target.Name, Labels: target.Labels, Tags: target.Tags,
		References: target.References, RecordedOutputs: target.RecordedOutputs, IdempotencyKey: c.context.IdempotencyKey,
		Region: c.context.Region, Account: c.context.Account, call: c,
	}
}

// search collects what Find finds. The second answer is not zero when the reads may lag.
func (t *typed[C, P]) search(ctx context.Context, c *call, client C, query *Query[P]) ([]Found, *inconclusive, error) {
	var all []Found
	_, err := guarded(c, func() (struct{}, error) {
		return struct{}{}, t.author.Find(Reading(ctx), client, query, func(f Found) error {
			all = append(all, f)
			return ctx.Err()
		})
	})
	var lagging inconclusive
	if errors.As(err, &lagging) {
		return all, &lagging, nil
	}
	return all, nil, err
}

// ownership says whose a thing is. Nobody's labels on what the record says that this deployment made are labels that are still
// to be set, or were lost.
func (t *typed[C, P]) ownership(f Found, target *contract.Target) contract.Ownership {
	switch {
	case t.labelled || f.Labels != nil:
		whose := contract.OwnershipOf(f.Labels, target.Labels)
		if whose == contract.OwnershipNobody && target.Owned {
			return contract.OwnershipOurs
		}
		return whose
	case target.Owned:
		return contract.OwnershipOurs
	default:
		return contract.OwnershipUnknown
	}
}

// validate judges one item.
func (t *typed[C, P]) validate(item contract.ValidateItem) []contract.Diagnostic {
	properties, err := t.properties(&contract.Target{Properties: item.Properties})
	if err != nil {
		return []contract.Diagnostic{contract.DiagnosticOf(err)}
	}
	if t.validator == nil {
		return nil
	}
	return judge(t.validator, properties, rolesOf(item.Roles))
}

// rolesOf are roles that references will fill.
func rolesOf(names []string) References {
	roles := References{}
	for _, name := range names {
		roles[name] = nil
	}
	return roles
}

// judge calls an author's validator.
func judge[P any](author Validator[P], properties P, roles References) (found []contract.Diagnostic) {
	defer func() {
		if recover() != nil {
			found = []contract.Diagnostic{contract.New(ProviderFault, "the provider's validation panicked").Diagnostic}
		}
	}()
	found = author.Validate(properties, roles)
	for i := range found {
		found[i] = completed(found[i])
	}
	return found
}

// completed gives a diagnostic what its author left out.
func completed(d contract.Diagnostic) contract.Diagnostic {
	if d.Severity == "" {
		d.Severity = contract.SeverityError
	}
	if d.Kind == "" {
		d.Kind = InvalidInput
	}
	if d.Retry == "" {
		d.Retry = contract.RetryOf(d.Kind)
	}
	return d
}
