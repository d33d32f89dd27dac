// What of the lanes a filter keeps bright. Spans say most of it themselves: their state, length,
// reason. Whose stack they have, and what is too fine to have spans, the server knows.

import { get, type Match, type Matches } from "../api.js";
import { queryOf } from "../matches.js";
import { FADED, PALE } from "../palette.js";
import * as state from "../state.js";
import type { Spans } from "../tiles/decode.js";
import type { View } from "../time/view.js";
import type { Filter } from "../url.js";
import { Ranged, type TimelineData } from "./data.js";

/** Matches by their goroutine, and from which start to which they are all known. */
export interface Around {
  byGo: Map<number, Match[]>;
  lo: number;
  hi: number;
}

const NONE: Match[] = [];
const MOST = 5000;
const BEFORE = 1500;

/** Of two answers: those that begin before the view, and those that begin in it. */
export function around(before: Matches, inside: Matches, view: View): Around {
  const byGo = new Map<number, Match[]>();
  for (const m of [...before.rows, ...inside.rows]) {
    const go = Number(m.lane.slice(3));
    const list = byGo.get(go);
    if (list) list.push(m);
    else byGo.set(go, [m]);
  }
  return {
    byGo,
    lo: before.rows.length < BEFORE ? -Infinity : before.rows[0]!.from,
    hi: inside.rows.length < MOST ? view.to : inside.rows.at(-1)!.from,
  };
}

/** Whether a span that begins and ends then is a match; `null` if that is not known. */
export function isMatch(a: Around, go: number, from: number, to: number): boolean | null {
  const list = a.byGo.get(go) ?? NONE;
  const middle = (from + to) / 2;
  // Spans of a goroutine follow each other: the last that begins before the middle is the one.
  let lo = 0;
  let hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (list[mid]!.from <= middle) lo = mid + 1;
    else hi = mid;
  }
  const m = list[lo - 1];
  if (m && m.to >= middle) return true;
  return from >= a.lo && from <= a.hi ? false : null;
}

export class Filtering {
  private known: Ranged<Around> | null = null;
  private filter: Filter | null = null;
  private needed = false;

  constructor(private data: TimelineData, private changed: () => void) {}

  /** Another filter, or more of the trace is known. */
  set(filter: Filter | null): void {
    this.filter = filter;
    this.known = filter && new Ranged(async (v) => {
      const q = queryOf(filter);
      const [before, inside] = await Promise.all([
        get<Matches>("matches", { ...q, until: v.from, last: true, limit: BEFORE }),
        get<Matches>("matches", { ...q, from: v.from, to: v.to, limit: MOST }),
      ]);
      return around(before, inside, v);
    }, this.changed);
  }

  /** After a frame: asks for what is around, if someone wanted to know. */
  want(view: View): void {
    if (this.filter?.stack || this.needed) this.known?.want(view);
    this.needed = false;
  }

  keeps = (tile: Spans, i: number, lane: string): boolean => {
    const f = this.filter!;
    const proc = lane.startsWith("proc:") || lane.startsWith("thread:");
    // Only goroutines have spans that can match: not the collector, not stops, tasks, regions.
    if (!proc && !lane.startsWith("go:")) return false;
    const from = tile.begin[i]!;
    const to = tile.end[i]!;
    if (f.min !== null && to - from < f.min) return false;
    if (f.max !== null && to - from > f.max) return false;
    if (f.states.length > 0 && !f.states.includes(tile.state[i]!)) return false;
    if (f.function && !(proc ? state.label(tile.label[i]) : this.data.names.get(lane) ?? f.function).includes(f.function)) return false;
    if (f.label && (proc || !state.label(tile.label[i]).includes(f.label))) return false;
    if (!f.stack) return true;
    const known = this.known?.value;
    return !known || (isMatch(known, proc ? tile.go[i]! : Number(lane.slice(3)), from, to) ?? true);
  };

  /** Shares say no more than states. Where more is asked for, all of them fade: of a goroutine the
   * matches are drawn over them. */
  keepsShares = (lane: string): { keep: number; fade: number } => {
    const f = this.filter!;
    const kind = lane.split(":")[0]!;
    const of = kind === "go" ? this.data.names.get(lane) : kind === "group" ? state.lanes.value?.groups.find((g) => g.lane === lane)?.function : undefined;
    if (f.function && of !== undefined && !of.includes(f.function)) return { keep: 0, fade: FADED };
    if (kind === "tasks" || kind === "regions" || kind === "region") return { keep: 0, fade: FADED };
    const keep = f.states.length > 0 ? f.states.reduce((a, s) => a | (1 << s), 0) : 0xffff;
    if (kind === "go") return { keep: f.label || f.stack || f.min !== null || f.max !== null ? 0 : keep, fade: FADED };
    const unsure = f.label || f.stack || f.min !== null || f.max !== null || (f.function && of === undefined);
    return unsure ? { keep: 0, fade: PALE } : { keep, fade: FADED };
  };

  /** Lanes of procs by function: what ran there. */
  keepsGroup = (group: number): boolean => {
    const f = this.filter!;
    if (f.label || f.stack || f.min !== null || f.max !== null) return false;
    if (f.states.length > 0 && !f.states.some((s) => s === 0 || s === 2)) return false;
    return !f.function || (state.lanes.value?.groups.find((g) => g.id === group)?.function ?? "").includes(f.function);
  };

  matched = (lane: string): Match[] => {
    this.needed = true;
    return this.known?.value?.byGo.get(Number(lane.slice(3))) ?? NONE;
  };
}
