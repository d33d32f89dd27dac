// What tracks there are, and where: sections from top to bottom, each one row or a list of equal
// rows. Lists may have 100,000 rows; only those on the screen are ever made.

import type { Lanes } from "../api.js";
import { count, short } from "../time/format.js";

export type SectionKind = "plot" | "states" | "lane" | "marks" | "header" | "members" | "tasks" | "regions";

export interface Section {
  key: string;
  kind: SectionKind;
  title: string;
  /** The full name, for tooltips and copies. */
  full: string;
  note: string;
  lane: string | null;
  y: number;
  rowHeight: number;
  rows: number;
  depth: number;
  /** `null` if it cannot be opened. */
  open: boolean | null;
  group: number | null;
}

export interface Row {
  section: Section;
  index: number;
  y: number;
  height: number;
}

export interface LayoutInput {
  lanes: Lanes | null;
  /** Sections that are not as they begin. */
  toggled: string[];
  tasks: number;
  regions: number;
  /** Types of regions that are known in the view. */
  regionTypes: number;
  goroutines: number;
  clock: boolean;
  /** All of the trace is known. */
  done: boolean;
}

export interface Layout {
  sections: Section[];
  height: number;
}

export const HEIGHT = { plot: 58, states: 64, group: 26, lane: 22, thin: 18, member: 18, header: 24, marks: 20 };
/** Sections that begin closed. */
const CLOSED = new Set(["threads", "tasks", "regions", "allstates", "counts"]);
/** How many tasks, or types of regions, an open track has: those that matter most in the view. */
export const IN_VIEW = 14;

export function isOpen(key: string, toggled: string[]): boolean {
  const closed = CLOSED.has(key) || key.startsWith("group:");
  return toggled.includes(key) ? closed : !closed;
}

export function layout(input: LayoutInput): Layout {
  const sections: Section[] = [];
  let y = 0;
  const add = (s: Partial<Section> & { key: string; kind: SectionKind; title: string; rowHeight: number }) => {
    const section: Section = { full: s.title, note: "", lane: null, y, rows: 1, depth: 0, open: null, group: null, ...s };
    sections.push(section);
    y += section.rows * section.rowHeight;
    return section;
  };
  const open = (key: string) => isOpen(key, input.toggled);
  const lanes = input.lanes;

  add({ key: "heap", kind: open("heap") ? "plot" : "header", title: "Heap", note: "allocated, goal", rowHeight: open("heap") ? HEIGHT.plot : HEIGHT.header, open: open("heap") });
  add({ key: "counts", kind: open("counts") ? "plot" : "header", title: "Runnable, threads, procs", full: "Goroutines that wait for a proc, threads, and procs, by number", rowHeight: open("counts") ? HEIGHT.plot : HEIGHT.header, open: open("counts") });
  add({ key: "states", kind: open("states") ? "states" : "header", title: "Goroutines at work", full: "Goroutines that run, are runnable, or are in system calls, by number", lane: "all", rowHeight: open("states") ? HEIGHT.states : HEIGHT.header, open: open("states") });
  add({ key: "allstates", kind: open("allstates") ? "states" : "header", title: "All goroutines", full: "All goroutines by state, blocked ones too, by number", lane: "all", rowHeight: open("allstates") ? HEIGHT.states : HEIGHT.header, open: open("allstates") });
  add({ key: "gc", kind: "lane", title: "GC", note: "mark", lane: "gc", rowHeight: HEIGHT.thin });
  add({ key: "stw", kind: "lane", title: "Stop the world", lane: "stw", rowHeight: HEIGHT.thin });
  add({ key: "logs", kind: "marks", title: "Logs", rowHeight: HEIGHT.marks });
  add({ key: "samples", kind: "marks", title: "CPU samples", rowHeight: HEIGHT.marks });

  // What there is nothing of is said to be missing, once that is known.
  const none = (key: string, title: string) => lanes && input.done && add({ key, kind: "header", title, note: "none in this trace", rowHeight: HEIGHT.header });
  const procs = lanes?.procs ?? [];
  if (procs.length === 0) none("procs", "Procs");
  else {
    add({ key: "procs", kind: "header", title: "Procs", note: count(procs.length), rowHeight: HEIGHT.header, open: open("procs") });
    if (open("procs")) for (const p of procs) add({ key: p.lane, kind: "lane", title: `P${p.id}`, lane: p.lane, rowHeight: HEIGHT.lane, depth: 1 });
  }
  const threads = lanes?.threads ?? [];
  if (threads.length === 0) none("threads", "Threads");
  else {
    add({ key: "threads", kind: "header", title: "Threads", note: count(threads.length), rowHeight: HEIGHT.header, open: open("threads") });
    if (open("threads")) for (const t of threads) add({ key: t.lane, kind: "lane", title: `M${t.id}`, lane: t.lane, rowHeight: HEIGHT.thin, depth: 1 });
  }
  if (input.tasks === 0) none("tasks", "Tasks");
  else {
    add({ key: "tasks", kind: "lane", title: "Tasks", full: "Tasks under way, by number", note: count(input.tasks), lane: "tasks", rowHeight: HEIGHT.group, open: open("tasks") });
    if (open("tasks")) add({ key: "tasklist", kind: "tasks", title: "Tasks", rowHeight: HEIGHT.member, rows: Math.min(input.tasks, IN_VIEW), depth: 1 });
  }
  if (input.regions === 0) none("regions", "Regions");
  else {
    add({ key: "regions", kind: "lane", title: "Regions", full: "Regions under way, by number", note: count(input.regions), lane: "regions", rowHeight: HEIGHT.group, open: open("regions") });
    if (open("regions")) add({ key: "regionlist", kind: "regions", title: "Regions", rowHeight: HEIGHT.member, rows: Math.min(input.regionTypes, IN_VIEW), depth: 1 });
  }
  const groups = lanes?.groups ?? [];
  if (groups.length === 0) none("groups", "Goroutines");
  else {
    add({ key: "groups", kind: "header", title: "Goroutines by start function", note: count(groups.length), rowHeight: HEIGHT.header, open: open("groups") });
    if (open("groups")) {
      for (const g of groups) {
        const opened = open(g.lane);
        add({ key: g.lane, kind: "lane", title: short(g.function) || "(unknown function)", full: g.function, note: count(g.count), lane: g.lane, rowHeight: HEIGHT.group, depth: 1, open: opened, group: g.id });
        if (opened) add({ key: `members:${g.id}`, kind: "members", title: g.function, rowHeight: HEIGHT.member, rows: g.count, depth: 2, group: g.id });
      }
    }
  }
  return { sections, height: y };
}

/** The rows that touch a stretch of the layout, into `out`. */
export function rowsIn(layout: Layout, top: number, bottom: number, out: Row[]): Row[] {
  out.length = 0;
  for (const s of layout.sections) {
    const end = s.y + s.rows * s.rowHeight;
    if (end <= top) continue;
    if (s.y >= bottom) break;
    const first = Math.max(0, Math.floor((top - s.y) / s.rowHeight));
    const last = Math.min(s.rows - 1, Math.ceil((bottom - s.y) / s.rowHeight) - 1);
    for (let i = first; i <= last; i++) out.push({ section: s, index: i, y: s.y + i * s.rowHeight, height: s.rowHeight });
  }
  return out;
}

/** What is at the top of the tracks, as the address has it; nothing at their beginning. */
export function topOf(layout: Layout, scroll: number): string | null {
  const s = scroll < 1 ? undefined : layout.sections.find((x) => x.y + x.rows * x.rowHeight > scroll);
  return s ? `${s.key}~${Math.round(scroll - s.y)}` : null;
}

/** How far that is scrolled, or `null` if there is no such section (yet). */
export function yOf(layout: Layout, top: string): number | null {
  if (top === "") return 0;
  const [key, by] = top.split("~");
  const s = layout.sections.find((x) => x.key === key);
  return s ? s.y + Number(by) : null;
}

/** What to call a lane that stands alone, as a pin does. */
export function laneTitle(lane: string, names: (lane: string) => string): string {
  const [kind, id] = lane.split(":");
  const name = names(lane);
  switch (kind) {
    case "all": return "All goroutines";
    case "gc": return "GC";
    case "stw": return "Stop the world";
    case "tasks": return "Tasks";
    case "region": return name || `Regions ${id}`;
    case "go": return name ? `G${id} ${name}` : `G${id}`;
    case "proc": return `P${id}`;
    case "thread": return `M${id}`;
    case "task": return name ? `Task ${id} ${name}` : `Task ${id}`;
    case "regions": return id === undefined ? "Regions" : `Regions of G${id}`;
    default: return name || lane;
  }
}
