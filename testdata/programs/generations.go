// Everything that lives longer than one generation: tasks, regions, blocked
// system calls, waiting goroutines, collection cycles. Record it with a small
// GODEBUG=traceadvanceperiod.
//
//go:build ignore

package main

import (
	"context"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

func main() {
	runtime.GOMAXPROCS(4)
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	ctx, task := trace.NewTask(context.Background(), "long task")
	defer task.End()
	defer trace.StartRegion(ctx, "long region").End()

	var wg sync.WaitGroup
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		log.Fatal(err)
	}
	for i := 0; i < 2; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer trace.StartRegion(ctx, "blocked in a call").End()
			var b [1]byte
			syscall.Read(p[0], b[:])
		}()
	}
	var mu sync.Mutex
	mu.Lock()
	wg.Add(1)
	go func() {
		defer wg.Done()
		mu.Lock() // waits from the first generation to the last
		mu.Unlock()
	}()
	for start := time.Now(); time.Since(start) < 12*time.Millisecond; {
		sub, step := trace.NewTask(ctx, "step")
		trace.WithRegion(sub, "sleep", func() { time.Sleep(2 * time.Millisecond) })
		go step.End() // perhaps in the next generation
	}
	runtime.GC()
	mu.Unlock()
	syscall.Write(p[1], []byte{1, 1})
	wg.Wait()
}
