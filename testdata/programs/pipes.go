// Pipes that the network poller watches, between goroutines and a child process.
//
//go:build ignore

package main

import (
	"io"
	"log"
	"os"
	"os/exec"
	"runtime/trace"
)

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()

	r, w, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for i := 0; i < 5; i++ {
			w.Write([]byte("hello\n"))
		}
		w.Close()
	}()
	io.Copy(io.Discard, r)

	child := exec.Command("cat")
	stdin, err := child.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	child.Stdout = io.Discard
	child.Stderr = io.Discard
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	io.WriteString(stdin, "through a child\n")
	stdin.Close()
	child.Wait()
}
