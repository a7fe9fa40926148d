package execution

// rank puts statuses in the order in which one of them tells how several operations stand together: what a person must see first
// comes first, and all is completed only when everything is.
var rank = map[Status]int{Failed: 6, Running: 5, Paused: 4, Blocked: 3, Pending: 2, Skipped: 1, Completed: 0}

// RollUp says in one status how several operations stand: as the one of them does that ranks highest, of failed, running, paused,
// blocked, pending, skipped and completed, in this order. Nothing at all is completed.
func RollUp(statuses ...Status) Status {
	all := Completed
	for _, status := range statuses {
		if rank[status] > rank[all] {
			all = status
		}
	}
	return all
}
