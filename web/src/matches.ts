// The filter: how many spans match, marks of them on the strip, and from one to the next. There may
// be millions: the server says those around a moment, and what number of all each of them is.

import { effect } from "@preact/signals";
import { get, type Match, type Matches, type Query } from "./api.js";
import { showSpan } from "./history.js";
import * as state from "./state.js";
import { engine } from "./timeline/instance.js";
import type { Filter } from "./url.js";

export function queryOf(f: Filter): Record<string, string | number | null> {
  return { state: f.states.join(","), function: f.function, label: f.label, stack: f.stack, min: f.min, max: f.max };
}

const SOME = 300;
let abort: AbortController | null = null;
let around: Matches | null = null;

export function watchFilter(): void {
  effect(() => {
    const filter = state.filter.value;
    // Once more when all is read.
    void state.trace.value?.done;
    abort?.abort();
    around = null;
    state.matchAt.value = null;
    if (!filter) {
      state.matches.value = null;
      return;
    }
    abort = new AbortController();
    const signal = abort.signal;
    ask(filter, { from: Math.max(0, state.view.peek().from) }, signal).then(
      (m) => {
        around = m;
        state.matches.value = { total: m.total, strip: m.strip };
      },
      (e: Error) => {
        if (!signal.aborted) state.say(`Matches: ${e.message}`);
      },
    );
  });
}

function ask(filter: Filter, when: Query, signal?: AbortSignal): Promise<Matches> {
  return get<Matches>("matches", { ...queryOf(filter), ...when, limit: SOME }, signal);
}

/** Where the next match is looked for. */
export type Wanted = { number: number } | { from: number } | { until: number };

/** From the current match to the next; from the view if there is none, or it was left behind. */
export function wanted(current: { number: number; from: number; to: number } | null, view: { from: number; to: number }, total: number, by: 1 | -1): Wanted {
  if (current && current.to >= view.from && current.from <= view.to) return { number: (current.number + by + total) % total };
  return by > 0 ? { from: view.from } : { until: view.from };
}

/** The match of a number among those of an answer. */
export function pick(m: Matches | null, number: number): Match | undefined {
  return m && number >= m.before! ? m.rows[number - m.before!] : undefined;
}

async function find(filter: Filter, what: Wanted, total: number, signal: AbortSignal): Promise<number> {
  if ("from" in what) {
    around = await ask(filter, { from: Math.max(0, what.from) }, signal);
    // Behind the last it begins anew.
    return around.rows.length > 0 ? around.before! : find(filter, { number: 0 }, total, signal);
  }
  if ("until" in what) {
    around = await ask(filter, { until: Math.max(0, what.until), last: true }, signal);
    return around.rows.length > 0 ? around.before! + around.rows.length - 1 : find(filter, { number: total - 1 }, total, signal);
  }
  if (pick(around, what.number)) return what.number;
  const at = around && what.number === around.before! + around.rows.length ? { from: around.rows.at(-1)?.from ?? 0 }
    : around && what.number === around.before! - 1 ? { until: (around.rows[0]?.from ?? 0) + 1, last: true }
    : what.number === 0 ? { from: 0 } : { until: state.duration.peek() + 1, last: true };
  around = await ask(filter, at, signal);
  return what.number;
}

let queue: Promise<unknown> = Promise.resolve();

/** One after the other: a key that is held down asks faster than answers come. */
export function nextMatch(by: 1 | -1): void {
  const m = state.matches.value;
  if (!m || m.total === 0) return state.say(m ? "Nothing matches the filter." : "There is no filter: open Filter, next to the search.");
  queue = queue.then(() => move(by)).catch((e: Error) => state.say(`Matches: ${e.message}`));
}

async function move(by: 1 | -1): Promise<void> {
  const filter = state.filter.peek();
  const total = state.matches.peek()?.total ?? 0;
  const signal = abort?.signal;
  if (!filter || total === 0 || !signal) return;
  const number = await find(filter, wanted(state.matchAt.peek(), engine.target, total, by), total, signal);
  const r = pick(around, number);
  if (!r || signal.aborted) return;
  showSpan(r.lane, Math.floor((r.from + r.to) / 2), r);
  state.matchAt.value = { number, lane: r.lane, from: r.from, to: r.to };
  engine.show(r.lane, true);
}
