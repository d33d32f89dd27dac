// Misuse of the annotation API, which makes the reference refuse the trace: a
// region that is ended twice, after much that is fine.
//
//go:build ignore

package main

import (
	"context"
	"log"
	"os"
	"runtime/trace"
	"time"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	ctx, task := trace.NewTask(context.Background(), "task")
	defer task.End()
	trace.WithRegion(ctx, "fine", func() { time.Sleep(time.Millisecond) })
	done := make(chan bool)
	go func() {
		outer := trace.StartRegion(ctx, "outer")
		region := trace.StartRegion(ctx, "ended twice")
		region.End()
		region.End()
		outer.End()
		close(done)
	}()
	<-done
	trace.WithRegion(ctx, "fine again", func() { time.Sleep(time.Millisecond) })
}
