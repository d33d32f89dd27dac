// Draws lanes with a renderer, and remembers where there is room for the names of spans. Nothing is
// allocated while drawing: a frame must be ready in a few milliseconds.

import { idOf, type Id, type Match } from "../api.js";
import { groupOfName, slotOfGroup, slotOfLabel, slotOfTask } from "../hues.js";
import { FADED, functionsPacked, inkOn, packed, PALE, paint, slotOf, STACK_PLACE, STATE, statesPacked, STW, WORKING, STACKED, type Paint, type Theme } from "../palette.js";
import { TileCache, type Entry, type LaneCache } from "../tiles/cache.js";
import { counted, eachStep } from "./density.js";
import { NO_LABEL, type Functions, type Shares, type Spans } from "../tiles/decode.js";
import { levelFor, tileSpan, topLevel } from "../tiles/plan.js";
import type { View } from "../time/view.js";
import type { Colour } from "../url.js";
import { MODE_COUNTS, MODE_SHARES, MODE_WORKING, type Renderer } from "./render.js";

const MAX_TEXTS = 600;

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
  kind: "go" | "proc" | "gc" | "stw" | "task" | "regions" | "group" | "density";
  /** The colour of the lane's function or task among those of functions, and its group (or -1). */
  slot: number;
  group: number;
  mode: number;
  /** Colours of states, whatever is chosen: sums over all goroutines have no function. */
  plain?: boolean;
}

/** What has colours on the screen, by how much of it: for the legend. */
export interface Used {
  groups: Map<number, number>;
  tasks: Map<number, number>;
  states: Uint8Array;
  /** Something is pale as it is of no task, or not known to be. */
  pale: boolean;
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
  /** The same of shares: a bit for each state that is kept, and how much is left of the others. */
  keepsShares: ((lane: string) => { keep: number; fade: number }) | null;
  keepsGroup: ((group: number) => boolean) | null;
  /** Spans of a goroutine that match, where its lane is too fine to have single spans. */
  matched: ((lane: string) => Match[]) | null;
  /** The task that a goroutine worked for, or -1. */
  taskOf: (go: Id, time: number) => Id;
  labelText: (label: number) => string;
  /** With the path of the package. */
  labelFull: (label: number) => string;
}

export class Scene {
  readonly used: Used = { groups: new Map(), tasks: new Map(), states: new Uint8Array(STATE.length), pale: false };
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
    this.used.groups.clear();
    this.used.tasks.clear();
    this.used.states.fill(0);
    this.used.pale = false;
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
    let fine = false;
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
        const own = tileSpan(e.level);
        if (this.counts(e.tile, e.index * own, own / 256, a, b)) something = true;
        const tileX = this.x(e.index * own);
        const x0 = Math.max(0, this.x(a));
        const x1 = Math.min(this.f.width, this.x(Math.min(b, this.f.duration)));
        if (x1 <= x0) continue;
        this.renderer.paint(this.paintOf(lane.id, style, (x1 - x0) * height));
        this.renderer.shares(e, tileX, this.x((e.index + 1) * own) - tileX, x0, x1, y, height, style.mode, gain);
        fine = true;
      } else if (e.tile.kind === "functions") {
        if (this.byFunction(e, e.tile, Math.max(0, this.x(a)), Math.min(this.f.width, this.x(Math.min(b, this.f.duration))), y, height)) something = true;
      } else if (e.tile.kind === "spans") {
        // Spans are exact: a coarse tile is drawn as far as it reaches.
        if (e.complete && e.level > this.level) {
          const own = tileSpan(e.level);
          b = Math.min((e.index + 1) * own, (this.last + 1) * span);
          i = Math.max(i, Math.ceil(b / span) - 1);
        }
        if (style.kind === "density" && counted(e.tile).most > 1) {
          if (this.steps(e.tile, lane.id, this.snap(a), this.snap(b), y, height, style, gain)) something = true;
        } else if (this.spans(e.tile, lane.id, a, b, y, height, style)) something = true;
      }
    }
    if (fine && style.kind === "go" && this.f.matched) this.marked(this.f.matched(lane.id), y, height, style);
    return something;
  }

  /** Whether there is anything in those bins of a tile that are in the view. */
  private counts(tile: Shares, begin: number, bin: number, a: number, b: number): boolean {
    const first = Math.max(0, Math.floor((Math.max(a, this.f.view.from) - begin) / bin));
    const end = Math.min(tile.counts.length, Math.ceil((Math.min(b, this.f.view.to) - begin) / bin));
    for (let i = first; i < end; i++) if (tile.counts[i]! > 0) return true;
    return false;
  }

  /** The colours of a lane's shares. */
  private paintOf(lane: string, style: LaneStyle, area: number): Paint {
    const { theme, colour, keepsShares } = this.f;
    const kept = keepsShares?.(lane);
    const goroutines = (style.kind === "go" || style.kind === "group") && !style.plain;
    if (goroutines && colour === "function") {
      this.use(this.used.groups, style.group, area);
      this.used.states[1] = 1;
      return paint(theme, style.slot, kept?.keep, kept?.fade);
    }
    if (style.kind === "density") return paint(theme, style.slot, kept?.keep, kept?.fade);
    if (style.kind === "proc") this.used.states[0] = this.used.states[2] = 1;
    else this.used.states.fill(1, 0, style.mode === MODE_WORKING ? WORKING : undefined);
    if (colour === "task" && (goroutines || style.kind === "proc")) {
      this.used.pale = true;
      return paint(theme, null, 0, Math.min(PALE, kept && kept.keep === 0 ? kept.fade : PALE));
    }
    return paint(theme, null, kept?.keep, kept?.fade);
  }

  private use(map: Map<number, number>, key: number, area: number): void {
    map.set(key, (map.get(key) ?? 0) + area);
  }

  /** The moment of the whole pixel that is nearest, within the view: where tiles meet there is no seam. */
  private snap(t: number): number {
    const { view, width } = this.f;
    const x = Math.round(Math.min(width, Math.max(0, this.x(t))));
    return view.from + (x / width) * (view.to - view.from);
  }

  /** How many spans there are at each time, as heights. */
  private steps(tile: Spans, lane: string, from: number, to: number, y: number, height: number, style: LaneStyle, gain: number): boolean {
    const kept = this.f.keepsShares?.(lane);
    const colour = paint(this.f.theme, style.slot, kept?.keep, kept?.fade)[0]!;
    let drawn = false;
    let column = -1;
    let sum = 0;
    const bar = (x0: number, x1: number, n: number) => {
      const h = Math.min(1, n * gain) * height;
      if (h > 0) this.renderer.rect(x0, x1, y + height - h, h, colour, false);
    };
    // Of what is narrower than a pixel, the pixel has the mean.
    const add = (x: number, n: number) => {
      if (x !== column) {
        bar(column, column + 1, sum);
        column = x;
        sum = 0;
      }
      sum += n;
    };
    eachStep(tile, counted(tile).ends, from, to, (a, b, n) => {
      const [x0, x1] = [this.x(a), this.x(b)];
      const [c0, c1] = [Math.floor(x0), Math.floor(x1)];
      drawn = true;
      if (c0 === c1) return add(c0, (x1 - x0) * n);
      add(c0, (c0 + 1 - x0) * n);
      if (c1 > c0 + 1) bar(c0 + 1, c1, n);
      add(c1, (x1 - c1) * n);
    });
    add(-1, 0);
    return drawn;
  }

  /** The lane of a proc or a thread by the functions that it worked for. */
  private byFunction(e: Entry, tile: Functions, left: number, right: number, y: number, height: number): boolean {
    let drawn = false;
    const width = tileSpan(e.level) / 256;
    const keeps = this.f.keepsGroup;
    let last = -1;
    let base = y + height;
    let x0 = 0;
    let x1 = 0;
    for (let k = 0; k < tile.n; k++) {
      const bin = tile.bin[k]!;
      if (bin !== last) {
        last = bin;
        base = y + height;
        const t = (e.index * 256 + bin) * width;
        // Bins meet at whole pixels, or there would be seams.
        x0 = Math.max(left, Math.round(this.x(t)));
        x1 = Math.min(right, Math.round(this.x(t + width)));
      }
      if (x1 <= x0) continue;
      drawn = true;
      const h = tile.share[k]! * height;
      const group = tile.group[k]!;
      let colour = group === NO_LABEL ? this.states[9]! : this.functions[slotOfGroup(group)]!;
      if (keeps && !keeps(group)) colour = ((colour & 0xffffff) | (FADED << 24)) >>> 0;
      if (group !== NO_LABEL) this.use(this.used.groups, group, (x1 - x0) * h);
      this.renderer.rect(x0, x1, base - h, h, colour, false);
      base -= h;
    }
    return drawn;
  }

  /** Spans that match, over shares that are too coarse to show them. */
  private marked(spans: Match[], y: number, height: number, style: LaneStyle): void {
    const colours = paint(this.f.theme, this.f.colour === "function" ? style.slot : null);
    for (const m of spans) {
      const x0 = Math.max(0, this.x(m.from));
      const x1 = Math.min(this.f.width, Math.max(this.x(m.to), x0 + 1));
      const st = STATE[m.state];
      if (x1 > x0 && st) this.renderer.rect(x0, x1, y + (st.waits ? height * 0.2 : 0), st.waits ? height * 0.8 : height, colours[STACK_PLACE[m.state]!]!, st.hatch && x1 - x0 > 3);
    }
  }

  private spans(tile: Spans, lane: string, a: number, b: number, y: number, height: number, style: LaneStyle): boolean {
    const f = this.f;
    let drawn = false;
    const { begin, end, label, state } = tile;
    const nested = style.kind === "regions" || style.kind === "density";
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
        if (l !== NO_LABEL && f.colour === "function") {
          colour = paint(f.theme, slotOfLabel(l))[STACK_PLACE[s]!] ?? colour;
          this.use(this.used.groups, groupOfName(f.labelFull(l)), (x1 - x0) * height);
        } else if (f.colour === "task") colour = this.task(tile.go[i]!, tile, i, colour, (x1 - x0) * height);
        else this.used.states[s] = 1;
      } else if (style.kind === "go") {
        if (st.waits) inset = height * 0.2;
        if (f.colour === "function") {
          colour = paint(f.theme, style.slot)[STACK_PLACE[s]!] ?? colour;
          if (s === 1) this.used.states[1] = 1;
          else this.use(this.used.groups, style.group, (x1 - x0) * height);
        } else if (f.colour === "task") colour = this.task(owner!, tile, i, colour, (x1 - x0) * height);
        else this.used.states[s] = 1;
      } else if (style.kind === "stw") {
        colour = this.stw;
        hatch = false;
        // Rare and short, and no one may overlook it.
        x1 = Math.max(x1, x0 + 1.5);
      } else if (style.kind === "task") {
        colour = this.functions[style.slot]!;
        this.use(this.used.tasks, style.group, (x1 - x0) * height);
      } else if (nested) {
        colour = this.functions[style.kind === "density" ? style.slot : slotOf(l)]!;
        inset = Math.min((depth - 1) * 2.5, height * 0.4);
      }
      if (f.keeps && !f.keeps(tile, i, lane)) colour = ((colour & 0xffffff) | (FADED << 24)) >>> 0;
      // A gap where spans that follow each other would look like one.
      const gap = x1 - x0 > 3 && style.kind !== "go" && to < b ? 0.6 : 0;
      this.renderer.rect(x0, x1 - gap, y + inset, height - inset, colour, hatch && x1 - x0 > 3);
      // The name goes with the first piece of a span that is cut by tiles.
      const right = Math.min(to, f.view.to);
      if ((from >= a || a <= f.view.from) && (right - f.view.from) * k - x0 > 28) this.text(x0, (right - f.view.from) * k, y + inset, height - inset, colour, l, s, style);
    }
    return drawn;
  }

  private task(go: Id, tile: Spans, i: number, colour: number, area: number): number {
    const task = this.f.taskOf(go, (tile.begin[i]! + tile.end[i]!) / 2);
    if (Number(task) < 0) {
      this.used.pale = true;
      return ((colour & 0xffffff) | (PALE << 24)) >>> 0;
    }
    this.use(this.used.tasks, Number(task), area);
    return this.functions[slotOfTask(task)]!;
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
    if (tile.kind === "functions") return { entry, index: Math.floor(((time - entry.index * tileSpan(entry.level)) / tileSpan(entry.level)) * 256) };
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
  if (tile.kind === "spans") return counted(tile).most;
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

export function styleOf(lane: string, activeOnly: boolean, slot: number, group: number): LaneStyle {
  const kind = lane.slice(0, lane.indexOf(":") < 0 ? lane.length : lane.indexOf(":"));
  const mode = activeOnly ? MODE_WORKING : MODE_SHARES;
  switch (kind) {
    case "go": return { kind: "go", slot, group, mode: MODE_SHARES };
    case "proc":
    case "thread": return { kind: "proc", slot, group, mode: MODE_SHARES };
    case "gc": return { kind: "gc", slot, group, mode: MODE_SHARES };
    case "stw": return { kind: "stw", slot, group, mode: MODE_SHARES };
    case "task": return { kind: "task", slot, group, mode: MODE_SHARES };
    case "region": return { kind: "density", slot, group, mode: MODE_COUNTS };
    case "tasks": return { kind: "density", slot: 0, group: -1, mode: MODE_COUNTS };
    case "regions": return lane === "regions" ? { kind: "density", slot: 4, group: -1, mode: MODE_COUNTS } : { kind: "regions", slot, group, mode: MODE_SHARES };
    default: return { kind: "group", slot, group, mode };
  }
}
