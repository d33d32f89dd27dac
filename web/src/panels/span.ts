// The span that was clicked, as the server describes it, with what belongs to it.

import { effect, signal, untracked } from "@preact/signals";
import { get, type Arrow, type Critical, type Id, type Page, type Span } from "../api.js";
import * as state from "../state.js";
import { engine } from "../timeline/instance.js";

export const spanOf = signal<Span | null>(null);
export const spanProblem = signal<string | null>(null);
export const spanLoading = signal(false);
export const critical = signal<Critical | null>(null);
export const criticalProblem = signal<string | null>(null);

let abort: AbortController | null = null;

export function watchFocus(): void {
  effect(() => {
    const focus = state.focus.value;
    abort?.abort();
    spanProblem.value = null;
    if (!focus) {
      spanOf.value = null;
      spanLoading.value = false;
      engine.arrows = [];
      engine.invalidate(true);
      return;
    }
    abort = new AbortController();
    const signal = abort.signal;
    spanLoading.value = true;
    get<Span>("span", { lane: focus.lane, time: focus.time }, signal).then(
      (span) => {
        spanOf.value = span;
        if (span.go !== null && span.function) learn(span.go, span.function);
        for (const o of [span.ended, span.creator]) if (o?.function) learn(o.go, o.function);
        spanLoading.value = false;
        void arrows(span, signal);
        // From a link, its lane may be in a closed group. Rows of open ones get a moment to arrive.
        setTimeout(() => {
          if (!signal.aborted && state.page.peek() === "timeline" && /^(go|task|regions):/.test(focus.lane)) engine.show(focus.lane, true);
        }, 800);
      },
      (e: Error) => {
        if (signal.aborted) return;
        spanOf.value = null;
        spanLoading.value = false;
        // That nothing is there is no fault: the panel says so.
        spanProblem.value = e.message.includes("nothing is there") ? null : e.message;
      },
    );
  });
  let wanted: AbortController | null = null;
  effect(() => {
    const of = state.criticalOf.value;
    wanted?.abort();
    critical.value = null;
    criticalProblem.value = null;
    engine.critical = [];
    engine.invalidate(true);
    if (!of) return;
    wanted = new AbortController();
    const signal = wanted.signal;
    get<Critical>("critical", { go: of.go, task: of.task, lanes: of.lanes?.join(","), from: of.from, to: of.to, limit: 10000 }, signal).then(
      (c) => {
        critical.value = c;
        engine.critical = c.steps;
        engine.invalidate(true);
      },
      (e: Error) => {
        if (!signal.aborted) criticalProblem.value = e.message;
      },
    );
  });
}

/** Lanes that were never in a list have names, too. */
function learn(go: Id, name: string): void {
  if (engine.data.names.get(`go:${go}`) === name) return;
  engine.data.names.set(`go:${go}`, name);
  engine.arrived.value = engine.arrived.peek() + 1;
}

/** Who woke and made the goroutines of the span, in its time. */
async function arrows(span: Span, signal: AbortSignal): Promise<void> {
  const lanes = new Set<string>();
  if (span.go !== null) lanes.add(`go:${span.go}`);
  for (const pin of untracked(() => state.pins.value)) if (pin.startsWith("go:")) lanes.add(pin);
  if (lanes.size === 0) return;
  const air = Math.max(1, span.to - span.from) * 0.02;
  try {
    const page = await get<Page<Arrow>>("arrows", { from: Math.max(0, span.from - air), to: span.to + air, lanes: [...lanes].join(","), limit: 200 }, signal);
    engine.arrows = page.rows;
    engine.invalidate(true);
  } catch {
    // Arrows are a help, not a must: the links of the panel say the same.
  }
}
