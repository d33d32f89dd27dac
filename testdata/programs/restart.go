// A trace that starts after others have stopped: its generations do not begin at
// one, and ids have been used before.
//
//go:build ignore

package main

import (
	"io"
	"log"
	"os"
	"runtime"
	"runtime/trace"
)

func main() {
	for i := 0; i < 3; i++ {
		if err := trace.Start(io.Discard); err != nil {
			log.Fatal(err)
		}
		runtime.GC()
		trace.Stop()
	}
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	runtime.GC()
	trace.Stop()
}
