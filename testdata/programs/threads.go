// Threads: goroutines locked to theirs, and threads that end with a goroutine
// that never unlocked.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	a, b := make(chan int), make(chan int)
	var wg sync.WaitGroup
	wg.Add(2)
	go func() { // hands over between locked threads
		defer wg.Done()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for i := 0; i < 5; i++ {
			a <- i
			<-b
		}
		close(a)
	}()
	go func() {
		defer wg.Done()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for i := range a {
			b <- i
		}
	}()
	for i := 0; i < 6; i++ {
		wg.Add(1)
		go func() { // its thread ends with it
			defer wg.Done()
			runtime.LockOSThread()
			ts := syscall.NsecToTimespec(200_000)
			syscall.Nanosleep(&ts, nil)
		}()
		time.Sleep(50 * time.Microsecond)
	}
	wg.Wait()
}
