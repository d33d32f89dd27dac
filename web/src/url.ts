// The whole view as the part of the address behind `#`, and back. Pure: history is in history.ts.
//
//   #/goroutines/3?v=1200-56000&s=1300-1400&at=go:17@1350&pins=proc:0

import { idOf, type Id } from "./api.js";
import type { View } from "./time/view.js";

export const PAGES = ["timeline", "overview", "goroutines", "tasks", "regions", "latency", "gc", "profiles", "health"] as const;
export type Page = (typeof PAGES)[number];
export type Colour = "state" | "function" | "task";
export type MemberSort = "blocked" | "runnable" | "running" | "syscall" | "start" | "id" | "total";
export const MEMBER_SORTS: MemberSort[] = ["blocked", "runnable", "running", "syscall", "total", "start", "id"];

export interface Range {
  from: number;
  to: number;
}

export interface Selection extends Range {
  /** Only these lanes; all if there are none. */
  lanes: string[];
}

export interface Focus {
  lane: string;
  time: number;
}

export interface Filter {
  /** Ids of states; all if there are none. */
  states: number[];
  function: string;
  label: string;
  stack: string;
  min: number | null;
  max: number | null;
}

/** What a critical path is of: a goroutine, a task, or whoever was last to do something in a time. */
export interface Critical {
  go?: Id;
  task?: Id;
  /** Goroutines and groups: of the one that was last to do something in the time. */
  lanes?: string[];
  from?: number;
  to?: number;
}

export interface UrlState {
  page: Page;
  /** What the page is about: a group, a goroutine, a task, the kind of a profile. */
  args: string[];
  view: View | null;
  selection: Selection | null;
  focus: Focus | null;
  filter: Filter | null;
  colour: Colour;
  clock: boolean;
  activeOnly: boolean;
  pins: string[];
  /** Sections that are open though they begin closed, and the other way round. */
  toggled: string[];
  memberSort: MemberSort;
  critical: Critical | null;
  /** The section at the top of the tracks, and how many pixels of it are above: `group:5~18`. */
  top: string | null;
  measure: Range | null;
  /** How the tables and plots of a page are set: what they are sorted and filtered by. */
  options: Record<string, string>;
}

export function initial(): UrlState {
  return {
    page: "timeline", args: [], view: null, selection: null, focus: null, filter: null, colour: "state", clock: false, activeOnly: false,
    pins: [], toggled: [], memberSort: "blocked", critical: null, top: null, measure: null, options: {},
  };
}

const part = (s: string) => encodeURIComponent(s).replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%40", "@").replaceAll("%2F", "/");
const range = (r: Range) => `${Math.round(r.from)}-${Math.round(r.to)}`;

function parseRange(s: string | undefined): Range | null {
  const m = /^(-?\d{1,19})-(-?\d{1,19})$/.exec(s ?? "");
  if (!m) return null;
  const from = Number(m[1]);
  const to = Number(m[2]);
  return to > from ? { from, to } : null;
}

/** Lanes are named by the address, which anyone can write: only what can be a lane is one. */
export function isLane(s: string): boolean {
  return /^(all|gc|stw|tasks|regions|(group|go|proc|thread|task|regions|region):-?\d{1,20})$/.test(s);
}

export function encode(s: UrlState): string {
  const q: string[] = [];
  if (s.view) q.push(`v=${range(s.view)}`);
  if (s.selection) q.push(`s=${range(s.selection)}`);
  if (s.selection && s.selection.lanes.length > 0) q.push(`sl=${part(s.selection.lanes.join(","))}`);
  if (s.focus) q.push(`at=${part(`${s.focus.lane}@${Math.round(s.focus.time)}`)}`);
  if (s.filter) {
    const f = s.filter;
    if (f.states.length > 0) q.push(`fs=${f.states.join(",")}`);
    if (f.function) q.push(`ff=${part(f.function)}`);
    if (f.label) q.push(`fl=${part(f.label)}`);
    if (f.stack) q.push(`fk=${part(f.stack)}`);
    if (f.min !== null) q.push(`fmin=${f.min}`);
    if (f.max !== null) q.push(`fmax=${f.max}`);
  }
  if (s.colour !== "state") q.push(`c=${s.colour}`);
  if (s.clock) q.push("clock=1");
  if (s.activeOnly) q.push("active=1");
  if (s.pins.length > 0) q.push(`pins=${part(s.pins.join(","))}`);
  if (s.toggled.length > 0) q.push(`open=${part(s.toggled.join(","))}`);
  if (s.memberSort !== "blocked") q.push(`sort=${s.memberSort}`);
  if (s.critical) {
    const c = s.critical;
    const of = c.go !== undefined ? `go:${c.go}` : c.task !== undefined ? `task:${c.task}` : c.lanes?.length ? part(c.lanes.join(",")) : "all";
    q.push(`why=${of}${c.from !== undefined && c.to !== undefined ? `@${range({ from: c.from, to: c.to })}` : ""}`);
  }
  if (s.top) q.push(`top=${part(s.top)}`);
  if (s.measure) q.push(`m=${range(s.measure)}`);
  for (const [k, v] of Object.entries(s.options)) q.push(`o.${part(k)}=${part(v)}`);
  const path = ["", s.page, ...s.args.map((a) => encodeURIComponent(a))].join("/");
  return `#${path}${q.length > 0 ? `?${q.join("&")}` : ""}`;
}

export function decode(hash: string): UrlState {
  const s = initial();
  const text = hash.replace(/^#/, "");
  const mark = text.indexOf("?");
  const path = (mark < 0 ? text : text.slice(0, mark)).split("/").filter(Boolean);
  const q = new Map<string, string>();
  for (const pair of mark < 0 ? [] : text.slice(mark + 1).split("&")) {
    const eq = pair.indexOf("=");
    if (eq > 0) q.set(unescape(pair.slice(0, eq)), unescape(pair.slice(eq + 1)));
  }
  const page = path[0] as Page;
  if (PAGES.includes(page)) s.page = page;
  s.args = path.slice(1).map(unescape);
  s.view = parseRange(q.get("v"));
  const selected = parseRange(q.get("s"));
  if (selected) s.selection = { ...selected, lanes: (q.get("sl") ?? "").split(",").filter(isLane) };
  const at = /^(.+)@(-?\d{1,19})$/.exec(q.get("at") ?? "");
  if (at && isLane(at[1]!)) s.focus = { lane: at[1]!, time: Number(at[2]) };
  s.filter = parseFilter(q);
  const c = q.get("c");
  if (c === "function" || c === "task") s.colour = c;
  s.clock = q.get("clock") === "1";
  s.activeOnly = q.get("active") === "1";
  s.pins = (q.get("pins") ?? "").split(",").filter(isLane);
  s.toggled = (q.get("open") ?? "").split(",").filter(Boolean);
  const sort = q.get("sort") as MemberSort;
  if (MEMBER_SORTS.includes(sort)) s.memberSort = sort;
  s.critical = parseCritical(q.get("why") ?? "");
  s.top = /^[a-z]+(:\d{1,20})?~\d{1,9}$/.test(q.get("top") ?? "") ? q.get("top")! : null;
  s.measure = parseRange(q.get("m"));
  for (const [k, v] of q) if (k.startsWith("o.")) s.options[k.slice(2)] = v;
  return s;
}

function parseCritical(text: string): Critical | null {
  const m = /^(all|(go|task):(\d{1,20}))(?:@(.+))?$/.exec(text);
  if (!m) {
    const [names, when] = text.split("@") as [string, string | undefined];
    const lanes = names.split(",");
    const range = parseRange(when);
    return range && lanes.every(isLane) ? { lanes, ...range } : null;
  }
  const time = parseRange(m[4]);
  if (m[1] === "all" && !time) return null;
  return { ...(m[2] === "go" ? { go: idOf(m[3]!) } : m[2] === "task" ? { task: idOf(m[3]!) } : {}), ...(time ?? {}) };
}

function unescape(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

function parseFilter(q: Map<string, string>): Filter | null {
  const number = (k: string) => (/^\d{1,19}$/.test(q.get(k) ?? "") ? Number(q.get(k)) : null);
  const f: Filter = {
    states: (q.get("fs") ?? "").split(",").filter((x) => /^\d{1,2}$/.test(x)).map(Number),
    function: q.get("ff") ?? "", label: q.get("fl") ?? "", stack: q.get("fk") ?? "", min: number("fmin"), max: number("fmax"),
  };
  return isEmpty(f) ? null : f;
}

export function isEmpty(f: Filter): boolean {
  return f.states.length === 0 && !f.function && !f.label && !f.stack && f.min === null && f.max === null;
}
