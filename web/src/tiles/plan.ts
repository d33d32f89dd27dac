// Which tiles a view needs. Level L has bins of 2^L ns; tile I of it begins at I · 2^(L + 8).

import type { View } from "../time/view.js";
import { BINS } from "./decode.js";

export interface TileRange {
  level: number;
  first: number;
  last: number;
}

/** The level whose bins are at least `px` pixels' time, and less than twice that. */
export function levelFor(nsPerPixel: number, px = 1): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(nsPerPixel * px, 1)) - 1e-9));
}

/** The least level at which one tile holds the whole trace. */
export function topLevel(duration: number): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(duration, 1) / BINS)));
}

/** How long a tile of a level is. */
export function tileSpan(level: number): number {
  return BINS * 2 ** level;
}

/** The tiles of a level that touch the view, without those beyond the trace. */
export function tilesOf(view: View, level: number, duration: number): TileRange {
  const span = tileSpan(level);
  const end = Math.max(0, Math.ceil(duration / span) - 1);
  const first = Math.min(Math.max(0, Math.floor(view.from / span)), end);
  const last = Math.min(Math.max(0, Math.ceil(view.to / span) - 1), end);
  return { level, first, last: Math.max(first, last) };
}

/** A tile as one number, for maps: exact, as an index has at most 44 bits in a trace of days. */
export function tileKey(level: number, index: number): number {
  return level * 2 ** 44 + index;
}

/** The indices from the middle outwards, with one tile more at each end: what is looked at comes first. */
export function nearestFirst(range: TileRange, middle: number, duration: number): number[] {
  const span = tileSpan(range.level);
  const end = Math.max(0, Math.ceil(duration / span) - 1);
  const out: number[] = [];
  for (let i = Math.max(0, range.first - 1); i <= Math.min(end, range.last + 1); i++) out.push(i);
  const at = middle / span - 0.5;
  return out.sort((a, b) => Math.abs(a - at) - Math.abs(b - at));
}
