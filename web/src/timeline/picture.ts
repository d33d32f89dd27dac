// The timeline as a picture, with its names and its time axis, to put into a report.

import { traceName } from "../api.js";
import * as state from "../state.js";
import { cut, duration, short } from "../time/format.js";
import { PIN_HEIGHT } from "./engine.js";
import { nameOf } from "./hit.js";
import { engine } from "./instance.js";
import { laneTitle } from "./rows.js";

const NAMES = 250;
const HEAD = 50;
const FONT = "ui-sans-serif, system-ui, sans-serif";

export async function picture(): Promise<Blob> {
  const ratio = devicePixelRatio || 1;
  const lanes = engine.compose();
  const ruler = document.querySelector<HTMLCanvasElement>(".ruler");
  const css = getComputedStyle(document.documentElement);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const out = document.createElement("canvas");
  out.width = lanes.width + NAMES * ratio;
  out.height = lanes.height + HEAD * ratio;
  const c = out.getContext("2d")!;
  c.scale(ratio, ratio);
  c.fillStyle = colour("--bg");
  c.fillRect(0, 0, out.width, out.height);
  c.textBaseline = "middle";
  c.fillStyle = colour("--text");
  c.font = `600 12px ${FONT}`;
  const t = state.trace.value;
  const v = state.view.value;
  c.fillText(`${cut(t ? traceName(t) : "", 80)} · ${duration(t?.duration)} · ${state.moment(Math.max(0, v.from), 1e4)} to ${state.moment(v.to, 1e4)}`, 8, 13);
  const text = (name: string, y: number, indent: number) => {
    c.save();
    c.beginPath();
    c.rect(0, HEAD, NAMES - 6, engine.height);
    c.clip();
    c.fillText(name, 8 + indent, y);
    c.restore();
  };
  c.font = `12px ${FONT}`;
  const pins = engine.pinned;
  state.pins.value.slice(0, Math.floor(pins / PIN_HEIGHT)).forEach((lane, i) => text(cut(laneTitle(lane, (l) => short(nameOf(l))), 60), HEAD + (i + 0.5) * PIN_HEIGHT, 0));
  for (const row of engine.rows.value) {
    const y = row.y - engine.scrollTop + pins + row.height / 2;
    if (y < pins + 6) continue;
    const item = row.section.kind === "members" || row.section.kind === "tasks" || row.section.kind === "regions";
    const lane = item ? engine.laneOf(row) : null;
    text(item ? (lane ? laneTitle(lane, () => "") : "…") : cut(row.section.title, 60), HEAD + y, row.section.depth * 12);
  }
  c.setTransform(1, 0, 0, 1, 0, 0);
  if (ruler) c.drawImage(ruler, NAMES * ratio, 24 * ratio);
  c.drawImage(lanes, NAMES * ratio, HEAD * ratio);
  return await new Promise((resolve, reject) => out.toBlob((b) => (b ? resolve(b) : reject(new Error("The browser makes no picture."))), "image/png"));
}
