//! The smallest input that still fails, as far as leaving things out leads: batches, events, lines,
//! bytes; many at once first.

use crate::layout::{Layout, Part};
use std::panic::{self, AssertUnwindSafe};

/// Whether a check panics.
pub fn fails(check: fn(&[u8]), input: &[u8]) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| check(input))).is_err()
}

/// Leaves out of an input what it does not need in order to fail.
pub fn shrink(input: &[u8], fails: &mut dyn FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut best = input.to_vec();
    loop {
        let before = best.len();
        if let Some(mut layout) = Layout::read(&best) {
            let parts = layout.parts.clone();
            layout.parts = leave_out(parts, &mut |parts| {
                fails(&Layout { parts: parts.to_vec(), ..layout.clone() }.write())
            });
            for at in 0..layout.parts.len() {
                let Part::Batch(batch) = &layout.parts[at] else { continue };
                let batch = batch.clone();
                let items = leave_out(batch.items.clone(), &mut |items| {
                    let mut layout = layout.clone();
                    layout.parts[at] = Part::Batch(crate::layout::Batch {
                        items: items.to_vec(),
                        ..batch.clone()
                    });
                    fails(&layout.write())
                });
                layout.parts[at] = Part::Batch(crate::layout::Batch { items, ..batch });
            }
            let written = layout.write();
            if written.len() < best.len() && fails(&written) {
                best = written;
            }
        }
        let lines: Vec<&[u8]> = best.split_inclusive(|&byte| byte == b'\n').collect();
        let lines = leave_out(lines, &mut |lines| fails(&lines.concat())).concat();
        best = leave_out(lines, fails);
        if best.len() >= before {
            return best;
        }
    }
}

/// Leaves things out of a list for as long as what is left fails.
fn leave_out<T: Clone>(mut list: Vec<T>, fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    let mut step = list.len().next_power_of_two();
    while step > 0 {
        let mut at = 0;
        while at < list.len() {
            let end = (at + step).min(list.len());
            let fewer = [&list[..at], &list[end..]].concat();
            if fails(&fewer) {
                list = fewer;
            } else {
                at = end;
            }
        }
        step /= 2;
    }
    list
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn only_what_is_needed_is_left() {
        let trace = &crate::recorded(4 << 10)[0].bytes;
        let mut fails = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == 25).count() >= 3;
        assert_eq!(shrink(trace, &mut fails), [25; 3]);
    }
}
