// Gets the trace's description and keeps it fresh while the index grows.

import { batch } from "@preact/signals";
import { get, startUnix, traceName, type Group, type Lanes, type TraceInfo } from "./api.js";
import * as state from "./state.js";
import { whole } from "./time/view.js";

let lastLanes = -Infinity;
/** Whether groups may change places: not under someone's pointer. */
let settled: () => boolean = () => false;
export function keepGroupsWhen(f: () => boolean): void {
  settled = f;
}

function take(text: string): void {
  const info = JSON.parse(text) as TraceInfo;
  batch(() => {
    state.start.value = startUnix(text);
    const grew = info.duration !== state.trace.value?.duration;
    state.trace.value = info;
    if (grew && !state.moved.value) state.view.value = whole(info.duration);
    else if (grew && info.duration > 0) state.keepWithin();
    state.problem.value = info.error;
  });
  document.title = `${traceName(info)} · gotrail`;
  void moreLabels();
  const now = performance.now();
  if (info.done || now - lastLanes > 800) {
    lastLanes = now;
    void moreLanes();
  }
}

let askingLabels = false;
async function moreLabels(): Promise<void> {
  const known = state.labels.length;
  if (askingLabels || known >= (state.trace.value?.labels ?? 0)) return;
  askingLabels = true;
  try {
    const more = await get<{ from: number; labels: string[] }>("labels", { from: known });
    more.labels.forEach((l, i) => (state.labels[more.from + i] = l));
    state.labelsKnown.value = state.labels.length;
  } catch {
    // The next progress asks again.
  } finally {
    askingLabels = false;
  }
}

async function moreLanes(): Promise<void> {
  try {
    const next = await get<Lanes>("lanes");
    const old = state.lanes.value;
    if (old && settled()) next.groups = inOldOrder(old.groups, next.groups);
    state.lanes.value = next;
  } catch (error) {
    state.problem.value = (error as Error).message;
  }
}

/** The new groups in the places of the old ones; those that are really new come last. */
export function inOldOrder(old: Group[], next: Group[]): Group[] {
  const byId = new Map(next.map((g) => [g.id, g]));
  const out: Group[] = [];
  for (const g of old) {
    const n = byId.get(g.id);
    if (n) {
      out.push(n);
      byId.delete(g.id);
    }
  }
  return [...out, ...byId.values()];
}

export async function load(): Promise<void> {
  try {
    const response = await fetch("/api/trace");
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    take(await response.text());
  } catch (error) {
    state.problem.value = `The trace cannot be asked for: ${(error as Error).message}. Is gotrail view still running?`;
    setTimeout(load, 2000);
    return;
  }
  if (state.trace.value?.done) return;
  const events = new EventSource("/api/progress");
  events.onmessage = (e: MessageEvent<string>) => {
    take(e.data);
    if (state.trace.value?.done) events.close();
  };
  events.onerror = () => {
    // The server ends the stream when it is done, which browsers take for an error.
    events.close();
    setTimeout(() => {
      if (!state.trace.value?.done) void load();
    }, 500);
  };
}
