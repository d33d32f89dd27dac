// The overview: the whole trace at work, GC bands, marks of matches, and a brush that is the view.

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { step } from "../history.js";
import { STACKED, stateColour, WORKING } from "../palette.js";
import * as state from "../state.js";
import { duration as text } from "../time/format.js";
import { zoom } from "../time/view.js";
import { drawLoss, lossBox } from "./lost.js";
import { TileCache } from "../tiles/cache.js";
import { TileClient } from "../tiles/client.js";
import { levelFor, tileSpan, topLevel } from "../tiles/plan.js";

const client = new TileClient();

function draw(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d")!;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  const trace = state.trace.value;
  if (!trace || trace.duration <= 0) return;
  const D = trace.duration;
  const theme = state.theme.value;
  const top = topLevel(D);
  const level = Math.min(levelFor(D / width), top);
  const span = tileSpan(level);
  const bin = 2 ** level;
  const all = client.cache.lane("all");
  const base = height - 7;
  // Heights are numbers of goroutines at work; those that wait would hide them.
  const columns: { x: number; w: number; counts: number; shares: Uint8Array; at: number; states: number; work: number }[] = [];
  for (let i = 0; i * span < D; i++) {
    const e = TileCache.find(all, level, i, top);
    if (!e || e.tile.kind !== "shares") continue;
    e.usedAt = performance.now();
    const tile = e.tile;
    const own = 2 ** e.level;
    const first = Math.floor((i * span) / own) - e.index * 256;
    const n = Math.max(1, Math.round(span / own));
    for (let b = first; b < first + n; b++) {
      const t = (e.index * 256 + b) * own;
      if (t >= D) break;
      let work = 0;
      for (let k = 0; k < WORKING; k++) work += tile.shares[b * tile.states + STACKED[k]!]!;
      columns.push({ x: (t / D) * width, w: (Math.max(own, bin) / D) * width, counts: tile.counts[b]!, shares: tile.shares, at: b * tile.states, states: tile.states, work: (work / 255) * tile.counts[b]! });
    }
  }
  const peak = Math.max(1e-9, ...columns.map((c) => c.work));
  for (let k = 0; k < WORKING; k++) {
    ctx.fillStyle = stateColour(STACKED[k]!, theme);
    for (const c of columns) {
      let below = 0;
      for (let j = 0; j < k; j++) below += c.shares[c.at + STACKED[j]!]!;
      const share = c.shares[c.at + STACKED[k]!]!;
      if (share === 0) continue;
      const y = (v: number) => base - (((v / 255) * c.counts) / peak) * (base - 4);
      ctx.fillRect(c.x, y(below + share), c.w + 0.4, y(below) - y(below + share));
    }
  }
  const gc = TileCache.find(client.cache.lane("gc"), level, 0, top) ?? client.cache.lane("gc").get(top, 0);
  ctx.fillStyle = stateColour(8, theme);
  for (const e of gc ? [gc, ...client.cache.lane("gc").tiles.values()] : []) {
    if (e.tile.kind === "spans") for (let i = 0; i < e.tile.n; i++) ctx.fillRect((e.tile.begin[i]! / D) * width, height - 5, Math.max(1, ((e.tile.end[i]! - e.tile.begin[i]!) / D) * width), 4);
    else if (e.tile.kind === "shares" && e.level === level) for (let b = 0; b < 256; b++) if (e.tile.counts[b]! > 0) ctx.fillRect(((e.index * 256 + b) * bin * width) / D, height - 5, (bin / D) * width, 4);
  }
  for (const l of trace.lost) drawLoss(ctx, lossBox(l, D, (t) => (t / D) * width), width, height, theme);
  if (!trace.done) {
    const x = (trace.indexed / D) * width;
    ctx.fillStyle = theme === "dark" ? "rgba(140,150,170,.14)" : "rgba(120,130,145,.16)";
    ctx.fillRect(x, 0, width - x, height);
    ctx.fillStyle = theme === "dark" ? "#5aa2ff" : "#0b62d6";
    ctx.fillRect(x, 0, 1.5, height);
  }
  const m = state.matches.value;
  if (m) {
    const most = Math.max(1, ...m.strip);
    ctx.fillStyle = theme === "dark" ? "#ffffff" : "#111827";
    m.strip.forEach((n, i) => {
      if (n === 0) return;
      ctx.globalAlpha = 0.35 + 0.65 * Math.sqrt(n / most);
      ctx.fillRect((i / m.strip.length) * width, 0, Math.max(1.5, width / m.strip.length - 0.3), 4);
    });
    ctx.globalAlpha = 1;
  }
  const s = state.selection.value;
  if (s) {
    ctx.fillStyle = theme === "dark" ? "rgba(90,162,255,.3)" : "rgba(11,98,214,.22)";
    ctx.fillRect((s.from / D) * width, 0, Math.max(2, ((s.to - s.from) / D) * width), height);
  }
}

export function Strip() {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const window_ = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const el = box.current!;
    let frame = 0;
    const redraw = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        const { width, height } = el.getBoundingClientRect();
        const D = state.duration.value;
        if (state.trace.value) client.want({ view: { from: 0, to: D }, nsPerPixel: D / Math.max(1, width), duration: D, lanes: ["all", "gc"] });
        draw(canvas.current!, width, height);
      });
    };
    client.onTile = redraw;
    const size = new ResizeObserver(redraw);
    size.observe(el);
    const wheel = (e: WheelEvent) => {
      e.preventDefault();
      const rect = el.getBoundingClientRect();
      const D = state.duration.value;
      const anchor = Math.min(1, Math.max(0, (e.clientX - rect.left) / rect.width)) * D;
      state.setView(zoom(state.view.value, Math.exp(Math.max(-120, Math.min(120, e.deltaY)) * 0.0025), anchor, D));
    };
    el.addEventListener("wheel", wheel, { passive: false });
    const stop = effect(() => {
      void [state.trace.value, state.theme.value, state.matches.value, state.selection.value];
      redraw();
    });
    const stopWindow = effect(() => {
      const v = state.view.value;
      const D = state.duration.value;
      const a = Math.max(0, v.from / D) * 100;
      const b = Math.min(1, v.to / D) * 100;
      window_.current!.style.left = `${a}%`;
      window_.current!.style.width = `max(3px, ${Math.max(0, b - a)}%)`;
    });
    return () => {
      stop();
      stopWindow();
      size.disconnect();
      el.removeEventListener("wheel", wheel);
    };
  }, []);

  const down = (e: PointerEvent) => {
    const el = box.current!;
    const rect = el.getBoundingClientRect();
    const D = state.duration.value;
    const at = (x: number) => Math.min(1, Math.max(0, (x - rect.left) / rect.width)) * D;
    el.setPointerCapture(e.pointerId);
    const v = state.view.value;
    const px = D / rect.width;
    const t = at(e.clientX);
    const whole = v.to - v.from > D * 0.98;
    const edge = Math.abs(t - v.from) < 5 * px ? "from" : Math.abs(t - v.to) < 5 * px ? "to" : null;
    const mode = whole ? "brush" : edge ?? (t > v.from && t < v.to && v.to - v.from > 8 * px ? "move" : "brush");
    step(() => {});
    let moved = false;
    const move = (m: PointerEvent) => {
      if (Math.abs(m.clientX - e.clientX) > 2) moved = true;
      if (!moved) return;
      const n = at(m.clientX);
      if (mode === "move") state.setView({ from: v.from + n - t, to: v.to + n - t });
      else if (mode === "from") state.setView({ from: Math.min(n, v.to - px), to: v.to });
      else if (mode === "to") state.setView({ from: v.from, to: Math.max(n, v.from + px) });
      else state.setView({ from: Math.min(t, n), to: Math.max(t, n, Math.min(t, n) + px) });
    };
    const up = () => {
      el.removeEventListener("pointermove", move);
      el.removeEventListener("pointerup", up);
      if (!moved && mode !== "move" && !whole) state.setView({ from: t - (v.to - v.from) / 2, to: t + (v.to - v.from) / 2 });
    };
    el.addEventListener("pointermove", move);
    el.addEventListener("pointerup", up);
  };
  const trace = state.trace.value;
  return (
    <section aria-label="Overview"><div class="strip" ref={box} onPointerDown={down} onDblClick={() => state.showWhole()} role="img"
      aria-label={`Overview of the whole trace, ${text(trace?.duration)}: goroutines running, runnable and in system calls. Drag to choose what the timeline shows.`}>
      <canvas ref={canvas} />
      <div class="brush" ref={window_} />
    </div></section>
  );
}
