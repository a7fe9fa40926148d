package engine

import "container/list"

// recentOperations bounds the runs at rest that are kept in memory for those who ask how they ended: small ones are many, a
// large one is alone.
const recentOperations = 10_000

// recent is the runs that came to rest in this host lately. Nothing of it takes longer when more is kept. Its owner guards it.
type recent struct {
	order        list.List // of *drive, newest last
	byRun        map[string]*list.Element
	byDeployment map[deploymentKey]map[string]*list.Element
	kept         int // operations of those
}

// deploymentKey is a deployment of a tenant.
type deploymentKey struct{ tenant, id string }

func (d *drive) deployment() deploymentKey { return deploymentKey{d.run.Tenant, d.run.DeploymentID} }

// find gives the run of an id; nil when it is not kept.
func (r *recent) find(runID string) *drive {
	if element := r.byRun[runID]; element != nil {
		return element.Value.(*drive)
	}
	return nil
}

// add keeps a run, and lets the oldest go when there is too much.
func (r *recent) add(d *drive) {
	r.remove(r.byRun[d.run.ID])
	if r.byRun == nil {
		r.byRun, r.byDeployment = map[string]*list.Element{}, map[deploymentKey]map[string]*list.Element{}
	}
	element := r.order.PushBack(d)
	r.byRun[d.run.ID] = element
	if r.byDeployment[d.deployment()] == nil {
		r.byDeployment[d.deployment()] = map[string]*list.Element{}
	}
	r.byDeployment[d.deployment()][d.run.ID] = element
	r.kept += len(d.plan.Operations)
	for r.order.Len() > 1 && r.kept > recentOperations {
		r.remove(r.order.Front())
	}
}

// forget lets all runs of a deployment go.
func (r *recent) forget(deployment deploymentKey) {
	for _, element := range r.byDeployment[deployment] {
		r.remove(element)
	}
}

func (r *recent) remove(element *list.Element) {
	if element == nil {
		return
	}
	d := r.order.Remove(element).(*drive)
	delete(r.byRun, d.run.ID)
	delete(r.byDeployment[d.deployment()], d.run.ID)
	if len(r.byDeployment[d.deployment()]) == 0 {
		delete(r.byDeployment, d.deployment())
	}
	r.kept -= len(d.plan.Operations)
}
