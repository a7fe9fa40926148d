// Package e2e has no code of its own: its tests run the real programs as processes and talk to them over HTTP, as callers do. What
// is tested here is what only shows between processes: that nothing leaks, that what is wrong is refused and leaves no trace, and
// that a deployment goes its way from plan to destroy whoever is stopped or killed meanwhile.
package e2e
