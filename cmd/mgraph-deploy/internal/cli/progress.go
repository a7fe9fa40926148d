package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// progress shows a run while it goes. All calls come from one goroutine.
type progress interface {
	begin(run *rest.RunResult)
	event(event rest.Event)
	end()
}

// newProgress draws a bar on a terminal, writes lines elsewhere, and keeps quiet before an answer for machines.
func (a *app) newProgress(verb string) progress {
	switch {
	case onTerminal(a.env.Err):
		return &bar{out: a.env.Err, verb: verb, running: map[string]string{}}
	case a.json():
		return quiet{}
	default:
		return &lines{out: a.env.Err, started: map[string]rest.Time{}}
	}
}

// quiet shows nothing.
type quiet struct{}

func (quiet) begin(*rest.RunResult) {}
func (quiet) event(rest.Event)      {}
func (quiet) end()                  {}

// jsonLines writes each event as one line.
type jsonLines struct{ out io.Writer }

func (jsonLines) begin(*rest.RunResult) {}
func (jsonLines) end()                  {}

func (j jsonLines) event(event rest.Event) {
	if text, err := json.Marshal(event); err == nil {
		_, _ = fmt.Fprintf(j.out, "%s\n", text)
	}
}

// lines writes what happened as plain lines.
type lines struct {
	out     io.Writer
	started map[string]rest.Time
}

func (l *lines) begin(run *rest.RunResult) {
	if run.RunID != "" {
		_, _ = fmt.Fprintf(l.out, "run %s of graph %s\n", run.RunID, run.GraphID)
	}
}

func (l *lines) end() {}

func (l *lines) event(event rest.Event) {
	if text := l.text(event); text != "" {
		_, _ = fmt.Fprintf(l.out, "%s %s\n", event.At.Format(time.TimeOnly), printable(text))
	}
}

func (l *lines) text(event rest.Event) string {
	what := event.ResourceID + at(event.Region)
	switch event.Kind {
	case rest.EventIntent:
		if _, again := l.started[event.Operation]; !again {
			l.started[event.Operation] = event.At
		}
		return what + ": begun" + attempt(event)
	case rest.EventProgress:
		return what + ": " + first(event.Message, "working")
	case rest.EventEnded:
		return what + ": " + l.ending(event)
	case rest.EventChanged:
		return plural(len(event.Operations), "operation") + " " + event.Status
	case rest.EventReleased:
		return "edge " + event.Edge + " released"
	case rest.EventRunChanged:
		return strings.TrimSuffix("run "+event.RunStatus+": "+event.Reason, ": ")
	default:
		return ""
	}
}

func attempt(event rest.Event) string {
	switch {
	case event.Settling:
		return fmt.Sprintf(", attempt %d, settling what an earlier one left", event.Attempt)
	case event.Attempt > 1:
		return fmt.Sprintf(", attempt %d", event.Attempt)
	default:
		return ""
	}
}

func (l *lines) ending(event rest.Event) string {
	text := event.Status
	if event.Change != "" && event.Change != "none" {
		text += ", " + event.Change
	}
	if began, ok := l.started[event.Operation]; ok {
		text += " in " + shortSeconds(event.At.Sub(began.Time).Seconds())
	}
	if event.Error != nil {
		text += ": " + event.Error.Summary
	}
	if !event.RetryAt.IsZero() {
		text += ", tried again at " + event.RetryAt.Format(time.TimeOnly)
	}
	return text
}

// bar draws one bar for the run, with what is in flight beside it, and failures above it.
type bar struct {
	out       io.Writer
	verb      string
	container *mpb.Progress
	bar       *mpb.Bar

	mu      sync.Mutex
	running map[string]string
}

func (b *bar) begin(run *rest.RunResult) {
	if run.RunID == "" {
		return
	}
	b.container = mpb.New(mpb.WithOutput(b.out), mpb.WithWidth(40), mpb.WithAutoRefresh())
	b.bar = b.container.AddBar(int64(run.Total),
		mpb.PrependDecorators(decor.Name(b.verb+" "), decor.CountersNoUnit("%d/%d")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.inFlight() })),
	)
}

// shownRunning is how many operations in flight are named.
const shownRunning = 3

func (b *bar) inFlight() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := slices.Sorted(maps.Values(b.running))
	if len(names) > shownRunning {
		names = append(names[:shownRunning], fmt.Sprintf("and %d more", len(names)-shownRunning))
	}
	return strings.Join(names, ", ")
}

func (b *bar) event(event rest.Event) {
	if b.bar == nil {
		return
	}
	b.mu.Lock()
	switch event.Kind {
	case rest.EventIntent:
		b.running[event.Operation] = printable(event.ResourceID + at(event.Region))
	case rest.EventEnded:
		delete(b.running, event.Operation)
	}
	b.mu.Unlock()
	if event.Kind == rest.EventEnded && event.Status == "completed" {
		b.bar.Increment()
	}
	if event.Kind == rest.EventEnded && event.Status == "failed" && event.Error != nil {
		_, _ = fmt.Fprintf(b.container, "%s\n", printable(event.ResourceID+at(event.Region)+": "+event.Error.Summary))
	}
}

func (b *bar) end() {
	if b.bar == nil {
		return
	}
	if !b.bar.Completed() {
		b.bar.Abort(false)
	}
	b.container.Wait()
}
