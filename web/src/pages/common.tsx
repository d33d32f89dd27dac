// What pages share: the range, the origin of times, commands to copy.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { answer, type Answer, type Query } from "../api.js";
import { follow } from "../keys.js";
import * as state from "../state.js";
import { step, toTimeline } from "../history.js";
import { cut } from "../time/format.js";
import { copyText } from "../ui/copy.js";
import { useLoaded, type Loaded } from "../ui/load.js";

/** The trace's own clock at its first event. Commands print such times; the timeline counts from 0. */
export const origin = signal<number | null>(null);

export function useOrigin(): number | null {
  const told = state.trace.value?.origin ?? null;
  useEffect(() => {
    if (told !== null || origin.value !== null) return;
    answer<{ start_time: number }>("info").then((a) => (origin.value = a.rows[0]?.start_time ?? 0), () => {});
  }, [told]);
  return told ?? origin.value;
}

/** The answer of a command for the range that is selected. Asked anew when all is read. */
export function useAnswer<T>(command: string, query: Query = {}, ranged = true): Loaded<Answer<T>> {
  const q = { ...query, ...(ranged ? state.sharedRange() : {}) };
  return useLoaded<Answer<T>>(JSON.stringify([command, q, state.trace.value?.done]), (signal) => answer<T>(command, q, signal));
}

export function Command({ of }: { of: Answer<unknown> }) {
  return of.command ? <button class="small" title={cut(of.command, 500)} onClick={() => copyText(of.command!, "Command copied.")}>copy as gotrail command</button> : null;
}

export function PageBox({ title, crumbs, children }: { title: string; crumbs?: ComponentChildren; children: ComponentChildren }) {
  const t = state.trace.value;
  return (
    <div class="page" tabIndex={-1}>
      {crumbs && <p class="crumbs">{crumbs}</p>}
      <h2>{cut(title, 200)}</h2>
      {t && !t.done && <p class="lead" role="status">The trace is still being read: figures are those of what is known so far, or come when all is read.</p>}
      {children}
    </div>
  );
}

/** To a stretch of time in the timeline, with it selected. */
export function showRange(from: number, to: number, lane?: string): void {
  step(() => {
    toTimeline();
    state.selection.value = { from: Math.floor(from), to: Math.max(Math.ceil(to), Math.floor(from) + 1), lanes: [] };
    state.focus.value = null;
    state.revealRange(from, Math.max(to, from + 1));
  });
  if (lane) follow(lane, Math.floor((from + to) / 2));
}

export function escapeRegex(s: string): string {
  return s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
