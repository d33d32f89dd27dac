// CPU samples, on goroutines with and without profiler labels.
//
//go:build ignore

package main

import (
	"context"
	"io"
	"log"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"time"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		log.Fatal(err)
	}
	defer pprof.StopCPUProfile()

	done := make(chan int)
	for i, name := range []string{"first", "second", ""} {
		i, name := i, name
		go func() {
			if name == "" {
				done <- spin(i)
				return
			}
			pprof.Do(context.Background(), pprof.Labels("worker", name), func(context.Context) {
				done <- spin(i)
			})
		}()
	}
	for i := 0; i < 3; i++ {
		<-done
	}
}

func spin(seed int) int {
	for start := time.Now(); time.Since(start) < 60*time.Millisecond; {
		for i := 0; i < 10_000; i++ {
			seed = seed*1103515245 + i
		}
	}
	return seed
}
