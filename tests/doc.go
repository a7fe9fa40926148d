// Package tests holds what is tested from outside: the law of imports in this folder itself, and below it end-to-end tests of the
// real programs (e2e), crash tests (crash), and what stands in for clouds and providers. Nothing of the product imports it.
package tests
