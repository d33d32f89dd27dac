// A flight recorder's snapshot: the trace of what has just happened, without the
// beginning.
//
//go:build ignore && go1.25

package main

import (
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"time"
)

func main() {
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: 5 * time.Millisecond})
	if err := recorder.Start(); err != nil {
		log.Fatal(err)
	}
	for i := 0; i < 10; i++ {
		done := make(chan bool)
		go func() {
			time.Sleep(time.Millisecond)
			close(done)
		}()
		<-done
		runtime.Gosched()
	}
	if _, err := recorder.WriteTo(os.Stdout); err != nil {
		log.Fatal(err)
	}
	recorder.Stop()
}
