// The binary tiles of docs/api.md. Typed arrays are views of the answer's buffer, not copies.

export const BINS = 256;
export const NO_LABEL = 0xffffffff;
const MAGIC = 0x31545447; // "GTT1"

export interface Shares {
  kind: "shares";
  /** How many goroutines there were on average, in each bin. */
  counts: Float32Array;
  /** `states` bytes a bin, in 255ths of the bin's sum. */
  shares: Uint8Array;
  states: number;
}

export interface Spans {
  kind: "spans";
  n: number;
  begin: Float64Array;
  end: Float64Array;
  /** The goroutine, or -1; in lanes of tasks the task. */
  go: Float64Array;
  label: Uint32Array;
  state: Uint8Array;
}

/** Of a proc or a thread: which functions it worked for in each bin, by parts of the bin's time. */
export interface Functions {
  kind: "functions";
  n: number;
  /** The bin of each share, rising. */
  bin: Uint32Array;
  /** The group, or `NO_LABEL` for all others. */
  group: Uint32Array;
  share: Float32Array;
}

export interface Nothing {
  kind: "none";
}

export type LaneTile = Shares | Spans | Functions | Nothing;

export interface Tile {
  complete: boolean;
  lanes: LaneTile[];
}

const NONE: Nothing = { kind: "none" };

const pad8 = (n: number) => (n + 7) & ~7;

/** Reads a tile with `expected` lanes. Throws if the answer is no tile, or is cut off. */
export function decodeTile(buffer: ArrayBuffer, expected: number): Tile {
  const view = new DataView(buffer);
  if (buffer.byteLength < 16 || view.getUint32(0, true) !== MAGIC) throw new Error("the answer is not a tile");
  const lanes = view.getUint32(4, true);
  const complete = view.getUint32(8, true) === 1;
  const states = view.getUint32(12, true);
  if (lanes !== expected) throw new Error(`the tile has ${lanes} lanes, not ${expected}`);
  if (states < 1 || states > 64) throw new Error(`the tile has ${states} states`);
  let at = 16;
  const take = (n: number) => {
    const start = at;
    at += pad8(n);
    if (at > buffer.byteLength) throw new Error("the tile is cut off");
    return start;
  };
  const out: LaneTile[] = [];
  for (let i = 0; i < lanes; i++) {
    const head = take(8);
    const kind = view.getUint32(head, true);
    const n = view.getUint32(head + 4, true);
    if (n > 1 << 20) throw new Error("the tile has too many spans");
    if (kind === 0) {
      out.push(NONE);
    } else if (kind === 1) {
      if (n === 0) {
        out.push(NONE);
        continue;
      }
      if (n !== BINS) throw new Error(`the tile has ${n} bins`);
      const counts = new Float32Array(buffer, take(4 * n), n);
      const shares = new Uint8Array(buffer, take(states * n), states * n);
      out.push({ kind: "shares", counts, shares, states });
    } else if (kind === 2) {
      const begin = new Float64Array(buffer, take(8 * n), n);
      const end = new Float64Array(buffer, take(8 * n), n);
      const go = new Float64Array(buffer, take(8 * n), n);
      const label = new Uint32Array(buffer, take(4 * n), n);
      const state = new Uint8Array(buffer, take(n), n);
      out.push({ kind: "spans", n, begin, end, go, label, state });
    } else if (kind === 3) {
      const start = take(12 * n);
      out.push(n === 0 ? NONE : { kind: "functions", n, bin: new Uint32Array(buffer, start, n), group: new Uint32Array(buffer, start + 4 * n, n), share: new Float32Array(buffer, start + 8 * n, n) });
    } else {
      throw new Error(`the tile has a lane of kind ${kind}`);
    }
  }
  return { complete, lanes: out };
}

/** What a decoded lane costs, for the cache's limit. */
export function bytesOf(lane: LaneTile): number {
  if (lane.kind === "shares") return 96 + lane.counts.byteLength + lane.shares.byteLength;
  if (lane.kind === "functions") return 160 + lane.n * 12;
  if (lane.kind === "spans") return 160 + lane.n * 29;
  return 64;
}
