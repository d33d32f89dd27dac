// The filter: which spans match, marks of them on the strip, and from one to the next.

import { effect } from "@preact/signals";
import { get, type Matches } from "./api.js";
import { showSpan } from "./history.js";
import * as state from "./state.js";
import { engine } from "./timeline/instance.js";
import type { Filter } from "./url.js";

export function queryOf(f: Filter): Record<string, string | number | null> {
  return { state: f.states.join(","), function: f.function, label: f.label, stack: f.stack, min: f.min, max: f.max };
}

let abort: AbortController | null = null;

export function watchFilter(): void {
  effect(() => {
    const filter = state.filter.value;
    // Once more when all is read.
    void state.trace.value?.done;
    abort?.abort();
    if (!filter) {
      state.matches.value = null;
      state.matchAt.value = -1;
      return;
    }
    abort = new AbortController();
    const signal = abort.signal;
    get<Matches>("matches", { ...queryOf(filter), limit: 5000 }, signal).then(
      (m) => {
        state.matches.value = m;
        state.matchAt.value = -1;
      },
      (e: Error) => {
        if (!signal.aborted) state.say(`Matches: ${e.message}`);
      },
    );
  });
}

export function nextMatch(by: 1 | -1): void {
  const m = state.matches.value;
  if (!m || m.rows.length === 0) return state.say(m ? "Nothing matches the filter." : "There is no filter: open Filter, next to the search.");
  let i = state.matchAt.value;
  if (i < 0) {
    // The first that is not left of the view.
    const from = state.view.value.from;
    i = m.rows.findIndex((r) => r.from >= from);
    if (i < 0) i = 0;
    if (by < 0) i = (i - 1 + m.rows.length) % m.rows.length;
  } else i = (i + by + m.rows.length) % m.rows.length;
  const r = m.rows[i]!;
  showSpan(r.lane, Math.floor((r.from + r.to) / 2), r);
  state.matchAt.value = i;
  engine.show(r.lane, true);
}
