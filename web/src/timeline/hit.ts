// What is under the pointer, in words.

import { slotOfGroup } from "../hues.js";
import { slotColour, STATE, STOPPED, STACKED, stateColour } from "../palette.js";
import * as state from "../state.js";
import { NO_LABEL } from "../tiles/decode.js";
import { bytes, count, cut, duration, percent, short } from "../time/format.js";
import { engine, type Tip } from "./instance.js";
import { PLOTS } from "./overlay.js";
import { laneTitle } from "./rows.js";

export function nameOf(lane: string): string {
  if (lane.startsWith("group:")) return state.lanes.value?.groups.find((g) => g.lane === lane)?.function ?? "";
  if (lane.startsWith("region:")) return state.label(Number(lane.slice(7)));
  return engine.data.names.get(lane) ?? "";
}

export function tipAt(x: number, y: number): Tip | null {
  const row = engine.rowAt(y);
  const time = engine.time(x);
  const trace = state.trace.value;
  if (!row || !trace || time < 0 || time > trace.duration) return null;
  const at = { x, y };
  if (row.row?.section.kind === "plot") {
    const lines = PLOTS[row.row.section.key]!.map((p) => {
      const plot = engine.data.plot(p.name).value;
      const v = valueAt(plot, time);
      return { colour: stateColour(p.state, state.theme.value), text: `${p.title} ${plot?.unit === "bytes" ? bytes(v) : count(v)}` };
    });
    return { ...at, title: `${row.row.section.title} at ${state.moment(time, 1e4)}`, lines };
  }
  if (row.row?.section.kind === "marks") {
    const near = ((state.view.value.to - state.view.value.from) / engine.width) * 4;
    const found = engine.data.marks[row.row.section.key]?.value?.rows.filter((m) => Math.abs(m.from - time) < near) ?? [];
    if (found.length === 0) return null;
    return { ...at, title: `${row.row.section.title} at ${state.moment(found[0]!.from, 1e3)}`, lines: found.slice(0, 6).map((m) => ({ colour: null, text: `${m.go === null ? "" : `G${m.go} `}${cut(m.text)}` })) };
  }
  if (!row.lane) return null;
  const hit = engine.scene.at(engine.tiles(row.lane), time);
  if (!hit) return null;
  const title = cut(short(laneTitle(row.lane, nameOf)), 90);
  const tile = hit.entry.tile;
  if (tile.kind === "shares") {
    const n = tile.counts[hit.index]!;
    const lines = [];
    for (const s of STACKED) {
      const share = tile.shares[hit.index * tile.states + s]! / 255;
      if (share > 0) lines.push({ colour: stateColour(s, state.theme.value), text: `${STATE[s]!.name} ${percent(share)}${n > 1 ? ` · ${(share * n).toFixed(1)}` : ""}` });
    }
    if (/^(tasks|regions|region:.*)$/.test(row.lane)) return { ...at, title: `${title} · ${n >= 10 ? count(n) : n.toFixed(2)} under way, on average in ${duration(2 ** hit.entry.level)}`, lines: [] };
    const what = row.lane.startsWith("proc") || row.lane.startsWith("thread") ? `${percent(n)} busy` : `${n >= 10 ? count(n) : n.toFixed(2)} on average`;
    return { ...at, title: `${title} · ${what} in ${duration(2 ** hit.entry.level)}`, lines };
  }
  if (tile.kind === "functions") {
    const found: { group: number; share: number }[] = [];
    for (let k = 0; k < tile.n; k++) if (tile.bin[k] === hit.index) found.push({ group: tile.group[k]!, share: tile.share[k]! });
    const busy = found.reduce((a, f) => a + f.share, 0);
    const lines = found.sort((a, b) => b.share - a.share).slice(0, 8).map((f) => {
      const name = state.lanes.value?.groups.find((g) => g.id === f.group)?.function;
      return { colour: name === undefined ? stateColour(9, state.theme.value) : slotColour(slotOfGroup(f.group), state.theme.value), text: `${name === undefined ? "others" : cut(short(name), 60)} ${percent(f.share)}` };
    });
    return { ...at, title: `${title} · ${percent(busy)} busy in ${duration(2 ** hit.entry.level)}`, lines };
  }
  if (tile.kind !== "spans") return null;
  const i = hit.index;
  const s = tile.state[i]!;
  const label = tile.label[i] === NO_LABEL ? "" : state.label(tile.label[i]);
  const length = duration(tile.end[i]! - tile.begin[i]!);
  const go = tile.go[i]!;
  if (/^(tasks|regions|region:.*)$/.test(row.lane)) {
    const open = [...tile.begin.keys()].filter((k) => k === i || (tile.begin[k]! <= time && tile.end[k]! > time));
    const lines = open.slice(0, 6).map((k) => ({ colour: null, text: `${cut(state.label(tile.label[k]), 60)}${tile.go[k]! >= 0 ? ` of G${tile.go[k]}` : ""} · ${duration(tile.end[k]! - tile.begin[k]!)}` }));
    return { ...at, title: `${title} · ${count(open.length)} under way`, lines };
  }
  if (row.lane === "stw") return { ...at, title: `${title} · ${length}`, lines: [{ colour: stateColour(STOPPED, state.theme.value), text: label ? cut(label) : "no reason given" }, { colour: null, text: `from ${state.moment(tile.begin[i]!, 1e3)}` }] };
  const lines: Tip["lines"] = [{ colour: stateColour(s, state.theme.value), text: `${STATE[s]?.name ?? "?"}${label && !row.lane.startsWith("proc") ? ` · ${cut(label)}` : ""}` }];
  if (row.lane.startsWith("proc") || row.lane.startsWith("thread")) lines.push({ colour: null, text: `${go >= 0 ? `G${go} ` : ""}${cut(short(label))}` });
  lines.push({ colour: null, text: `from ${state.moment(tile.begin[i]!, 1e3)}` });
  return { ...at, title: `${title} · ${length}`, lines };
}

function valueAt(p: { t: number[]; last: number[] } | null, time: number): number | null {
  if (!p || p.t.length === 0) return null;
  let i = p.t.findIndex((t) => t > time);
  i = i < 0 ? p.t.length - 1 : Math.max(0, i - 1);
  return p.last[i]!;
}
