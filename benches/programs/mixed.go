// A program of many trades: an HTTP server and its clients on the loopback interface, JSON,
// compression, a pool of workers, a pipeline, files, timers, and garbage enough to keep the
// collector at work. Writes its trace to standard output until that has -bytes bytes.
//
//go:build ignore

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/trace"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// counter is standard output; it says when enough was written.
type counter struct {
	left atomic.Int64
	stop context.CancelFunc
}

func (c *counter) Write(b []byte) (int, error) {
	if c.left.Add(-int64(len(b))) <= 0 {
		c.stop()
	}
	return os.Stdout.Write(b)
}

type order struct {
	ID    int               `json:"id"`
	Lines []string          `json:"lines"`
	Notes map[string]string `json:"notes"`
}

func main() {
	size := flag.Int64("bytes", 1<<20, "how large the trace gets, roughly")
	gc := flag.Int("gc", 100, "GOGC")
	flag.Parse()
	debug.SetGCPercent(*gc)

	ctx, stop := context.WithCancel(context.Background())
	out := &counter{stop: stop}
	out.left.Store(*size)
	if err := trace.Start(out); err != nil {
		log.Fatal(err)
	}
	var wg sync.WaitGroup
	run := func(n int, work func(context.Context, int)) {
		for i := 0; i < n; i++ {
			i := i
			wg.Add(1)
			go func() {
				defer wg.Done()
				work(ctx, i)
			}()
		}
	}
	url := serve(ctx)
	run(16, func(ctx context.Context, i int) { client(ctx, url, i) })
	run(2, pool)
	run(2, pipeline)
	run(4, contend)
	run(2, files)
	run(50, tick)
	wg.Wait()
	trace.Stop()
}

var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// serve answers orders with their hash, compressed.
func serve(ctx context.Context) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		ctx, task := trace.NewTask(r.Context(), "order")
		defer task.End()
		var o order
		var err error
		trace.WithRegion(ctx, "decode", func() { err = json.NewDecoder(r.Body).Decode(&o) })
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		trace.Logf(ctx, "lines", "%d", len(o.Lines)%4)
		trace.WithRegion(ctx, "encode", func() {
			z := zippers.Get().(*gzip.Writer)
			defer zippers.Put(z)
			z.Reset(w)
			sort.Strings(o.Lines)
			fmt.Fprintf(z, "%x", sha256.Sum256([]byte(fmt.Sprint(o.Lines))))
			z.Close()
		})
	}
	server := &http.Server{Handler: http.HandlerFunc(handler)}
	go server.Serve(listener)
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	return "http://" + listener.Addr().String()
}

func client(ctx context.Context, url string, i int) {
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	defer transport.CloseIdleConnections()
	c := http.Client{Transport: transport}
	for n := 0; ctx.Err() == nil; n++ {
		o := order{ID: n, Notes: map[string]string{"client": fmt.Sprint(i)}}
		for line := 0; line < n%20; line++ {
			o.Lines = append(o.Lines, fmt.Sprintf("line %d of order %d", line, n))
		}
		body, _ := json.Marshal(o)
		response, err := c.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			continue
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}

// pool hands out batches of work and waits for all of it.
func pool(ctx context.Context, _ int) {
	jobs := make(chan []byte)
	var done sync.WaitGroup
	for w := 0; w < 8; w++ {
		go func() {
			for job := range jobs {
				sha256.Sum256(job)
				done.Done()
			}
		}()
	}
	for ctx.Err() == nil {
		for n := 0; n < 64; n++ {
			done.Add(1)
			jobs <- make([]byte, 256+n*16)
		}
		done.Wait()
		time.Sleep(time.Millisecond)
	}
	close(jobs)
}

// pipeline passes numbers through ten stages and a select.
func pipeline(ctx context.Context, _ int) {
	first := make(chan int)
	last := first
	for s := 0; s < 10; s++ {
		in, out := last, make(chan int, s%3)
		go func() {
			for n := range in {
				out <- n + 1
			}
			close(out)
		}()
		last = out
	}
	patience := time.NewTicker(time.Millisecond)
	defer patience.Stop()
	go func() {
		for n := 0; ctx.Err() == nil; n++ {
			first <- n
			if n%64 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		close(first)
	}()
	for {
		select {
		case _, ok := <-last:
			if !ok {
				return
			}
		case <-patience.C:
		}
	}
}

var (
	lock  sync.Mutex
	table = map[int][]byte{}
)

// contend fills a map under a lock that all want.
func contend(ctx context.Context, i int) {
	for n := 0; ctx.Err() == nil; n++ {
		lock.Lock()
		table[n%512] = make([]byte, 512+n%2048)
		if n%16 == 0 {
			time.Sleep(20 * time.Microsecond)
		}
		lock.Unlock()
	}
}

// files writes and reads a file again and again.
func files(ctx context.Context, _ int) {
	f, err := os.CreateTemp("", "mixed")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 4096)
	for n := 0; ctx.Err() == nil; n++ {
		f.WriteAt(block, int64(n%64)*4096)
		f.ReadAt(block, int64(n*7%64)*4096)
		if n%8 == 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// tick sleeps most of the time.
func tick(ctx context.Context, i int) {
	for ctx.Err() == nil {
		time.Sleep(time.Duration(1+i%10) * time.Millisecond)
		trace.WithRegion(ctx, "tick", func() {})
	}
}
