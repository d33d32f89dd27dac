// Coroutines: iterators that are pulled, to the end, stopped early, nested, and
// from several goroutines.
//
//go:build ignore && go1.23

package main

import (
	"iter"
	"log"
	"os"
	"runtime/trace"
	"sync"
)

func count(to int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < to && yield(i); i++ {
		}
	}
}

// double pulls another iterator inside of a coroutine.
func double(of iter.Seq[int]) iter.Seq[int] {
	return func(yield func(int) bool) {
		next, stop := iter.Pull(of)
		defer stop()
		for v, ok := next(); ok && yield(2*v); v, ok = next() {
		}
	}
}

func main() {
	old, stopOld := iter.Pull(count(3)) // lives across the start of the trace
	old()
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()
	old()
	stopOld()

	var wg sync.WaitGroup
	for g := 0; g < 3; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			next, stop := iter.Pull(double(count(4)))
			defer stop()
			for _, ok := next(); ok; _, ok = next() {
			}
		}()
	}
	wg.Wait()
	next, stop := iter.Pull(count(9))
	next()
	stop()
}
