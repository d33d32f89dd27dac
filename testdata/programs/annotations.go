// User annotations: nested tasks, regions on several goroutines, logs, names with
// every kind of character; tasks and regions that begin before the trace or end
// after it.
//
//go:build ignore

package main

import (
	"context"
	"log"
	"os"
	"runtime/trace"
	"strings"
	"sync"
)

func main() {
	outer, before := trace.NewTask(context.Background(), "before the trace")
	early := trace.StartRegion(outer, "early region")
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	early.End()

	ctx, task := trace.NewTask(outer, "order")
	trace.Log(ctx, "customer", "7")
	trace.Logf(context.Background(), "", "no task: %v", []int{1, 2})
	for _, name := range []string{
		"", "a \"quoted\" name", "tab\tand\nnewline", "Grüße, 世界 🎉",
		"not UTF-8: \xff\xfe", "\x00\x7f\u00ad\u2028", strings.Repeat("long ", 300),
	} {
		trace.WithRegion(ctx, name, func() { trace.Log(ctx, name, name) })
	}
	var wg sync.WaitGroup
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			inner, step := trace.NewTask(ctx, "step")
			defer step.End()
			trace.WithRegion(inner, "outer", func() {
				trace.WithRegion(inner, "inner", func() { trace.Log(inner, "at", "work") })
			})
		}()
	}
	wg.Wait()
	task.End()
	before.End()
	late, after := trace.NewTask(ctx, "after the trace")
	open := trace.StartRegion(late, "never ended in the trace")
	trace.Stop()
	open.End()
	after.End()
}
