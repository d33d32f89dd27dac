// Callbacks from threads that C made: goroutines that appear in a system call and
// end there, whose thread ids and procs are used again.
//
//go:build ignore

package main

/*
#include <pthread.h>

void called(int depth);

static void *body(void *arg) {
	for (int i = 0; i < 3; i++) called(1);
	return arg;
}

static void thread(void) {
	pthread_t t;
	if (pthread_create(&t, 0, body, 0) == 0) pthread_join(t, 0);
}

static void again(int depth) { called(depth); }
*/
import "C"

import (
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

//export called
func called(depth C.int) {
	switch depth {
	case 0:
		runtime.Gosched()
	case 1:
		C.again(0) // down into C and up again
		time.Sleep(50 * time.Microsecond)
	}
}

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			C.thread()
		}()
	}
	wg.Wait()
	runtime.GC() // takes back the procs that the threads left behind
	C.thread()
}
