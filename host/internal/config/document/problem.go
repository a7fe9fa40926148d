package document

// MaxProblems is how many problems are reported at once, at most.
const MaxProblems = 1000

// Problem is one thing wrong with what a caller sent: where (a JSON Pointer into the request) and what. It never holds a value from
// there, only keys.
type Problem struct {
	Pointer string
	Message string
}
