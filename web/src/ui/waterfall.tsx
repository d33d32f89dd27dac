// A task over its goroutines: for each a row with its states, its regions, and ticks for logs.

import { prepare, stripes } from "./canvas.js";
import type { Id } from "../api.js";
import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { inkOn, packed, functionColour, STATE, stateColour } from "../palette.js";
import * as state from "../state.js";
import { decodeTile, type Spans } from "../tiles/decode.js";
import { levelFor, tilesOf } from "../tiles/plan.js";
import { count, cut, duration, short, tickStep } from "../time/format.js";
import { follow } from "../keys.js";

export interface WaterRegion { name: string; goroutine: Id; start: number; end: number; total: number }
interface Props {
  from: number;
  to: number;
  origin: number;
  goroutines: { id: Id; function: string }[];
  regions: WaterRegion[];
  logs: { time: number; goroutine: Id; message: string; category: string }[];
}

const MOST = 100;
const NAMES = 230;
const AXIS = 20;

interface Box { x0: number; x1: number; y0: number; y1: number; text: string; go: Id; time: number }

/** Spans of goroutines in a stretch of time: from as many tiles as it takes. */
async function spansOf(ids: Id[], from: number, to: number, signal: AbortSignal): Promise<Map<Id, Spans[]>> {
  const out = new Map<Id, Spans[]>();
  const range = tilesOf({ from, to }, levelFor((to - from) / 1000), state.duration.value);
  for (let i = range.first; i <= range.last; i++) {
    for (let k = 0; k < ids.length; k += 48) {
      const some = ids.slice(k, k + 48);
      const answer = await fetch(`/api/tile?level=${range.level}&index=${i}&lanes=${some.map((id) => `go:${id}`).join(",")}`, { signal });
      if (!answer.ok) continue;
      const tile = decodeTile(await answer.arrayBuffer(), some.length);
      some.forEach((id, j) => {
        const lane = tile.lanes[j]!;
        if (lane.kind === "spans") out.set(id, [...(out.get(id) ?? []), lane]);
      });
    }
  }
  return out;
}

export function Waterfall({ from, to, origin, goroutines, regions, logs }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const boxes = useRef<Box[]>([]);
  const [tip, setTip] = useState<{ x: number; y: number; text: string } | null>(null);
  const rows = goroutines.slice(0, MOST);
  // Deep enough for regions in regions.
  const layers = rows.map((g) => nest(regions.filter((r) => r.goroutine === g.id)));
  useEffect(() => {
    const el = canvas.current;
    if (!el) return;
    const abort = new AbortController();
    let spans = new Map<Id, Spans[]>();
    const draw = () => {
      const width = el.parentElement!.clientWidth;
      const heights = layers.map((l) => 16 + Math.max(1, l.depth) * 14);
      const height = AXIS + heights.reduce((a, b) => a + b, 0) + 4;
      const ctx = prepare(el, width, height);
      const dark = state.theme.value === "dark";
      const text = dark ? "#dbe1ea" : "#1c2430";
      const faint = dark ? "#93a0b2" : "#5c6673";
      const X = (t: number) => NAMES + ((t - from) / Math.max(1, to - from)) * (width - NAMES - 8);
      const stepNs = tickStep(to - from, (width - NAMES) / 100);
      ctx.fillStyle = faint;
      for (let t = 0; t <= to - from; t += stepNs) {
        const tick = `+${duration(t)}`;
        if (X(from + t) + 3 + ctx.measureText(tick).width < width) ctx.fillText(tick, X(from + t) + 3, AXIS / 2);
        ctx.globalAlpha = 0.25;
        ctx.fillRect(X(from + t), 0, 1, height);
        ctx.globalAlpha = 1;
      }
      boxes.current = [];
      let y = AXIS;
      rows.forEach((g, i) => {
        ctx.fillStyle = text;
        const name = `G${g.id} ${short(g.function)}`;
        ctx.fillText(name.length > 34 ? `${name.slice(0, 33)}…` : name, 8, y + 7);
        for (const s of spans.get(g.id) ?? []) {
          for (let k = 0; k < s.n; k++) {
            const a = Math.max(from, s.begin[k]!);
            const b = Math.min(to, s.end[k]!);
            if (b <= a) continue;
            const st = s.state[k]!;
            ctx.fillStyle = stateColour(st, state.theme.value);
            const waits = STATE[st]?.waits ?? true;
            const w = Math.max(0.5, X(b) - X(a));
            ctx.fillRect(X(a), y + (waits ? 4 : 2), w, waits ? 7 : 10);
            if (STATE[st]?.hatch && w > 3) {
              ctx.fillStyle = stripes(ctx);
              ctx.fillRect(X(a), y + 2, w, 10);
            }
            boxes.current.push({ x0: X(a), x1: Math.max(X(b), X(a) + 2), y0: y + 1, y1: y + 13, text: `${STATE[st]?.name ?? ""} ${cut(state.label(s.label[k]), 80)} · ${duration(s.end[k]! - s.begin[k]!)}`, go: g.id, time: (a + b) / 2 });
          }
        }
        for (const { region: r, depth } of layers[i]!.placed) {
          const a = Math.max(from, r.start - origin);
          const b = Math.min(to, r.end ? r.end - origin : to);
          if (b < from || a > to) continue;
          const top = y + 15 + depth * 14;
          let h = 0;
          for (let c = 0; c < r.name.length && c < 100; c++) h = (h * 31 + r.name.charCodeAt(c)) >>> 0;
          const colour = functionColour(h, state.theme.value);
          const w = Math.max(1, X(b) - X(a));
          ctx.fillStyle = colour;
          ctx.fillRect(X(a), top, w, 12);
          if (w > 36) {
            ctx.fillStyle = inkOn(packed(colour));
            const most = Math.floor((w - 6) / 6);
            ctx.fillText(r.name.length > most ? `${r.name.slice(0, Math.max(1, most - 1))}…` : r.name, X(a) + 4, top + 6.5);
          }
          boxes.current.push({ x0: X(a), x1: X(a) + Math.max(w, 3), y0: top, y1: top + 13, text: `region ${cut(r.name, 120)} · ${duration(r.total)}`, go: g.id, time: (a + b) / 2 });
        }
        ctx.fillStyle = text;
        for (const l of logs) {
          if (l.goroutine !== g.id) continue;
          const x = X(l.time - origin);
          ctx.beginPath();
          ctx.moveTo(x, y);
          ctx.lineTo(x + 4, y - 5);
          ctx.lineTo(x - 4, y - 5);
          ctx.fill();
          boxes.current.push({ x0: x - 5, x1: x + 5, y0: y - 6, y1: y + 2, text: `log ${cut(l.category, 60)}: ${cut(l.message, 200)}`, go: g.id, time: l.time - origin });
        }
        y += heights[i]!;
        ctx.fillStyle = faint;
        ctx.globalAlpha = 0.2;
        ctx.fillRect(0, y - 1, width, 1);
        ctx.globalAlpha = 1;
      });
    };
    const stop = effect(() => {
      void [state.theme.value, state.labelsKnown.value];
      draw();
    });
    const size = new ResizeObserver(draw);
    size.observe(el.parentElement!);
    spansOf(rows.map((g) => g.id), from, to, abort.signal).then((s) => { spans = s; draw(); }, () => {});
    return () => {
      abort.abort();
      stop();
      size.disconnect();
    };
  }, [from, to, origin, goroutines, regions]);
  const at = (e: MouseEvent) => [...boxes.current].reverse().find((b) => e.offsetX >= b.x0 && e.offsetX <= b.x1 && e.offsetY >= b.y0 && e.offsetY <= b.y1);
  if (goroutines.length === 0) return <p class="empty">No goroutine is known to have worked for this task.</p>;
  return (
    <div class="waterfall">
      <canvas ref={canvas} role="img" aria-label="The task over its goroutines: states, regions, logs. The tables below have the same."
        onMouseMove={(e) => { const b = at(e); setTip(b ? { x: e.offsetX, y: e.offsetY, text: b.text } : null); }} onMouseLeave={() => setTip(null)}
        onClick={(e) => { const b = at(e); if (b) follow(`go:${b.go}`, Math.floor(b.time)); }} />
      {tip && <div class="tip" ref={(el) => { if (el) { el.style.left = `${Math.min(tip.x + 14, el.parentElement!.clientWidth - el.offsetWidth - 4)}px`; el.style.top = `${tip.y + 14}px`; } }}>{tip.text}</div>}
      {goroutines.length > MOST && <p class="faint">The first {count(MOST)} of {count(goroutines.length)} goroutines.</p>}
    </div>
  );
}

/** Puts regions that overlap on different heights. */
export function nest(regions: WaterRegion[]): { placed: { region: WaterRegion; depth: number }[]; depth: number } {
  const ends: number[] = [];
  const placed = [...regions].sort((a, b) => a.start - b.start || b.end - a.end).map((region) => {
    let depth = ends.findIndex((e) => e <= region.start);
    if (depth < 0) depth = ends.length;
    ends[depth] = region.end || Infinity;
    return { region, depth };
  });
  return { placed, depth: ends.length };
}
