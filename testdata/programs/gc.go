// Garbage collection: cycles that allocation starts, mark assists, sweeping, and
// a forced cycle.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/trace"
	"sync"
)

type node struct {
	next *node
	_    [14]int
}

func main() {
	runtime.GOMAXPROCS(4) // with fewer, part-time mark workers fill the trace
	debug.SetGCPercent(10)
	var old *node // a live heap, so that marking takes a while
	for i := 0; i < 40_000; i++ {
		old = &node{next: old}
	}
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	var wg sync.WaitGroup
	for g := 0; g < 4; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var list *node
			for i := 0; i < 2_500; i++ {
				list = &node{next: list}
			}
			runtime.KeepAlive(list)
		}()
	}
	wg.Wait()
	runtime.GC()
	runtime.KeepAlive(old)
}
