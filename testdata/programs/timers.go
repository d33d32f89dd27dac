// Timers, tickers, and contexts with timeouts.
//
//go:build ignore

package main

import (
	"context"
	"log"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	var wg sync.WaitGroup
	for i := 1; i <= 3; i++ {
		wg.Add(1)
		time.AfterFunc(time.Duration(i)*100*time.Microsecond, wg.Done)
	}
	ticker := time.NewTicker(200 * time.Microsecond)
	for i := 0; i < 4; i++ {
		<-ticker.C
	}
	ticker.Stop()
	never := time.NewTimer(time.Hour)
	never.Reset(300 * time.Microsecond)
	<-never.C

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	child, stop := context.WithCancel(ctx)
	defer stop()
	<-child.Done()
	select {
	case <-time.After(100 * time.Microsecond):
	case <-make(chan int):
	}
	wg.Wait()
}
