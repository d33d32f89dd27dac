// The same traffic for any number of goroutines and procs: goroutines stand in a row, and each
// that is woken wakes the next one and waits for its next turn. Writes its trace to standard
// output. Arguments: how many goroutines, how many thousand turns.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime/trace"
	"strconv"
	"sync"
)

func main() {
	goroutines, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	thousands, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()
	// Eight tokens, so that there is always work for more than one proc.
	const tokens = 8
	turns := make([]chan int, goroutines)
	for i := range turns {
		turns[i] = make(chan int, tokens)
	}
	var wg sync.WaitGroup
	wg.Add(tokens)
	for i := range turns {
		i := i
		go func() {
			for left := range turns[i] {
				if left == 0 {
					wg.Done()
					continue
				}
				turns[(i+1)%goroutines] <- left - 1
			}
		}()
	}
	for t := 0; t < tokens; t++ {
		turns[t*goroutines/tokens] <- thousands * 1000 / tokens
	}
	wg.Wait()
}
