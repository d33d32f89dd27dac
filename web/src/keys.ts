// The keys. The table is also what `?` shows.

import { go, showSpan, step } from "./history.js";
import { nextMatch } from "./matches.js";
import { spanOf } from "./panels/span.js";
import * as state from "./state.js";
import { engine, tip } from "./timeline/instance.js";
import { pan, zoom } from "./time/view.js";

interface Key {
  keys: string[];
  shown: string;
  what: string;
  run: (e: KeyboardEvent) => void;
}

const D = () => state.duration.value;
function zoomBy(factor: number): void {
  const v = engine.target;
  const anchor = engine.hover.on ? v.from + (engine.hover.x / engine.width) * (v.to - v.from) : (v.from + v.to) / 2;
  engine.glide(zoom(v, factor, anchor, D()));
}
function panBy(share: number): void {
  const v = engine.target;
  engine.glide(pan(v, share * (v.to - v.from), D()));
}
function middle(): number {
  const v = state.view.value;
  return engine.hover.on ? engine.time(engine.hover.x) : (v.from + v.to) / 2;
}

export const KEYS: Key[] = [
  { keys: ["w", "+", "="], shown: "w  +", what: "closer", run: () => zoomBy(0.6) },
  { keys: ["s", "-"], shown: "s  −", what: "farther", run: () => zoomBy(1 / 0.6) },
  { keys: ["a", "ArrowLeft"], shown: "a  ←", what: "left", run: (e) => panBy(e.shiftKey ? -0.9 : -0.2) },
  { keys: ["d", "ArrowRight"], shown: "d  →", what: "right", run: (e) => panBy(e.shiftKey ? 0.9 : 0.2) },
  { keys: ["ArrowUp"], shown: "↑", what: "tracks up", run: () => engine.scrollTo(engine.scrollTop - 66) },
  { keys: ["ArrowDown"], shown: "↓", what: "tracks down", run: () => engine.scrollTo(engine.scrollTop + 66) },
  { keys: ["0"], shown: "0", what: "the whole trace", run: () => step(() => state.showWhole()) },
  {
    keys: ["f"], shown: "f", what: "fit the selection, or the span",
    run: () => {
      const s = state.selection.value ?? spanOf.value;
      if (s) step(() => state.fitRange(s.from, s.to));
      else state.say("Nothing is selected: drag on the ruler, or click a span.");
    },
  },
  {
    keys: ["m"], shown: "m", what: "measure: from here, to there, off",
    run: () => {
      const m = state.measure.value;
      state.measure.value = !m ? { from: middle(), to: null } : m.to === null ? { from: m.from, to: middle() } : null;
    },
  },
  {
    keys: ["p"], shown: "p", what: "pin the lane of the span, or under the pointer",
    run: () => {
      const lane = (engine.hover.on ? engine.rowAt(engine.hover.y)?.lane : null) ?? state.focus.value?.lane;
      if (lane) state.togglePin(lane);
    },
  },
  { keys: ["/"], shown: "/", what: "search", run: () => document.getElementById("search")?.focus() },
  { keys: ["n"], shown: "n", what: "next match", run: () => nextMatch(1) },
  { keys: ["N"], shown: "N", what: "previous match", run: () => nextMatch(-1) },
  {
    keys: ["g"], shown: "g", what: "go to a goroutine (17) or a moment (1.5s)",
    run: () => {
      const input = document.getElementById("search") as HTMLInputElement | null;
      if (!input) return;
      input.focus();
      input.value = "G";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    },
  },
  { keys: ["["], shown: "[", what: "previous span of the lane", run: () => along("previous") },
  { keys: ["]"], shown: "]", what: "next span of the lane", run: () => along("next") },
  {
    keys: ["u"], shown: "u", what: "who ended this wait",
    run: () => {
      const ended = spanOf.value?.ended;
      if (ended?.lane) follow(ended.lane, Math.max(0, (ended.time ?? spanOf.value!.to) - 1));
      else state.say(spanOf.value ? "The trace does not say who ended this." : "Click a span first.");
    },
  },
  {
    keys: ["b"], shown: "b", what: "groups: only goroutines at work, or blocked ones too",
    run: () => (state.activeOnly.value = !state.activeOnly.value),
  },
  { keys: ["c"], shown: "c", what: "colour by state, function, task", run: () => (state.colour.value = state.colour.value === "state" ? "function" : state.colour.value === "function" ? "task" : "state") },
  { keys: ["t"], shown: "t", what: "the timeline", run: () => go("timeline") },
  { keys: ["?"], shown: "?", what: "these keys", run: () => (state.help.value = !state.help.value) },
  {
    keys: ["Escape"], shown: "Esc", what: "close, unselect",
    run: () => {
      if (state.help.value) state.help.value = false;
      else if (state.measure.value) state.measure.value = null;
      else if (state.criticalOf.value) step(() => (state.criticalOf.value = null));
      else if (state.focus.value) step(() => (state.focus.value = null));
      else if (state.selection.value) step(() => (state.selection.value = null));
    },
  },
];

function along(way: "previous" | "next"): void {
  const span = spanOf.value;
  const time = span?.[way];
  if (!span || time === null || time === undefined) return state.say(span ? `There is no ${way} span.` : "Click a span first.");
  showSpan(span.lane, time);
}

/** To a span on another goroutine: its lane is pinned if it cannot be seen. */
export function follow(lane: string, time: number): void {
  showSpan(lane, time);
  engine.show(lane);
}

export function onKey(e: KeyboardEvent): void {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const target = e.target as HTMLElement;
  if (target.closest("input, textarea, select")) {
    if (e.key === "Escape") target.blur();
    return;
  }
  // Arrows belong to tables and lists that have the focus.
  if (e.key.startsWith("Arrow") && target.closest("[role=grid], .vtable, .panel, .page")) return;
  const key = KEYS.find((k) => k.keys.includes(e.key));
  if (!key) return;
  const onlyTimeline = !["/", "?", "Escape", "t", "g"].includes(e.key);
  if (onlyTimeline && state.page.value !== "timeline") return;
  e.preventDefault();
  tip.value = null;
  key.run(e);
}
