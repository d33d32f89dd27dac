// What lies over the lanes: names of spans, plots, marks, what is not indexed or lost, the
// selection, arrows, the pointer.

import { bytes, count, duration } from "../time/format.js";
import { LOST, stateColour } from "../palette.js";
import * as state from "../state.js";
import { hasNothing, type Plot } from "../api.js";
import { PIN_HEIGHT, type Engine } from "./engine.js";
import { drawLoss, lossBox } from "./lost.js";
import { MODE_COUNTS, MODE_WORKING } from "./render.js";
import type { Row } from "./rows.js";
import { whyEmpty } from "./why.js";

interface Ink {
  text: string;
  faint: string;
  line: string;
  bg: string;
  accent: string;
  select: string;
  shade: string;
}

const INK: Record<"light" | "dark", Ink> = {
  light: { text: "#1c2430", faint: "#6a7482", line: "#e3e7ed", bg: "#ffffff", accent: "#0b62d6", select: "rgba(11,98,214,.10)", shade: "rgba(120,130,145,.14)" },
  dark: { text: "#dbe1ea", faint: "#8b95a5", line: "#232a35", bg: "#12161d", accent: "#5aa2ff", select: "rgba(90,162,255,.14)", shade: "rgba(140,150,170,.10)" },
};
/** The lines of each plot, in colours of states that stand for something like it. */
export const PLOTS: Record<string, { name: string; title: string; state: number; fill: boolean }[]> = {
  heap: [{ name: "heap", title: "allocated", state: 0, fill: true }, { name: "goal", title: "goal", state: 8, fill: false }],
  counts: [{ name: "runnable", title: "runnable", state: 1, fill: true }, { name: "threads", title: "threads", state: 2, fill: false }, { name: "procs", title: "procs", state: 0, fill: false }],
};
const FONT = "10.5px ui-sans-serif, system-ui, -apple-system, 'Segoe UI', sans-serif";
const widths = new Map<string, number>();

function widthOf(ctx: CanvasRenderingContext2D, text: string): number {
  let w = widths.get(text);
  if (w === undefined) {
    if (widths.size > 5000) widths.clear();
    widths.set(text, (w = ctx.measureText(text.length > 300 ? text.slice(0, 300) : text).width));
  }
  return w;
}

/** Cuts a text to a width, or `""` if hardly anything is left. */
function fitText(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  const w = widthOf(ctx, text);
  if (w <= room) return text;
  const keep = Math.floor((Math.min(text.length, 300) * (room - 8)) / w);
  return keep < 3 ? "" : `${text.slice(0, keep)}…`;
}

export function drawOverlay(ctx: CanvasRenderingContext2D, e: Engine, rows: Row[]): void {
  const ink = INK[state.theme.value];
  const { width, height } = e;
  const pins = e.pinned;
  ctx.clearRect(0, 0, width, height);
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const trace = state.trace.value;
  if (!trace) return;

  ctx.save();
  ctx.beginPath();
  ctx.rect(0, pins, width, height - pins);
  ctx.clip();
  for (const row of rows) {
    ctx.fillStyle = ink.line;
    const y = row.y - e.scrollTop + pins;
    if (row.section.kind !== "members" && row.section.kind !== "tasks" && row.section.kind !== "regions") ctx.fillRect(0, y + row.height - 1, width, 1);
    if (trace.done && hasNothing(trace)) {
      if (row.section.kind !== "header") label(ctx, whyEmpty("", true, true), 6, y + row.height / 2, ink);
    } else if (row.section.kind === "plot") drawPlot(ctx, e, row.section.key, y, row.height, ink);
    else if (row.section.kind === "marks") drawMarks(ctx, e, row, y, ink);
    else if (row.section.kind === "members" || row.section.kind === "tasks") drawElsewhere(ctx, e, row, y, ink);
    else if (row.section.kind !== "header" && row.section.lane && e.blank.has(row.section.lane)) drawBlank(ctx, row.section.lane, y + row.height / 2, ink);
    else if (row.section.kind === "states") {
      const mode = row.section.key === "states" ? MODE_WORKING : MODE_COUNTS;
      const top = e.scene.scale(e.scene.cache.lane("all"), mode);
      label(ctx, count(top), 4, y + 10, ink);
      ctx.fillStyle = ink.line;
    }
  }
  ctx.restore();
  for (let i = 0; i * PIN_HEIGHT < pins; i++) {
    const lane = state.pins.value[i]!;
    if (e.blank.has(lane)) drawBlank(ctx, lane, (i + 0.5) * PIN_HEIGHT, ink);
  }
  if (pins > 0) {
    ctx.fillStyle = ink.accent;
    ctx.fillRect(0, pins - 1, width, 1);
  }
  drawTexts(ctx, e, ink, pins);
  drawTimeShades(ctx, e, ink);
  drawSelection(ctx, e, ink);
  drawFocus(ctx, e, ink);
  drawMatch(ctx, e, ink);
  drawArrows(ctx, e, ink);
  drawPointer(ctx, e, ink);
}

function label(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, ink: Ink): void {
  const w = widthOf(ctx, text);
  ctx.globalAlpha = 0.75;
  ctx.fillStyle = ink.bg;
  ctx.fillRect(x - 2, y - 7, w + 4, 14);
  ctx.globalAlpha = 1;
  ctx.fillStyle = ink.faint;
  ctx.fillText(text, x, y);
}

function drawBlank(ctx: CanvasRenderingContext2D, lane: string, y: number, ink: Ink): void {
  const t = state.trace.value!;
  const v = state.view.value;
  if (t.done) label(ctx, whyEmpty(lane, v.from <= 0 && v.to >= t.duration, hasNothing(t)), 6, y, ink);
}

function drawTexts(ctx: CanvasRenderingContext2D, e: Engine, ink: Ink, pins: number): void {
  const t = e.scene.texts;
  for (let i = 0; i < t.n; i++) {
    const y = t.y[i]!;
    if (y < pins && y + 8 > pins) continue;
    const text = fitText(ctx, t.text[i]!, t.x1[i]! - t.x0[i]! - 8);
    if (!text) continue;
    ctx.fillStyle = t.ink[i] || ink.faint;
    ctx.fillText(text, t.x0[i]! + 4, y + 0.5);
  }
}

function drawPlot(ctx: CanvasRenderingContext2D, e: Engine, key: string, y: number, height: number, ink: Ink): void {
  const view = state.view.value;
  const plots = PLOTS[key]!.map((p) => ({ ...p, plot: e.data.plot(p.name).want(view) }));
  const first = plots[0]!.plot;
  if (!first || plots.every((p) => !p.plot || p.plot.t.length === 0)) {
    label(ctx, first ? "the trace has no such figures" : "…", 6, y + height / 2, ink);
    return;
  }
  let top = 1;
  for (const p of plots) for (const v of p.plot?.max ?? []) top = Math.max(top, v);
  const Y = (v: number) => y + height - 4 - (v / top) * (height - 10);
  for (const p of plots) {
    if (!p.plot || p.plot.t.length === 0) continue;
    const colour = stateColour(p.state, state.theme.value);
    line(ctx, e, p.plot, Y, colour, p.fill ? `${colour}2c` : null, y + height - 4);
  }
  label(ctx, first.unit === "bytes" ? bytes(top) : count(top), 4, y + 10, ink);
}

function line(ctx: CanvasRenderingContext2D, e: Engine, p: Plot, Y: (v: number) => number, stroke: string, fill: string | null, base: number): void {
  ctx.beginPath();
  let lastX = -Infinity;
  let started = false;
  const end = Math.min(e.x(state.trace.value!.indexed), e.width + 5);
  for (let i = 0; i < p.t.length; i++) {
    const x = e.x(p.t[i]!);
    const next = i + 1 < p.t.length ? e.x(p.t[i + 1]!) : end;
    if (next < -5 || x > e.width + 5) continue;
    if (!started) ctx.moveTo(x, Y(p.last[i]!));
    started = true;
    // Down and up where much happened, and a step otherwise.
    if (p.max[i] !== p.min[i]) {
      ctx.lineTo(x, Y(p.min[i]!));
      ctx.lineTo(x, Y(p.max[i]!));
    }
    ctx.lineTo(x, Y(p.last[i]!));
    lastX = Math.max(x, Math.min(next, e.width + 5));
    ctx.lineTo(lastX, Y(p.last[i]!));
  }
  if (!started) return;
  ctx.strokeStyle = stroke;
  ctx.lineWidth = 1.2;
  ctx.stroke();
  if (!fill) return;
  ctx.lineTo(lastX, base);
  ctx.lineTo(Math.max(-5, e.x(p.t[0]!)), base);
  ctx.fillStyle = fill;
  ctx.fill();
}

function drawMarks(ctx: CanvasRenderingContext2D, e: Engine, row: Row, y: number, ink: Ink): void {
  const marks = e.data.marks[row.section.key]!.want(state.view.value);
  if (!marks) return;
  if (marks.total === 0) {
    label(ctx, row.section.key === "logs" ? "no log messages here" : "no CPU samples here: they are there if a CPU profile was on while tracing", 6, y + row.height / 2, ink);
    return;
  }
  ctx.fillStyle = row.section.key === "logs" ? ink.accent : stateColour(0, state.theme.value);
  if (marks.rows.length < marks.total && marks.strip) {
    // Too many to have them one by one: how many there are, as heights.
    const most = Math.max(...marks.strip, 1);
    const part = (marks.to! - marks.from!) / marks.strip.length;
    marks.strip.forEach((n, i) => {
      const x = e.x(marks.from! + i * part);
      const w = (part / (state.view.value.to - state.view.value.from)) * e.width;
      if (n === 0 || x + w < 0 || x > e.width) return;
      const h = Math.max(1, (n / most) * (row.height - 6));
      ctx.fillRect(x, y + row.height - 3 - h, Math.max(w - 0.4, 0.8), h);
    });
    return;
  }
  let last = -10;
  for (let i = 0; i < marks.rows.length; i++) {
    const m = marks.rows[i]!;
    const x = e.x(m.from);
    if (x < -400 || x > e.width) continue;
    if (x - last >= 1) ctx.fillRect(x, y + 4, 1.5, row.height - 8);
    last = x;
    const next = marks.rows[i + 1];
    const room = (next ? e.x(next.from) : e.width) - x - 8;
    if (room < 40) continue;
    const text = fitText(ctx, m.text.slice(0, 120), room);
    if (text) ctx.fillText(text, x + 4, y + row.height / 2 + 0.5);
  }
  if (marks.rows.length < marks.total) label(ctx, `the first ${count(marks.rows.length)} of ${count(marks.total)}: zoom in for all`, e.width - 230, y + row.height / 2, ink);
}

/** Which way to go for what a row has, if that lies beside the view. */
function drawElsewhere(ctx: CanvasRenderingContext2D, e: Engine, row: Row, y: number, ink: Ink): void {
  const life = e.lifeOf(row);
  if (!life) return;
  const v = state.view.value;
  ctx.fillStyle = ink.faint;
  if (life.to < v.from) ctx.fillText("◂", 3, y + row.height / 2);
  else if (life.from > v.to) ctx.fillText("▸", e.width - 12, y + row.height / 2);
}

/** What was not read yet, what is lost, and what lies beyond the trace. */
function drawTimeShades(ctx: CanvasRenderingContext2D, e: Engine, ink: Ink): void {
  const t = state.trace.value!;
  const start = e.x(0);
  const end = e.x(t.duration);
  if (t.done && hasNothing(t)) return;
  ctx.fillStyle = ink.shade;
  // Beside the trace there is nothing, which is said: grey alone looks like something that is missing.
  for (const [a, b, text] of [[0, Math.min(start, e.width), "before the trace"], [Math.max(end, 0), e.width, t.done ? "after the trace" : ""]] as const) {
    if (b <= a) continue;
    ctx.fillStyle = ink.shade;
    ctx.fillRect(a, 0, b - a, e.height);
    ctx.fillStyle = ink.faint;
    ctx.fillRect(a === 0 ? b : a, 0, 1, e.height);
    if (b - a > widthOf(ctx, text) + 20) label(ctx, text, (a + b - widthOf(ctx, text)) / 2, e.height - 14, ink);
  }
  ctx.fillStyle = ink.shade;
  if (!t.done) {
    const x = Math.max(0, e.x(t.indexed));
    if (x < e.width) {
      ctx.fillRect(x, 0, Math.min(e.width, end) - x, e.height);
      label(ctx, "being read …", Math.max(x, 0) + 8, e.height - 14, ink);
    }
  }
  let last = -Infinity;
  for (const l of t.lost) {
    const box = lossBox(l, t.duration, (time) => e.x(time));
    if (box.x1 <= 0 || box.x0 >= e.width) continue;
    drawLoss(ctx, box, e.width, e.height, state.theme.value);
    // Beside what is narrow, and not over the words of the last.
    const text = box.end && box.cap ? "cut off here" : `lost: ${l.what}`;
    const room = box.cap ? 150 : Math.min(e.width, box.x1) - Math.max(0, box.x0) - 14;
    const words = room > 60 ? fitText(ctx, text, room) : "";
    const w = widthOf(ctx, words);
    const x = !box.cap ? Math.max(0, box.x0) + 7 : box.x0 - w - 8 > 0 ? box.x0 - w - 6 : box.x1 + 6;
    if (!words || x < last) continue;
    last = x + w;
    label(ctx, words, x, e.height - 30, { ...ink, faint: LOST[state.theme.value] });
  }
}

function drawSelection(ctx: CanvasRenderingContext2D, e: Engine, ink: Ink): void {
  const s = state.selection.value;
  if (s) {
    const a = e.x(s.from);
    const b = e.x(s.to);
    ctx.fillStyle = ink.select;
    ctx.fillRect(a, 0, b - a, e.height);
    ctx.fillStyle = ink.accent;
    ctx.fillRect(a, 0, 1, e.height);
    ctx.fillRect(b - 1, 0, 1, e.height);
    for (const lane of s.lanes) {
      const p = e.placeOf(lane);
      if (!p) continue;
      ctx.strokeStyle = ink.accent;
      ctx.strokeRect(a + 0.5, p.top + 0.5, b - a - 1, p.height - 1);
    }
  }
  const m = state.measure.value;
  if (!m) return;
  const to = m.to ?? e.time(e.hover.x);
  const a = e.x(Math.min(m.from, to));
  const b = e.x(Math.max(m.from, to));
  const y = e.height - 46;
  ctx.strokeStyle = ink.text;
  ctx.lineWidth = 1;
  ctx.setLineDash([4, 3]);
  for (const x of [a, b]) {
    ctx.beginPath();
    ctx.moveTo(Math.round(x) + 0.5, 0);
    ctx.lineTo(Math.round(x) + 0.5, e.height);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(a, y);
  ctx.lineTo(b, y);
  ctx.stroke();
  const text = duration(Math.abs(to - m.from));
  const w = widthOf(ctx, text);
  const x = Math.min(Math.max((a + b) / 2 - w / 2, 6), e.width - w - 6);
  ctx.fillStyle = ink.text;
  ctx.fillRect(x - 5, y - 9, w + 10, 18);
  ctx.fillStyle = ink.bg;
  ctx.fillText(text, x, y);
}

function drawFocus(ctx: CanvasRenderingContext2D, e: Engine, ink: Ink): void {
  const f = state.focus.value;
  if (!f) return;
  const place = e.placeOf(f.lane);
  if (!place) return;
  const hit = e.scene.at(e.tiles(f.lane), f.time);
  const tile = hit?.entry.tile;
  ctx.strokeStyle = ink.text;
  ctx.lineWidth = 2;
  if (hit && tile?.kind === "spans") {
    const a = Math.max(-4, e.x(tile.begin[hit.index]!));
    const b = Math.min(e.width + 4, Math.max(e.x(tile.end[hit.index]!), a + 3));
    ctx.strokeRect(a, place.top + 1, b - a, place.height - 2);
  } else {
    ctx.strokeRect(e.x(f.time) - 2, place.top + 1, 4, place.height - 2);
  }
}

/** The match that is looked at. */
function drawMatch(ctx: CanvasRenderingContext2D, e: Engine, ink: Ink): void {
  const m = state.matchAt.value;
  if (!m) return;
  const place = e.placeOf(m.lane);
  if (!place) return;
  ctx.strokeStyle = ink.accent;
  ctx.lineWidth = 2;
  const a = e.x(m.from);
  ctx.strokeRect(a - 2, place.top, Math.max(e.x(m.to) - a, 2) + 4, place.height);
}

function drawArrows(ctx: CanvasRenderingContext2D, e: Engine, ink: Ink): void {
  ctx.lineWidth = 1.2;
  let from: { x: number; y: number } | null = null;
  for (const s of e.critical) {
    const place = e.placeOf(`go:${s.go}`);
    if (!place) {
      from = null;
      continue;
    }
    const y = place.top + place.height - 2;
    ctx.strokeStyle = ink.text;
    ctx.lineWidth = 3;
    ctx.beginPath();
    if (from && Math.abs(from.y - y) > 1) {
      ctx.moveTo(from.x, from.y);
      ctx.lineTo(e.x(s.from), y);
    }
    ctx.moveTo(e.x(s.from), y);
    ctx.lineTo(e.x(s.to), y);
    ctx.stroke();
    from = { x: e.x(s.to), y };
  }
  ctx.lineWidth = 1.2;
  for (const a of e.arrows) {
    const x = e.x(a.time);
    if (x < 0 || x > e.width) continue;
    const p = e.placeOf(`go:${a.from}`);
    const q = e.placeOf(`go:${a.to}`);
    if (!q) continue;
    const y1 = q.top + q.height / 2;
    const y0 = p ? p.top + p.height / 2 : y1 - 14;
    ctx.strokeStyle = a.kind === "create" ? ink.accent : ink.text;
    ctx.fillStyle = ctx.strokeStyle;
    ctx.beginPath();
    ctx.moveTo(p ? x : x - 10, y0);
    ctx.lineTo(x, y1);
    ctx.stroke();
    const d = y1 >= y0 ? -5 : 5;
    ctx.beginPath();
    ctx.moveTo(x, y1);
    ctx.lineTo(x - 3, y1 + d);
    ctx.lineTo(x + 3, y1 + d);
    ctx.fill();
  }
}

function drawPointer(ctx: CanvasRenderingContext2D, e: Engine, ink: Ink): void {
  if (!e.hover.on) return;
  ctx.fillStyle = ink.faint;
  ctx.globalAlpha = 0.6;
  ctx.fillRect(Math.round(e.hover.x), 0, 1, e.height);
  ctx.globalAlpha = 1;
}

