// Goroutines that wait for each other in every way: buffered and unbuffered
// channels, select, mutexes, conditions, wait groups, sleep, yielding, and one
// that blocked before the trace began and still does when it ends.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

func main() {
	never := make(chan int)
	go func() { <-never }()
	time.Sleep(time.Millisecond)
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	var wg sync.WaitGroup
	spawn := func(f func()) {
		wg.Add(1)
		go func() { defer wg.Done(); f() }()
	}

	ping, pong, quit := make(chan int), make(chan int, 2), make(chan bool)
	spawn(func() {
		for i := 0; i < 8; i++ {
			ping <- i
			<-pong
		}
		close(quit)
	})
	spawn(func() {
		for {
			select {
			case i := <-ping:
				pong <- i
			case <-quit:
				return
			}
		}
	})

	var mu sync.RWMutex
	ready := false
	cond := sync.NewCond(mu.RLocker())
	for i := 0; i < 3; i++ {
		spawn(func() {
			mu.RLock()
			for !ready {
				cond.Wait()
			}
			mu.RUnlock()
			mu.Lock()
			time.Sleep(100 * time.Microsecond)
			mu.Unlock()
		})
	}
	spawn(func() {
		for i := 0; i < 4; i++ {
			runtime.Gosched()
		}
		time.Sleep(200 * time.Microsecond)
		mu.Lock()
		ready = true
		mu.Unlock()
		cond.Broadcast()
	})
	wg.Wait()
	go func() { select {} }() // blocks for ever
	runtime.Gosched()
}
