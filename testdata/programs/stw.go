// The world stops, for each reason that a program can give: more and fewer procs,
// memory statistics, all stacks, goroutine profiles.
//
//go:build ignore

package main

import (
	"io"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"time"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	done := make(chan bool)
	for i := 0; i < 4; i++ {
		go func() { // keeps procs busy, so that they are stopped while they run
			for {
				select {
				case <-done:
					return
				default:
					runtime.Gosched()
					time.Sleep(20 * time.Microsecond)
				}
			}
		}()
	}
	for _, n := range []int{1, 2, 16, 3, 4} {
		runtime.GOMAXPROCS(n)
		time.Sleep(100 * time.Microsecond)
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	runtime.Stack(make([]byte, 1<<12), true)
	pprof.Lookup("goroutine").WriteTo(io.Discard, 1)
	runtime.GC()
	close(done)
}
