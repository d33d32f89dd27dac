// Nothing at all: the smallest trace there is, one generation.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime/trace"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	trace.Stop()
}
