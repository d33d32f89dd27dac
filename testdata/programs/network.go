// A few requests over loopback connections, with deadlines: the network poller.
//
//go:build ignore

package main

import (
	"io"
	"log"
	"net"
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

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	var wg sync.WaitGroup
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				log.Fatal(err)
			}
			defer conn.Close()
			var buf [5]byte
			for j := 0; j < 3; j++ {
				conn.Write([]byte("hello"))
				io.ReadFull(conn, buf[:])
			}
			conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			conn.Read(buf[:]) // times out
		}()
	}
	wg.Wait()
	listener.Close()
}
