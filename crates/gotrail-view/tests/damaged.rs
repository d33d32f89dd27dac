//! Damaged traces are indexed like all others, whatever their times claim.

use gotrail::Trace;
use gotrail_view::lane::{Colour, Lane};
use gotrail_view::tile;
use gotrail_view::view::{Room, View};
use std::fs;
use std::path::PathBuf;

/// Numbers that look like chance, the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        // Knuth's multiplier; the upper bits are the better ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }
}

#[test]
fn flipped_bytes_are_no_reason_to_fail() {
    let mut chance = Chance(7);
    for name in ["go1.27/generations.trace", "go1.22/gc.trace", "go1.21/channels.trace"] {
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces").join(name);
        let whole = fs::read(path).expect("a trace");
        for _ in 0..150 {
            let mut trace = whole.clone();
            for _ in 0..=chance.below(4) {
                let at = 16 + chance.below(trace.len() - 16);
                trace[at] = chance.below(256) as u8;
            }
            let Ok(trace) = Trace::from_bytes(trace) else { continue };
            let room = Room { memory: 1 << 20, folder: None, block: 500 };
            let view = View::new("a trace".to_owned(), PathBuf::new(), room);
            view.read(trace);
            let index = view.index.read();
            assert!(index.done);
            // However far apart its times are: there are never many bins.
            assert!(index.indexed >> index.level <= 1 << 16, "{} {}", index.indexed, index.level);
            let lanes = [Lane::All, Lane::Group(0), Lane::Go(1), Lane::Proc(0), Lane::Stops];
            for level in [10, index.level - 1, index.level, index.level + 8] {
                tile::tile(&index, level, 0, &lanes, Colour::Function).expect("it is there");
            }
            let end = index.indexed;
            drop(index);
            view.selection(0, end, &[]).expect("it is there");
            view.plot("goroutines", 0, end, 500).expect("it is known");
            view.about();
        }
    }
}
