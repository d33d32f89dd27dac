//! Whose code a frame is: the runtime's, the standard library's, or the program's.

use crate::names::{Frame, Names, StackId};
use gotrail::bstr::BStr;

/// The first elements of the paths of the standard library's packages, as of Go 1.27. No other
/// module may have one of these: paths without a dot in their first element are reserved for it,
/// but for a main module that nobody imports.
const STANDARD: [&str; 50] = [
    "archive",
    "bufio",
    "builtin",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "simd",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "vendor",
];

/// The first element of the path of a function's package.
fn first_element(function: &[u8]) -> &[u8] {
    let end = function.iter().position(|byte| b"/.".contains(byte));
    &function[..end.unwrap_or(function.len())]
}

/// Whether a function belongs to the runtime itself, which works below what a program says.
pub fn is_runtime(function: &[u8]) -> bool {
    function.starts_with(b"runtime.") || function.starts_with(b"internal/runtime/")
}

/// Whether a function belongs to the standard library, or to the runtime.
pub fn is_standard(function: &[u8]) -> bool {
    let first = first_element(function);
    let rest = &function[first.len()..];
    if first == b"unsafe" || first == b"weak" {
        return true;
    }
    // A path with a dot in its first element, as example.com/x, ends there at the dot, too; a
    // package of the standard library has its name there, or a slash.
    let is_domain = rest.first() == Some(&b'.') && rest.contains(&b'/') && {
        let slash = rest.iter().position(|&byte| byte == b'/').unwrap_or(0);
        // Not those of a type's parameters, as in sync.OnceValue[path/of.Type].
        !rest[..slash].contains(&b'[') && !rest[..slash].contains(&b'(')
    };
    !is_domain && STANDARD.iter().any(|name| name.as_bytes() == first)
}

impl Names {
    /// The name of a frame's function.
    pub fn function(&self, frame: &Frame) -> &BStr {
        self.string(frame.function)
    }

    /// The innermost frame of the program's own code; none if a stack has only frames of the
    /// runtime and the standard library.
    pub fn own_frame(&self, stack: StackId) -> Option<Frame> {
        self.stack(stack).find(|frame| !is_standard(self.function(frame)))
    }

    /// The innermost frame that is not the runtime's: of the program or of a library that it calls.
    pub fn outer_frame(&self, stack: StackId) -> Option<Frame> {
        self.stack(stack).find(|frame| !is_runtime(self.function(frame)))
    }

    /// Whether a stack is in something that the collector or the scheduler does for itself, on
    /// behalf of whoever happened to run: it starts and stops the world, and its workers.
    pub fn is_collecting(&self, stack: StackId) -> bool {
        let inner = self.stack(stack).take_while(|frame| is_runtime(self.function(frame)));
        let mut names = inner.map(|frame| self.function(&frame));
        names.any(|name| {
            let own = name.strip_prefix(b"runtime.").unwrap_or_default();
            let own = own.strip_prefix(b"(*").unwrap_or(own);
            let starts: [&[u8]; 8] = [
                b"gc",
                b"mallocgc",
                b"startTheWorld",
                b"stopTheWorld",
                b"bgsweep",
                b"bgscavenge",
                b"forEachP",
                b"traceAdvance",
            ];
            starts.iter().any(|start| own.starts_with(start))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_library_is_told_from_the_program() {
        for own in [
            "main.main",
            "example.com/net/http.Get",
            "gopkg.in/yaml%2ev3.Unmarshal",
            "net.example/x.F",
            "myapp/store.(*Store).Get",
            "_cgoexp_main_callback",
        ] {
            assert!(!is_standard(own.as_bytes()), "{own}");
        }
        for standard in [
            "runtime.main",
            "sync.(*Mutex).Lock",
            "internal/sync.(*Mutex).lockSlow",
            "net/http.(*conn).serve",
            "sync.OnceValue[example.com/x.T].func1",
            "vendor/golang.org/x/net/http2/hpack.Encode",
            "slices.SortFunc[go.shape.[]example.com/x.T]",
        ] {
            assert!(is_standard(standard.as_bytes()), "{standard}");
        }
        assert!(is_runtime(b"runtime.chanrecv1") && !is_runtime(b"runtime/trace.Start"));
    }
}
