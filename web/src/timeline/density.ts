// Tasks and regions that are under way, by number: where a tile has them one by one, they are counted
// here, so that a lane looks the same at every zoom.

import type { Spans } from "../tiles/decode.js";

export interface Counted {
  /** Ends of the spans, rising; their beginnings rise already. */
  ends: Float64Array;
  most: number;
}

const known = new WeakMap<Spans, Counted>();

/** Of a tile: its ends in order, and how many spans there are at most at a time. */
export function counted(tile: Spans): Counted {
  let c = known.get(tile);
  if (!c) {
    const ends = Float64Array.from(tile.end).sort();
    let most = 0;
    eachStep(tile, ends, -Infinity, Infinity, (_a, _b, n) => (most = Math.max(most, n)));
    known.set(tile, (c = { ends, most }));
  }
  return c;
}

/** Each stretch of time between two moments in which the number stays the same. */
export function eachStep(tile: Spans, ends: Float64Array, from: number, to: number, step: (from: number, to: number, n: number) => void): void {
  let b = 0;
  let e = 0;
  let at = from;
  let n = 0;
  while (b < tile.n || e < tile.n) {
    // What ends when another begins was not under way together with it. What ends as it begins, as
    // the last one that was read does while a trace is being read, may be the only one that is left.
    const begins = b < tile.n && (e >= tile.n || tile.begin[b]! < ends[e]!);
    const next = begins ? tile.begin[b]! : ends[e]!;
    if (next > at) {
      const upto = Math.min(next, to);
      if (n > 0 && upto > at) step(at, upto, n);
      if (next >= to) return;
      at = next;
    }
    if (begins) {
      b++;
      n++;
    } else {
      e++;
      n--;
    }
  }
}
