// Millions of events on 64 procs, for conformance and benchmarks; not kept in the
// repository. The argument is how many rounds each worker makes (default 7,000).
//
//go:build ignore

package main

import (
	"context"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"strconv"
	"sync"
	"time"
)

var sink []byte

func main() {
	rounds := 7_000
	if len(os.Args) > 1 {
		var err error
		if rounds, err = strconv.Atoi(os.Args[1]); err != nil {
			log.Fatal(err)
		}
	}
	runtime.GOMAXPROCS(64)
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	ctx, task := trace.NewTask(context.Background(), "stress")
	defer task.End()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for g := 0; g < 128; g++ {
		g := g
		wg.Add(1)
		go func() {
			defer wg.Done()
			token := make(chan bool)
			for i := 0; i < rounds; i++ {
				go func() { token <- true }()
				<-token
				switch (i + g) % 16 {
				case 0:
					os.Stat("/")
				case 1:
					trace.WithRegion(ctx, "region", runtime.Gosched)
				case 2:
					mu.Lock()
					sink = make([]byte, 4096)
					mu.Unlock()
				case 3:
					if i%64 == 3 {
						time.Sleep(50 * time.Microsecond)
					}
				case 4:
					trace.Log(ctx, "round", "log")
				}
			}
		}()
	}
	wg.Wait()
}
