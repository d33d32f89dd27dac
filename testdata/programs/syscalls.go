// System calls: fast ones, slow ones whose proc is taken away, one that began
// before the trace, and one that is still going on when the trace ends.
//
//go:build ignore

package main

import (
	"log"
	"os"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

func pipe() (r, w int) {
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		log.Fatal(err)
	}
	return p[0], p[1]
}

func main() {
	var wg sync.WaitGroup
	read := func(fd int) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var b [1]byte
			syscall.Read(fd, b[:])
		}()
	}

	early, earlyEnd := pipe()
	read(early)
	time.Sleep(time.Millisecond) // let it enter the call
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}

	for i := 0; i < 20; i++ {
		os.Stat("/")
	}
	r, w := pipe()
	for i := 0; i < 3; i++ {
		read(r)
	}
	wg.Add(1)
	go func() { // goes in and out of calls while others need its proc
		defer wg.Done()
		for i := 0; i < 10; i++ {
			ts := syscall.NsecToTimespec(50_000)
			syscall.Nanosleep(&ts, nil)
		}
	}()
	time.Sleep(500 * time.Microsecond)
	syscall.Write(earlyEnd, []byte{1})
	for i := 0; i < 3; i++ {
		syscall.Write(w, []byte{1})
	}
	wg.Wait()

	late, _ := pipe()
	read(late)
	time.Sleep(200 * time.Microsecond)
	trace.Stop()
}
