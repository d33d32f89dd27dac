// What the page knows and shows, as signals. The first part is what the server said, the second is
// what the person chose, and is in the address.

import { batch, computed, signal } from "@preact/signals";
import type { Lanes, TraceInfo } from "./api.js";
import { clock, clockFull, duration as formatDuration, offset, short } from "./time/format.js";
import { clamp, fit, reveal, revealMoment, whole, within, type View } from "./time/view.js";
import { initial, type Colour, type Critical, type Filter, type Focus, type MemberSort, type Page, type Selection, type UrlState } from "./url.js";

export const trace = signal<TraceInfo | null>(null);
export const start = signal<bigint | null>(null);
export const lanes = signal<Lanes | null>(null);
/** Functions and reasons by number. The array grows in place; `labelsKnown` says how far. */
export const labels: string[] = [];
export const labelsKnown = signal(0);
export const problem = signal<string | null>(null);
export const tileProblem = signal<string | null>(null);
export const matches = signal<{ total: number; strip: number[] } | null>(null);
/** The match that is looked at, and what number of all it is, from 0 on. */
export const matchAt = signal<{ number: number; lane: string; from: number; to: number } | null>(null);

export const page = signal<Page>("timeline");
export const args = signal<string[]>([]);
export const view = signal<View>({ from: 0, to: 1e9 });
export const selection = signal<Selection | null>(null);
export const focus = signal<Focus | null>(null);
export const filter = signal<Filter | null>(null);
export const colour = signal<Colour>("state");
export const clockMode = signal(false);
export const activeOnly = signal(false);
export const pins = signal<string[]>([]);
export const toggled = signal<string[]>([]);
export const memberSort = signal<MemberSort>("blocked");

/** What is being measured: from a moment to another, which is the pointer's until it is set. */
export const measure = signal<{ from: number; to: number | null } | null>(null);

/** Where the tracks are scrolled to, and where a link or Back wants them to be. */
export const top = signal<string | null>(null);
export const wantedTop = signal<string | null>(null);

export const help = signal(false);
export const toast = signal<string | null>(null);
export const theme = signal<"light" | "dark">("dark");
/** The steps of a critical path on show, and what it is of. */
export const criticalOf = signal<Critical | null>(null);
/** How the tables and plots of the page are set, by name; what is as it begins is not here. */
export const options = signal<Record<string, string>>({});
/** The view follows the trace's length until the person moves it. */
export const moved = signal(false);

export const duration = computed(() => trace.value?.duration ?? 1e9);
export const isEmptyTrace = computed(() => trace.value !== null && trace.value.duration <= 0);

export function snapshot(): UrlState {
  return {
    page: page.value, args: args.value, view: moved.value ? view.value : null, selection: selection.value, focus: focus.value, filter: filter.value,
    colour: colour.value, clock: clockMode.value, activeOnly: activeOnly.value, pins: pins.value, toggled: toggled.value, memberSort: memberSort.value,
    critical: criticalOf.value, top: top.value, measure: measured(), options: options.value,
  };
}

/** What was measured, once both ends are set. */
function measured(): { from: number; to: number } | null {
  const m = measure.value;
  return m && m.to !== null && m.to !== m.from ? { from: Math.min(m.from, m.to), to: Math.max(m.from, m.to) } : null;
}

/** Lets the view be within the trace, and says so if it was not. */
export function keepWithin(): void {
  if (!moved.peek() || !trace.peek()) return;
  const v = within(view.peek(), duration.peek());
  if (v === "outside") {
    say(`The address asks for ${formatDuration(view.peek().from)} to ${formatDuration(view.peek().to)}, and the trace has ${formatDuration(duration.peek())}: all of it is shown.`, 8000);
    showWhole();
  } else if (v) view.value = v;
}

export function restore(s: UrlState = initial()): void {
  batch(() => {
    page.value = s.page;
    args.value = s.args;
    moved.value = s.view !== null;
    view.value = s.view ?? whole(duration.value);
    selection.value = s.selection;
    focus.value = s.focus;
    filter.value = s.filter;
    colour.value = s.colour;
    clockMode.value = s.clock;
    activeOnly.value = s.activeOnly;
    pins.value = s.pins;
    toggled.value = s.toggled;
    memberSort.value = s.memberSort;
    // Not asked for again if it is the same.
    if (JSON.stringify(s.critical) !== JSON.stringify(criticalOf.value)) criticalOf.value = s.critical;
    options.value = s.options;
    measure.value = s.measure;
    wantedTop.value = s.top ?? "";
    keepWithin();
  });
}

export function setView(v: View): void {
  moved.value = true;
  view.value = clamp(v, duration.value);
}

export function showWhole(): void {
  batch(() => {
    moved.value = false;
    view.value = whole(duration.value);
  });
}

export function fitRange(from: number, to: number): void {
  setView(fit(from, to, duration.value));
}

export function revealRange(from: number, to: number): void {
  setView(reveal(view.value, from, to, duration.value));
}

export function revealTime(t: number): void {
  const v = revealMoment(view.value, t, duration.value);
  if (v !== view.value) setView(v);
}

export function toggle(key: string): void {
  toggled.value = toggled.value.includes(key) ? toggled.value.filter((k) => k !== key) : [...toggled.value, key];
}

export function togglePin(lane: string): void {
  pins.value = pins.value.includes(lane) ? pins.value.filter((l) => l !== lane) : [...pins.value, lane];
}

export function label(n: number | null | undefined): string {
  return n === null || n === undefined || n === 0xffffffff ? "" : labels[n] ?? "";
}

const shorts: string[] = [];
/** The same without the path of its package, for where there is little room. */
export function shortLabel(n: number): string {
  if (shorts[n] === undefined && labels[n] !== undefined) shorts[n] = short(labels[n]!);
  return shorts[n] ?? "";
}

/** A moment, in the way chosen. */
export function moment(t: number | null | undefined, step = 1e3): string {
  if (t === null || t === undefined) return "–";
  return clockMode.value && start.value !== null ? clock(t, start.value, step) : offset(t, step);
}

/** A moment with every digit. */
export function momentFull(t: number | null | undefined): string {
  if (t === null || t === undefined) return "unknown";
  const rest = start.value === null ? "" : ` · ${clockFull(t, start.value)}`;
  return `${Math.round(t)} ns${rest} · ${formatDuration(t)} after the start`;
}

/** The time range that all pages share: the selection if there is one. */
export function sharedRange(): { from?: string; to?: string } {
  const s = selection.value;
  return s ? { from: `${Math.max(0, Math.round(s.from))}ns`, to: `${Math.round(s.to)}ns` } : {};
}

let toastTimer = 0;
export function say(text: string, ms = 2500): void {
  toast.value = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.value = null), ms) as unknown as number;
}
