// Wheel, drag and touch on the lanes and on the ruler.

import * as state from "../state.js";
import { step } from "../history.js";
import { follow } from "../keys.js";
import { pan, zoom } from "../time/view.js";
import { tipAt } from "./hit.js";
import { chosenLanes } from "./pick.js";
import { engine, tip } from "./instance.js";

interface Drag {
  mode: "pan" | "select";
  x: number;
  y: number;
  time: number;
  scroll: number;
  moved: boolean;
}

export function wheel(e: WheelEvent): void {
  e.preventDefault();
  tip.value = null;
  engine.halt();
  const unit = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? 400 : 1;
  const dx = e.deltaX * unit;
  const dy = e.deltaY * unit;
  const v = state.view.value;
  const perPixel = (v.to - v.from) / engine.width;
  if (e.altKey) return engine.scrollTo(engine.scrollTop + dy);
  if (e.shiftKey || Math.abs(dx) > Math.abs(dy)) {
    state.setView(pan(v, (Math.abs(dx) > Math.abs(dy) ? dx : dy) * perPixel, state.duration.value));
    return;
  }
  // A pinch on a trackpad comes as a wheel with ctrl, in finer steps.
  const factor = Math.exp(Math.max(-120, Math.min(120, dy)) * (e.ctrlKey ? 0.01 : 0.0025));
  state.setView(zoom(v, factor, engine.time(e.offsetX), state.duration.value));
}

/** Pointers on an element whose left edge is that of the lanes. `rulerLike`: a drag selects. */
export function listen(element: HTMLElement, rulerLike: boolean): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let drag: Drag | null = null;
  let pinch: { distance: number; middle: number } | null = null;
  const place = (e: PointerEvent) => {
    const box = element.getBoundingClientRect();
    return { x: e.clientX - box.left, y: e.clientY - box.top };
  };
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { distance: Math.max(10, Math.abs(a!.x - b!.x)), middle: (a!.x + b!.x) / 2 };
  };
  const down = (e: PointerEvent) => {
    if (e.button !== 0) return;
    element.setPointerCapture(e.pointerId);
    const p = place(e);
    pointers.set(e.pointerId, p);
    engine.halt();
    if (pointers.size === 2) {
      drag = null;
      pinch = spread();
      return;
    }
    drag = { mode: rulerLike || e.shiftKey ? "select" : "pan", ...p, time: engine.time(p.x), scroll: engine.scrollTop, moved: false };
  };
  const move = (e: PointerEvent) => {
    const p = place(e);
    if (pointers.has(e.pointerId)) pointers.set(e.pointerId, p);
    if (pinch && pointers.size === 2) {
      const now = spread();
      const v = state.view.value;
      const k = pinch.distance / now.distance;
      const zoomed = zoom(v, k, engine.time(pinch.middle), state.duration.value);
      state.setView(pan(zoomed, ((pinch.middle - now.middle) / engine.width) * (zoomed.to - zoomed.from), state.duration.value));
      pinch = now;
      return;
    }
    if (!rulerLike) {
      engine.hover.x = p.x;
      engine.hover.y = p.y;
      engine.hover.on = true;
    }
    if (!drag) {
      if (!rulerLike) tip.value = tipAt(p.x, p.y);
      engine.invalidate(true);
      return;
    }
    if (!drag.moved && Math.hypot(p.x - drag.x, p.y - drag.y) < 4) return;
    if (!drag.moved && drag.mode === "select") step(() => {});
    drag.moved = true;
    tip.value = null;
    if (drag.mode === "select") {
      const a = Math.max(0, Math.min(drag.time, engine.time(p.x)));
      const b = Math.min(state.duration.value, Math.max(drag.time, engine.time(p.x)));
      const lanes = rulerLike ? [] : chosenLanes(engine.lanesBetween(drag.y, Math.max(0, Math.min(engine.height, p.y))), workersOf);
      if (b > a) state.selection.value = { from: Math.round(a), to: Math.max(Math.round(b), Math.round(a) + 1), lanes };
    } else {
      const v = state.view.value;
      const width = v.to - v.from;
      state.setView({ from: drag.time - (p.x / engine.width) * width, to: drag.time - (p.x / engine.width) * width + width });
      engine.scrollTo(drag.scroll - (p.y - drag.y));
    }
  };
  const up = (e: PointerEvent) => {
    pointers.delete(e.pointerId);
    pinch = null;
    const d = drag;
    drag = null;
    if (!d || d.moved) return;
    if (rulerLike) {
      step(() => (state.selection.value = null));
      return;
    }
    click(d.x, d.y);
  };
  const leave = () => {
    engine.hover.on = false;
    tip.value = null;
    engine.invalidate(true);
  };
  const double = (e: MouseEvent) => {
    const box = element.getBoundingClientRect();
    const x = e.clientX - box.left;
    const row = engine.rowAt(e.clientY - box.top);
    const hit = row?.lane ? engine.scene.at(engine.tiles(row.lane), engine.time(x)) : null;
    const tile = hit?.entry.tile;
    if (hit && tile?.kind === "spans") step(() => state.fitRange(tile.begin[hit.index]!, tile.end[hit.index]!));
    else engine.glide(zoom(state.view.value, 0.25, engine.time(x), state.duration.value));
  };
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", leave);
  element.addEventListener("wheel", wheel, { passive: false });
  if (!rulerLike) element.addEventListener("dblclick", double);
  return () => {
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointercancel", up);
    element.removeEventListener("pointerleave", leave);
    element.removeEventListener("wheel", wheel);
    element.removeEventListener("dblclick", double);
  };
}

/** Who worked for a task on the screen. */
function workersOf(task: string): string[] {
  return engine.data.workers.get(task) ?? [];
}

function click(x: number, y: number): void {
  const row = engine.rowAt(y);
  if (!row?.lane) {
    const section = row?.row?.section;
    if (section?.kind === "header" && section.open !== null) return state.toggle(section.key);
    const mark = section?.kind === "marks" ? nearestMark(section.key, engine.time(x)) : null;
    if (mark?.lane) {
      step(() => (state.focus.value = { lane: mark.lane!, time: mark.from }));
      engine.show(mark.lane);
    }
    return;
  }
  const lane = row.lane;
  const time = engine.time(x);
  const hit = engine.scene.at(engine.tiles(lane), time);
  const tile = hit?.entry.tile;
  const fixed = hit && tile?.kind === "spans" ? Math.max(Math.min(time, tile.end[hit.index]! - 1), tile.begin[hit.index]!) : time;
  const life = row.row && !hit ? engine.lifeOf(row.row) : null;
  if (life && (life.to < state.view.value.from || life.from > state.view.value.to)) {
    step(() => state.revealTime((life.from + life.to) / 2));
    return;
  }
  // What did not arrive yet can be asked about all the same.
  const coming = !hit && /^(go|proc|thread):/.test(lane) && engine.tiles(lane).tiles.size === 0;
  // A region leads to whose it is.
  if (hit && tile?.kind === "spans" && /^(tasks|regions|region:.*)$/.test(lane)) {
    const owner = tile.go[hit.index]!;
    if (owner >= 0) follow(`go:${owner}`, Math.round(fixed));
    return;
  }
  if ((!hit && !coming) || /^(tasks|regions|region:.*)$/.test(lane) || lane === "all" || lane.startsWith("group:")) {
    step(() => (state.focus.value = null));
    return;
  }
  step(() => (state.focus.value = { lane, time: Math.round(fixed) }));
}

function nearestMark(kind: string, time: number) {
  const v = state.view.value;
  const near = ((v.to - v.from) / engine.width) * 6;
  return engine.data.marks[kind]?.value?.rows.find((m) => Math.abs(m.from - time) < near) ?? null;
}
