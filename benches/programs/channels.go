// Channel traffic and nothing else: pairs that play ping-pong, and rings that pass a token on.
// Writes its trace to standard output. The argument is how many million messages are sent.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime/trace"
	"strconv"
	"sync"
	"sync/atomic"
)

func main() {
	millions, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()
	var left atomic.Int64
	left.Store(int64(millions) * 1_000_000)
	var wg sync.WaitGroup
	for i := 0; i < 16; i++ {
		ring(&wg, &left, 2+i%4*10)
	}
	wg.Wait()
}

// ring passes a token around until no messages are left.
func ring(wg *sync.WaitGroup, left *atomic.Int64, size int) {
	first := make(chan int)
	in := first
	for i := 0; i < size; i++ {
		from, to := in, make(chan int)
		if i == size-1 {
			to = first
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for token := range from {
				if left.Add(-1) < 0 {
					// Whoever comes first ends the ring; the others find it closed.
					if token >= 0 {
						token = -size
					}
					if token++; token == 0 {
						return
					}
					to <- token
					return
				}
				to <- token
			}
		}()
		in = to
	}
	go func() { first <- 0 }()
}
