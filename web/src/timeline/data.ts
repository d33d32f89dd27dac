// What rows of the timeline show besides tiles: pages of long lists, plots, marks.

import { get, type Marks, type Member, type Page, type Plot, type RegionType, type Task } from "../api.js";
import { untracked } from "@preact/signals";
import { duration } from "../state.js";
import type { View } from "../time/view.js";
import { IN_VIEW } from "./rows.js";

const PAGE = 200;

/** A long list of which pages are fetched as they are looked at. */
export class Paged<T> {
  total = 0;
  private pages = new Map<number, T[] | null>();
  private generation = 0;

  constructor(private path: string, private query: Record<string, string | number>, private changed: () => void, private each: (row: T) => void = () => {}) {}

  at(index: number): T | undefined {
    const page = Math.floor(index / PAGE);
    const rows = this.pages.get(page);
    if (rows === undefined) void this.fetch(page);
    return rows?.[index - page * PAGE];
  }

  /** Forgets all: the order is another one, or there is more. */
  reset(query?: Record<string, string | number>): void {
    if (query) this.query = query;
    this.generation++;
    this.pages.clear();
    this.changed();
  }

  private async fetch(page: number): Promise<void> {
    this.pages.set(page, null);
    const generation = this.generation;
    try {
      const answer = await get<Page<T>>(this.path, { ...this.query, offset: page * PAGE, limit: PAGE });
      if (generation !== this.generation) return;
      answer.rows.forEach(this.each);
      this.total = answer.total;
      this.pages.set(page, answer.rows);
    } catch {
      setTimeout(() => generation === this.generation && this.pages.delete(page), 2000);
    }
    this.changed();
  }
}

/** Something that depends on what part of the trace is looked at: fetched for the view and as much
 * again at both ends, and again when the view leaves that or is much narrower. */
export class Ranged<T> {
  value: T | null = null;
  private got: View | null = null;
  private asked: View | null = null;
  private timer = 0;
  private stale = false;

  /** `air` is how many views more are fetched on each side; without any it is what is in the view. */
  constructor(private fetcher: (view: View) => Promise<T>, private changed: () => void, private air = 1) {}

  /** The indexed part grew. */
  refresh(): void {
    this.stale = true;
  }

  want(view: View): T | null {
    const got = this.got;
    const width = view.to - view.from;
    const fits = got && (this.air === 0 ? got.from === view.from && got.to === view.to : got.from <= view.from && got.to >= view.to && (got.to - got.from) / width < 8);
    const enough = fits && !this.stale;
    if (!enough && this.timer === 0) this.timer = setTimeout(() => this.ask(view), got ? 120 : 0) as unknown as number;
    this.asked = view;
    return this.value;
  }

  private async ask(view: View): Promise<void> {
    const v = this.asked ?? view;
    const width = v.to - v.from;
    const range = { from: v.from - width * this.air, to: v.to + width * this.air };
    this.stale = false;
    try {
      this.value = await this.fetcher({ from: Math.max(0, range.from), to: Math.min(range.to, untracked(() => duration.value)) });
      this.got = range;
      this.timer = 0;
      this.changed();
    } catch {
      this.timer = setTimeout(() => (this.timer = 0), 2000) as unknown as number;
    }
  }
}

export class TimelineData {
  private groups = new Map<number, Paged<Member>>();
  /** Tasks and types of regions under way in the view: what takes most of it first. */
  readonly tasks: Ranged<Page<Task>>;
  readonly regions: Ranged<Page<RegionType>>;
  /** Names of lanes of goroutines and tasks that were seen. */
  readonly names = new Map<string, string>();
  /** The goroutines that worked for a task that was seen, as lanes. */
  readonly workers = new Map<string, string[]>();
  private unknown = new Set<string>();
  private plots = new Map<string, Ranged<Plot>>();
  readonly marks: Record<string, Ranged<Marks>>;

  constructor(private changed: () => void, private sort: () => string) {
    this.tasks = new Ranged(async (v) => {
      const order = this.sort();
      const page = await get<Page<Task>>("tasks", { from: v.from, to: v.to, sort: order === "start" ? "begin" : order === "id" ? "id" : "duration", limit: IN_VIEW });
      page.rows.forEach((t) => this.learnTask(t));
      return page;
    }, changed, 0);
    this.regions = new Ranged(async (v) => {
      const page = await get<Page<RegionType>>("regions", { from: v.from, to: v.to, limit: IN_VIEW });
      page.rows.forEach((r) => this.names.set(r.lane, r.name));
      return page;
    }, changed, 0);
    const marks = (kind: string) => new Ranged(async (v) => ({ ...(await get<Marks>("marks", { kind, from: v.from, to: v.to, limit: 2000 })), from: v.from, to: v.to }), changed);
    this.marks = { logs: marks("logs"), samples: marks("samples") };
  }

  private learnTask(t: Task): void {
    this.names.set(t.lane, t.name);
    this.workers.set(t.lane, t.goroutines.slice(0, 64).map((go) => `go:${go}`));
  }

  plot(name: string): Ranged<Plot> {
    let plot = this.plots.get(name);
    if (!plot) this.plots.set(name, (plot = new Ranged((v) => get<Plot>("plot", { name, from: v.from, to: v.to, points: 1500 }), this.changed)));
    return plot;
  }

  members(group: number): Paged<Member> {
    let list = this.groups.get(group);
    if (!list) {
      list = new Paged<Member>("members", { group, sort: this.sort() }, this.changed, (m) => this.names.set(m.lane, m.function));
      this.groups.set(group, list);
    }
    return list;
  }

  /** The name of a lane that was in no list yet: that of a pin from a link. Asked for once. */
  learn(lane: string): void {
    const [kind, id] = lane.split(":") as [string, string | undefined];
    if ((kind !== "go" && kind !== "task") || !id || this.names.has(lane) || this.unknown.has(lane)) return;
    this.unknown.add(lane);
    const ask = kind === "go" ? get<Page<Member>>("members", { q: `G${id}`, sort: "id", limit: 50 }) : get<Page<Task>>("tasks", { q: id, sort: "id", limit: 50 });
    ask.then((page) => {
      const row = page.rows.find((r) => r.lane === lane);
      if (!row) return;
      if ("function" in row) this.names.set(lane, row.function);
      else this.learnTask(row);
      this.changed();
    }, () => {});
  }

  /** Another order, or more of the trace is known. */
  reset(): void {
    for (const [group, list] of this.groups) list.reset({ group, sort: this.sort() });
    this.tasks.refresh();
    this.regions.refresh();
  }

  refresh(): void {
    for (const p of this.plots.values()) p.refresh();
    for (const m of Object.values(this.marks)) m.refresh();
  }
}
