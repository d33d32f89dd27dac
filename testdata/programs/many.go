// Many goroutines with short lives, created by goroutines on all procs.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(8)
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	var wg sync.WaitGroup
	var tree func(depth int)
	tree = func(depth int) {
		defer wg.Done()
		if depth == 0 {
			return
		}
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go tree(depth - 1)
		}
		if depth%2 == 0 {
			runtime.Gosched()
		}
	}
	wg.Add(1)
	go tree(5)
	wg.Wait()
}
