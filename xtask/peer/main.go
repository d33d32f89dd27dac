// Peer is the yardstick: the same work done with the reader of the Go
// distribution it is built with (package internal/trace), in one process,
// so that results can be compared and ratios measured side by side.
//
// Timed, on one trace; each prints events, seconds, ns/event, MB/s:
//
//	peer read    TRACE   order and validate every event, keep none
//	peer keep    TRACE   the same, keeping every event (what 'go tool trace' does)
//	peer summary TRACE   the same as read, plus the goroutine summarizer
//	peer raw     TRACE   decode wire events only
//
// Text, buffered, as 'go tool trace' prints it; events before a broken
// trace's error are printed, the error goes to standard error, exit status 1:
//
//	peer parsed  TRACE   'go tool trace -d=parsed'
//	peer wire    TRACE   'go tool trace -d=wire'
//
// Answers, one JSON object a line, durations in nanoseconds:
//
//	peer goroutines TRACE   what the summarizer knows of each goroutine
//	peer tasks      TRACE   the same of each user task
//	peer mmu        TRACE   minimum mutator utilization by flags and window
//
// Verdicts on many, often broken, traces; one line each of the file and,
// for the ordered and then for the wire events: how many could be printed, how
// it ended ("ok", "error" or "panic"), and the 64-bit FNV-1a hash of their text:
//
//	peer verdicts TRACE...
//
// The same on traces that come on standard input, each behind its length as four
// bytes, least significant first. Each line is written at once and begins with a
// dash; two quoted messages follow the columns: why the ordered and the wire
// events ended. A panic of the reader costs that trace only:
//
//	peer verdicts -
//
// Archives, the reader's own test cases; writes the trace as bytes to OUT and
// prints the expectation:
//
//	peer archive FILE OUT
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"internal/trace"
	"internal/trace/raw"
	"internal/txtar"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: peer read|keep|summary|raw|parsed|wire|goroutines|tasks|mmu TRACE | peer verdicts TRACE... | peer archive FILE OUT")
		os.Exit(2)
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	mode, files := os.Args[1], os.Args[2:]
	if mode == "verdicts" && files[0] == "-" {
		check(stream(bufio.NewReader(os.Stdin), out))
		return
	}
	if mode == "verdicts" {
		for _, name := range files {
			data, err := os.ReadFile(name)
			check(err)
			fmt.Fprintf(out, "%s\t%s\t%s\n", name, parsedOf(data), wireOf(data))
		}
		check(out.Flush())
		return
	}
	if mode == "archive" {
		check(archive(files[0], files[1]))
		return
	}
	f, err := os.Open(files[0])
	check(err)
	defer f.Close()
	st, err := f.Stat()
	check(err)
	start := time.Now()
	n, err := run(mode, f, out)
	out.Flush()
	d := time.Since(start)
	switch mode {
	case "read", "keep", "summary", "raw":
		fmt.Printf("%d events, %.3f s, %.1f ns/event, %.1f MB/s\n", n, d.Seconds(),
			float64(d.Nanoseconds())/float64(max(n, 1)), float64(st.Size())/1e6/d.Seconds())
	}
	check(err)
}

// stream answers traces until the input ends.
func stream(in io.Reader, out *bufio.Writer) error {
	var size [4]byte
	for {
		if _, err := io.ReadFull(in, size[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		data := make([]byte, binary.LittleEndian.Uint32(size[:]))
		if _, err := io.ReadFull(in, data); err != nil {
			return err
		}
		parsed, wire := parsedOf(data), wireOf(data)
		fmt.Fprintf(out, "-\t%s\t%s\t%q\t%q\n", parsed, wire, parsed.why, wire.why)
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

func run(mode string, f io.Reader, out *bufio.Writer) (n int, err error) {
	if mode == "raw" || mode == "wire" {
		return runRaw(f, func(ev raw.Event) {
			if mode == "wire" {
				fmt.Fprintln(out, ev.String())
			}
		})
	}
	r, err := trace.NewReader(f)
	if err != nil {
		return 0, err
	}
	var kept []trace.Event
	summarizer := trace.NewSummarizer()
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			break
		}
		if err != nil {
			return n, err
		}
		n++
		switch mode {
		case "keep", "mmu":
			kept = append(kept, ev)
		case "summary", "goroutines", "tasks":
			summarizer.Event(&ev)
		case "parsed":
			fmt.Fprintln(out, ev.String())
		}
	}
	switch mode {
	case "summary":
		summarizer.Finalize()
	case "goroutines":
		printGoroutines(out, summarizer.Finalize())
	case "tasks":
		printTasks(out, summarizer.Finalize())
	case "mmu":
		printMMU(out, kept)
	}
	return n, nil
}

func runRaw(f io.Reader, visit func(raw.Event)) (n int, err error) {
	r, err := raw.NewReader(f)
	if err != nil {
		return 0, err
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n++
		visit(ev)
	}
}

// outcome is how the reading of one form of a trace went.
type outcome struct {
	n   int    // events that were read and printed
	end string // ok, error or panic
	sum uint64 // hash of their text
	why string // the error, or what the panic said
}

func (o outcome) String() string {
	return fmt.Sprintf("%d\t%s\t%016x", o.n, o.end, o.sum)
}

// outcomeOf prints the events that next returns into a hash until there are no
// more. An event whose printing panics is not counted.
func outcomeOf[E fmt.Stringer](next func() (E, error)) (o outcome) {
	h := fnv.New64a()
	defer func() {
		if p := recover(); p != nil {
			o.end, o.why = "panic", fmt.Sprint(p)
		}
		o.sum = h.Sum64()
	}()
	for {
		ev, err := next()
		switch err {
		case nil:
			fmt.Fprintln(h, ev.String())
			o.n++
		case io.EOF:
			o.end = "ok"
			return o
		default:
			o.end, o.why = "error", err.Error()
			return o
		}
	}
}

// parsedOf and wireOf are verdicts on the ordered and on the wire events.
func parsedOf(data []byte) outcome {
	var r *trace.Reader
	return outcomeOf(func() (ev trace.Event, err error) {
		if r == nil {
			if r, err = trace.NewReader(bytes.NewReader(data)); err != nil {
				return ev, fmt.Errorf("header: %w", err)
			}
		}
		return r.ReadEvent()
	})
}

func wireOf(data []byte) outcome {
	var r *raw.Reader
	return outcomeOf(func() (ev wireEvent, err error) {
		if r == nil {
			if r, err = raw.NewReader(bytes.NewReader(data)); err != nil {
				return ev, fmt.Errorf("header: %w", err)
			}
		}
		ev.Event, err = r.ReadEvent()
		return ev, err
	})
}

// wireEvent gives raw events the method of fmt.Stringer by value.
type wireEvent struct{ raw.Event }

func (ev wireEvent) String() string { return ev.Event.String() }

func archive(name, out string) error {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		return err
	}
	if len(ar.Files) != 2 || ar.Files[0].Name != "expect" || ar.Files[1].Name != "trace" {
		return fmt.Errorf("%s: want the files expect and trace", name)
	}
	r, err := raw.NewTextReader(bytes.NewReader(ar.Files[1].Data))
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	w, err := raw.NewWriter(&buf, r.Version())
	if err != nil {
		return err
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := w.WriteEvent(ev); err != nil {
			return err
		}
	}
	os.Stdout.Write(ar.Files[0].Data)
	return os.WriteFile(out, buf.Bytes(), 0o666)
}

type stats struct {
	Exec         time.Duration            `json:"exec"`
	SchedWait    time.Duration            `json:"sched_wait"`
	Syscall      time.Duration            `json:"syscall"`
	SyscallBlock time.Duration            `json:"syscall_block"`
	Block        map[string]time.Duration `json:"block,omitempty"`
	Ranges       map[string]time.Duration `json:"ranges,omitempty"`
	Total        time.Duration            `json:"total"`
	Unknown      time.Duration            `json:"unknown"`
}

func statsOf(s trace.GoroutineExecStats) stats {
	return stats{s.ExecTime, s.SchedWaitTime, s.SyscallTime, s.SyscallBlockTime,
		s.BlockTimeByReason, s.RangeTime, s.TotalTime, s.UnknownTime()}
}

type region struct {
	Task  uint64      `json:"task"`
	Name  string      `json:"name"`
	Start *trace.Time `json:"start"` // null: no such event in the trace
	End   *trace.Time `json:"end"`
	stats
}

func regionsOf(in []*trace.UserRegionSummary) []region {
	out := []region{}
	for _, r := range in {
		out = append(out, region{uint64(r.TaskID), r.Name, timeOf(r.Start), timeOf(r.End), statsOf(r.GoroutineExecStats)})
	}
	return out
}

func timeOf(ev *trace.Event) *trace.Time {
	if ev == nil {
		return nil
	}
	t := ev.Time()
	return &t
}

func printGoroutines(w io.Writer, s *trace.Summary) {
	type goroutine struct {
		ID       trace.GoID `json:"id"`
		Name     string     `json:"name"`
		Creation trace.Time `json:"creation"`
		Start    trace.Time `json:"start"`
		End      trace.Time `json:"end"`
		stats
		Regions []region `json:"regions"`
	}
	for _, id := range slices.Sorted(maps.Keys(s.Goroutines)) {
		g := s.Goroutines[id]
		printJSON(w, goroutine{g.ID, g.Name, g.CreationTime, g.StartTime, g.EndTime,
			statsOf(g.GoroutineExecStats), regionsOf(g.Regions)})
	}
}

func printTasks(w io.Writer, s *trace.Summary) {
	type task struct {
		ID         uint64       `json:"id"`
		Name       string       `json:"name"`
		Parent     *uint64      `json:"parent"`
		Start      *trace.Time  `json:"start"`
		End        *trace.Time  `json:"end"`
		Logs       int          `json:"logs"`
		Regions    int          `json:"regions"`
		Goroutines []trace.GoID `json:"goroutines"`
	}
	for _, id := range slices.Sorted(maps.Keys(s.Tasks)) {
		t := s.Tasks[id]
		var parent *uint64
		if t.Parent != nil {
			p := uint64(t.Parent.ID)
			parent = &p
		}
		printJSON(w, task{uint64(t.ID), t.Name, parent, timeOf(t.Start), timeOf(t.End),
			len(t.Logs), len(t.Regions), slices.SortedFunc(maps.Keys(t.Goroutines), cmp.Compare[trace.GoID])})
	}
}

func printMMU(w io.Writer, events []trace.Event) {
	const all = trace.UtilSTW | trace.UtilBackground | trace.UtilAssist
	for _, f := range []struct {
		name  string
		flags trace.UtilFlags
	}{
		{"stw", trace.UtilSTW},
		{"stw+background+assist", all},
		{"stw+background+assist+sweep", all | trace.UtilSweep},
		{"stw+background+assist+sweep+perproc", all | trace.UtilSweep | trace.UtilPerProc},
	} {
		curve := trace.NewMMUCurve(trace.MutatorUtilizationV2(events, f.flags))
		for window := 10 * time.Microsecond; window <= time.Second; window *= 10 {
			printJSON(w, map[string]any{"flags": f.name, "window": window, "mmu": curve.MMU(window)})
		}
	}
}

func printJSON(w io.Writer, v any) {
	b, err := json.Marshal(v)
	check(err)
	fmt.Fprintf(w, "%s\n", b)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
