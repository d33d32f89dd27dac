// Draws lanes with a renderer, and remembers where there is room for the names of spans. Nothing is
// allocated while drawing: a frame must be ready in a few milliseconds.

import { idOf, type Id } from "../api.js";
import { functionsPacked, inkOn, packed, slotOf, STATE, statesPacked, WORKING, STACKED, type Theme } from "../palette.js";
import { TileCache, type Entry, type LaneCache } from "../tiles/cache.js";
import { NO_LABEL, type Spans } from "../tiles/decode.js";
import { levelFor, tileSpan, topLevel } from "../tiles/plan.js";
import type { View } from "../time/view.js";
import type { Colour } from "../url.js";
import { MODE_COUNTS, MODE_SHARES, MODE_WORKING, type Renderer } from "./render.js";

const MAX_TEXTS = 600;
export const STW = { light: "#d6336c", dark: "#f0517f" };

/** Room for the name of a span, in pixels. */
export interface Texts {
  n: number;
  x0: Float64Array;
  x1: Float64Array;
  y: Float64Array;
  ink: string[];
  text: string[];
}

export interface LaneStyle {
  kind: "go" | "proc" | "gc" | "stw" | "task" | "regions" | "group";
  /** What colours the whole lane where its spans have no label of their own. */
  hue: number;
  mode: number;
}

export interface SceneInput {
  view: View;
  width: number;
  duration: number;
  theme: Theme;
  colour: Colour;
  now: number;
  /** Whether a span is one that the filter keeps. */
  keeps: ((tile: Spans, i: number, lane: string) => boolean) | null;
  /** The task that a goroutine worked for, or -1. */
  taskOf: (go: Id, time: number) => Id;
  labelText: (label: number) => string;
}

export class Scene {
  readonly texts: Texts = { n: 0, x0: new Float64Array(MAX_TEXTS), x1: new Float64Array(MAX_TEXTS), y: new Float64Array(MAX_TEXTS), ink: [], text: [] };
  private f!: SceneInput;
  private level = 0;
  private top = 0;
  private first = 0;
  private last = -1;
  private states!: Uint32Array;
  private functions!: Uint32Array;
  private stw = 0;
  private inks = new Map<number, string>();
  private ends = new Float64Array(16);

  constructor(readonly cache: TileCache, public renderer: Renderer) {}

  begin(f: SceneInput): void {
    this.f = f;
    this.texts.n = 0;
    this.top = topLevel(f.duration);
    this.level = Math.min(levelFor((f.view.to - f.view.from) / f.width), this.top);
    const span = tileSpan(this.level);
    const end = Math.max(0, Math.ceil(f.duration / span) - 1);
    this.first = Math.max(0, Math.floor(f.view.from / span));
    this.last = Math.min(end, Math.ceil(f.view.to / span) - 1);
    this.states = statesPacked(f.theme);
    this.functions = functionsPacked(f.theme);
    this.stw = packed(STW[f.theme]);
  }

  private x(t: number): number {
    return ((t - this.f.view.from) / (this.f.view.to - this.f.view.from)) * this.f.width;
  }

  /** The greatest count on the screen, rounded up to 1, 2 or 5 times a power of ten, so that the
   * scale does not change with every step. */
  scale(lane: LaneCache, mode: number): number {
    let most = 0;
    for (let i = this.first; i <= this.last; i++) {
      const e = TileCache.find(lane, this.level, i, this.top);
      if (e) most = Math.max(most, peak(e, mode));
    }
    if (most <= 1) return 1;
    const power = 10 ** Math.floor(Math.log10(most));
    for (const m of [1, 1.5, 2, 3, 5, 7.5, 10]) if (m * power >= most * 0.98) return m * power;
    return 10 * power;
  }

  /** Draws a lane. False if all of it in the view is known, and there is nothing. */
  lane(lane: LaneCache, y: number, height: number, style: LaneStyle): boolean {
    let something = false;
    const gain = style.mode === MODE_SHARES ? 1 : 1 / this.scale(lane, style.mode);
    const span = tileSpan(this.level);
    for (let i = this.first; i <= this.last; i++) {
      const e = TileCache.find(lane, this.level, i, this.top);
      if (!e?.complete) something = true;
      if (!e) continue;
      e.usedAt = this.f.now;
      const a = i * span;
      let b = a + span;
      if (e.tile.kind === "shares") {
        something = true;
        const own = tileSpan(e.level);
        const tileX = this.x(e.index * own);
        const x0 = Math.max(0, this.x(a));
        const x1 = Math.min(this.f.width, this.x(Math.min(b, this.f.duration)));
        if (x1 > x0) this.renderer.shares(e, tileX, this.x((e.index + 1) * own) - tileX, x0, x1, y, height, style.mode, gain);
      } else if (e.tile.kind === "spans") {
        // Spans are exact: a coarse tile is drawn as far as it reaches.
        if (e.complete && e.level > this.level) {
          const own = tileSpan(e.level);
          b = Math.min((e.index + 1) * own, (this.last + 1) * span);
          i = Math.max(i, Math.ceil(b / span) - 1);
        }
        if (this.spans(e.tile, lane.id, a, b, y, height, style)) something = true;
      }
    }
    return something;
  }

  private spans(tile: Spans, lane: string, a: number, b: number, y: number, height: number, style: LaneStyle): boolean {
    const f = this.f;
    let drawn = false;
    const { begin, end, label, state } = tile;
    const nested = style.kind === "regions";
    // Whose lane it is, is in its name: that its spans say so is not promised.
    const owner = style.kind === "go" ? idOf(lane.slice(3)) : null;
    let depth = 0;
    const lowest = Math.max(a, f.view.from);
    const highest = Math.min(b, f.view.to);
    const k = f.width / (f.view.to - f.view.from);
    for (let i = nested ? 0 : Math.max(0, lowerBound(begin, lowest) - 1); i < tile.n; i++) {
      const from = begin[i]!;
      if (from >= highest) break;
      if (nested) {
        while (depth > 0 && this.ends[depth - 1]! <= from) depth--;
        if (depth < 15) this.ends[depth++] = end[i]!;
      }
      const to = end[i]!;
      if (to <= lowest) continue;
      drawn = true;
      let x0 = (Math.max(from, lowest) - f.view.from) * k;
      let x1 = (Math.min(to, highest) - f.view.from) * k;
      // Pieces of a span that tiles cut meet at a whole pixel, or there would be a seam.
      if (from < a && a > f.view.from) x0 = Math.round(x0);
      if (to > b && b < f.view.to) x1 = Math.round(x1);
      const s = state[i]!;
      const l = label[i]!;
      const st = STATE[s] ?? STATE[9]!;
      let colour = this.states[s] ?? this.states[9]!;
      let hatch = st.hatch;
      let inset = 0;
      if (style.kind === "proc") {
        // From afar, too, a lane has the colours of what the legend is about.
        if (s === 0 && l !== NO_LABEL && f.colour === "function") colour = this.functions[slotOf(l)]!;
        if (f.colour === "task") colour = this.task(tile.go[i]!, tile, i, colour);
      } else if (style.kind === "go") {
        if (st.waits) inset = height * 0.2;
        if (s === 0 && f.colour === "function") colour = this.functions[slotOf(style.hue)]!;
        else if (f.colour === "task") colour = this.task(owner!, tile, i, colour);
      } else if (style.kind === "stw") {
        colour = this.stw;
        hatch = false;
        // Rare and short, and no one may overlook it.
        x1 = Math.max(x1, x0 + 1.5);
      } else if (style.kind === "task") {
        colour = this.functions[slotOf(style.hue)]!;
      } else if (style.kind === "regions") {
        colour = this.functions[slotOf(l)]!;
        inset = Math.min((depth - 1) * 2.5, height * 0.4);
      }
      if (f.keeps && !f.keeps(tile, i, lane)) colour = ((colour & 0xffffff) | 0x38000000) >>> 0;
      // A gap where spans that follow each other would look like one.
      const gap = x1 - x0 > 3 && style.kind !== "go" && to < b ? 0.6 : 0;
      this.renderer.rect(x0, x1 - gap, y + inset, height - inset, colour, hatch && x1 - x0 > 3);
      // The name goes with the first piece of a span that is cut by tiles.
      const right = Math.min(to, f.view.to);
      if ((from >= a || a <= f.view.from) && (right - f.view.from) * k - x0 > 28) this.text(x0, (right - f.view.from) * k, y + inset, height - inset, colour, l, s, style);
    }
    return drawn;
  }

  private task(go: Id, tile: Spans, i: number, colour: number): number {
    const task = Number(this.f.taskOf(go, (tile.begin[i]! + tile.end[i]!) / 2));
    return task >= 0 ? this.functions[slotOf(task)]! : ((colour & 0xffffff) | 0x60000000) >>> 0;
  }

  private text(x0: number, x1: number, y: number, height: number, colour: number, label: number, state: number, style: LaneStyle): void {
    const t = this.texts;
    if (t.n >= MAX_TEXTS || height < 9) return;
    let text = label === NO_LABEL ? "" : this.f.labelText(label);
    if (style.kind === "go" && state <= 3) text = STATE[state]!.name;
    if (!text) text = style.kind === "gc" ? "mark" : style.kind === "task" ? "" : STATE[state]?.name ?? "";
    if (!text) return;
    let ink = this.inks.get(colour);
    if (!ink) this.inks.set(colour, (ink = colour >>> 24 < 0xff ? "" : inkOn(colour)));
    t.x0[t.n] = x0;
    t.x1[t.n] = x1;
    t.y[t.n] = y + height / 2;
    t.ink[t.n] = ink;
    t.text[t.n] = text;
    t.n++;
  }

  /** What is at a moment of a lane: the entry, and the span or the bin in it. */
  at(lane: LaneCache, time: number): { entry: Entry; index: number } | null {
    const index = Math.floor(time / tileSpan(this.level));
    const entry = TileCache.find(lane, this.level, index, this.top);
    if (!entry) return null;
    const tile = entry.tile;
    if (tile.kind === "shares") {
      const span = tileSpan(entry.level);
      return { entry, index: Math.min(255, Math.max(0, Math.floor(((time - entry.index * span) / span) * 256))) };
    }
    if (tile.kind !== "spans") return null;
    // A narrow span is hit within two pixels; among spans at the moment, the innermost.
    const near = ((this.f.view.to - this.f.view.from) / this.f.width) * 2;
    let best = -1;
    let distance = near;
    for (let i = 0; i < tile.n; i++) {
      if (tile.begin[i]! > time + near) break;
      if (tile.begin[i]! <= time && tile.end[i]! > time) {
        best = i;
        distance = 0;
      } else if (distance > 0) {
        const d = Math.max(tile.begin[i]! - time, time - tile.end[i]!);
        if (d < distance) {
          distance = d;
          best = i;
        }
      }
    }
    return best < 0 ? null : { entry, index: best };
  }
}

const peaks = new WeakMap<object, [number, number]>();
function peak(e: Entry, mode: number): number {
  const tile = e.tile;
  if (tile.kind !== "shares") return 0;
  let p = peaks.get(tile);
  if (!p) {
    p = [0, 0];
    for (let i = 0; i < tile.counts.length; i++) {
      let working = 0;
      for (let k = 0; k < WORKING; k++) working += tile.shares[i * tile.states + STACKED[k]!]!;
      p[0] = Math.max(p[0], tile.counts[i]!);
      p[1] = Math.max(p[1], (tile.counts[i]! * working) / 255);
    }
    peaks.set(tile, p);
  }
  return mode === MODE_COUNTS ? p[0] : p[1];
}

/** The first index whose value is at least `x`. */
export function lowerBound(a: Float64Array, x: number): number {
  let lo = 0;
  let hi = a.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (a[mid]! < x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

export function styleOf(lane: string, activeOnly: boolean, hue: number): LaneStyle {
  const kind = lane.slice(0, lane.indexOf(":") < 0 ? lane.length : lane.indexOf(":"));
  const mode = activeOnly ? MODE_WORKING : MODE_SHARES;
  switch (kind) {
    case "go": return { kind: "go", hue, mode: MODE_SHARES };
    case "proc":
    case "thread": return { kind: "proc", hue, mode: MODE_SHARES };
    case "gc": return { kind: "gc", hue, mode: MODE_SHARES };
    case "stw": return { kind: "stw", hue, mode: MODE_SHARES };
    case "task": return { kind: "task", hue, mode: MODE_SHARES };
    case "regions": return { kind: "regions", hue, mode: MODE_SHARES };
    default: return { kind: "group", hue, mode };
  }
}
