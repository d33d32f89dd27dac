// Prints src/printable.rs: the code points beyond ASCII that Go's strconv.IsPrint accepts.
//
//	go run tools/printable.go > src/printable.rs && cargo fmt -p gotrail-format
//
// Run it with the newest Go that gotrail compares itself with.
package main

import (
	"fmt"
	"runtime"
	"strconv"
	"unicode"
)

const maxRune = unicode.MaxRune

func main() {
	fmt.Printf("//! The code points that Go's string quoting leaves as they are.\n")
	fmt.Printf("//!\n")
	fmt.Printf("//! Made by `tools/printable.go` with %s (Unicode %s); do not edit.\n\n", runtime.Version(), unicode.Version)
	fmt.Printf("/// The first and the last code point of every printable range beyond ASCII, rising.\n")
	fmt.Printf("pub(crate) const RANGES: &[(u32, u32)] = &[\n")
	for first := rune(0x80); first <= maxRune; first++ {
		if !strconv.IsPrint(first) {
			continue
		}
		last := first
		for last < maxRune && strconv.IsPrint(last+1) {
			last++
		}
		fmt.Printf("    (%#x, %#x),\n", first, last)
		first = last
	}
	fmt.Printf("];\n")
}
