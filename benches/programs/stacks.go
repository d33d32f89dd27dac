// Heavy in stacks and strings: nearly every event has a stack that no other has, 10 to 60
// frames deep, and every log message is a string of its own. Eight functions call each other
// along a path that a number spells out, from 64 places. Writes its trace to standard output.
// The argument is how many thousand paths are walked.
//
//go:build ignore

package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"strconv"
	"sync"
)

// walker is on its way down a path.
type walker struct {
	ctx   context.Context
	path  uint64
	depth int
	turn  chan bool
}

// next takes three bits of the path.
func (w *walker) next() uint64 {
	w.depth--
	w.path = w.path>>3 | w.path<<61
	return w.path & 7
}

func main() {
	thousands, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	defer trace.Stop()
	var wg sync.WaitGroup
	for g := 0; g < 8; g++ {
		g := g
		wg.Add(1)
		go func() {
			defer wg.Done()
			w := walker{ctx: context.Background(), turn: make(chan bool)}
			for i := 0; i < thousands*125; i++ {
				w.path = uint64(i*8+g) * 0x9e3779b97f4a7c15
				w.depth = 10 + i%50
				f0(&w)
			}
		}()
	}
	wg.Wait()
}

// bottom makes events: with the walker's stack, and with a new string.
func bottom(w *walker) {
	go func() { w.turn <- true }()
	<-w.turn
	runtime.Gosched()
	trace.Log(w.ctx, "path", fmt.Sprintf("%016x at depth %d", w.path, w.depth))
}

//go:noinline
func f0(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f0(w)
	case 1:
		f1(w)
	case 2:
		f2(w)
	case 3:
		f3(w)
	case 4:
		f4(w)
	case 5:
		f5(w)
	case 6:
		f6(w)
	default:
		f7(w)
	}
}

//go:noinline
func f1(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f1(w)
	case 1:
		f2(w)
	case 2:
		f3(w)
	case 3:
		f4(w)
	case 4:
		f5(w)
	case 5:
		f6(w)
	case 6:
		f7(w)
	default:
		f0(w)
	}
}

//go:noinline
func f2(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f2(w)
	case 1:
		f3(w)
	case 2:
		f4(w)
	case 3:
		f5(w)
	case 4:
		f6(w)
	case 5:
		f7(w)
	case 6:
		f0(w)
	default:
		f1(w)
	}
}

//go:noinline
func f3(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f3(w)
	case 1:
		f4(w)
	case 2:
		f5(w)
	case 3:
		f6(w)
	case 4:
		f7(w)
	case 5:
		f0(w)
	case 6:
		f1(w)
	default:
		f2(w)
	}
}

//go:noinline
func f4(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f4(w)
	case 1:
		f5(w)
	case 2:
		f6(w)
	case 3:
		f7(w)
	case 4:
		f0(w)
	case 5:
		f1(w)
	case 6:
		f2(w)
	default:
		f3(w)
	}
}

//go:noinline
func f5(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f5(w)
	case 1:
		f6(w)
	case 2:
		f7(w)
	case 3:
		f0(w)
	case 4:
		f1(w)
	case 5:
		f2(w)
	case 6:
		f3(w)
	default:
		f4(w)
	}
}

//go:noinline
func f6(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f6(w)
	case 1:
		f7(w)
	case 2:
		f0(w)
	case 3:
		f1(w)
	case 4:
		f2(w)
	case 5:
		f3(w)
	case 6:
		f4(w)
	default:
		f5(w)
	}
}

//go:noinline
func f7(w *walker) {
	next := w.next()
	if w.depth <= 0 {
		bottom(w)
		return
	}
	switch next {
	case 0:
		f7(w)
	case 1:
		f0(w)
	case 2:
		f1(w)
	case 3:
		f2(w)
	case 4:
		f3(w)
	case 5:
		f4(w)
	case 6:
		f5(w)
	default:
		f6(w)
	}
}
