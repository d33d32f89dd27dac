// Runs the timeline: knows the rows on the screen, asks for their tiles, and draws when something
// changed. Pixels are CSS pixels of the canvas, whose left edge is the beginning of the view.

import { effect, signal, untracked } from "@preact/signals";
import type { Arrow, Step } from "../api.js";
import * as state from "../state.js";
import type { LaneCache } from "../tiles/cache.js";
import { BY_FUNCTION, TileClient } from "../tiles/client.js";
import { between, type View } from "../time/view.js";
import { taskOf } from "../tasks.js";
import { TimelineData } from "./data.js";
import { GlRenderer } from "./gl.js";
import { drawOverlay } from "./overlay.js";
import { PixelRenderer } from "./pixels.js";
import { slotOf } from "../palette.js";
import { MODE_COUNTS, MODE_WORKING, type Renderer } from "./render.js";
import { groupOfName, slotOfGroup, slotOfTask } from "../hues.js";
import { legendOf, type OnScreen } from "./used.js";
import { Filtering } from "./filtering.js";
import { HEIGHT, layout, topOf, yOf, rowsIn, type Layout, type Row } from "./rows.js";
import { Scene, styleOf, type LaneStyle } from "./scene.js";

export const PIN_HEIGHT = HEIGHT.lane;
const NO_FILTER = { keeps: null, keepsShares: null, keepsGroup: null, matched: null };

export class Engine {
  readonly client = new TileClient();
  readonly data: TimelineData;
  readonly rows = signal<Row[]>([]);
  readonly layout = signal<Layout>({ sections: [], height: 0 });
  /** Grows when names of rows arrived. */
  readonly arrived = signal(0);
  readonly hover: { x: number; y: number; on: boolean } = { x: 0, y: 0, on: false };
  /** Lanes on the screen that have nothing in the view. */
  readonly blank = new Set<string>();
  readonly filtering: Filtering;
  /** What the legend is about. */
  readonly onScreen = signal<OnScreen>({ groups: [], more: 0, tasks: [], states: [], pale: false });
  /** Types of regions in the view; rows below do not move up while one looks elsewhere. */
  private readonly regionTypes = signal(1);
  private usedTimer = 0;
  arrows: Arrow[] = [];
  critical: Step[] = [];
  scene!: Scene;
  width = 100;
  height = 100;
  scrollTop = 0;
  rendererName = "";
  private canvas!: HTMLCanvasElement;
  private over!: HTMLCanvasElement;
  private ctx: CanvasRenderingContext2D | null = null;
  private dirty = 0; // 1: only the overlay, 2: everything
  private frame = 0;
  private visible: Row[] = [];
  private stop: (() => void)[] = [];
  private animation: { from: View; to: View; start: number } | null = null;
  private lastWanted = "";
  private passing = "";
  /** Milliseconds of the last frames, for those who measure. */
  readonly frames = new Float64Array(240);
  frameCount = 0;

  constructor() {
    this.data = new TimelineData(() => {
      this.arrived.value++;
      this.regionTypes.value = Math.max(untracked(() => this.regionTypes.value), this.data.regions.value?.rows.length ?? 0);
      this.invalidate();
    }, () => untracked(() => state.memberSort.value));
    this.filtering = new Filtering(this.data, () => this.invalidate());
    this.client.onTile = () => this.invalidate();
    this.client.onError = (m) => (state.tileProblem.value = m);
  }

  mount(canvas: HTMLCanvasElement, over: HTMLCanvasElement): () => void {
    this.canvas = canvas;
    this.over = over;
    // `?draw=pixels` and `?draw=webgl` are for tests, and for whom the choice is wrong.
    const wanted = new URLSearchParams(location.search).get("draw");
    const make = () => (wanted === "pixels" ? null : GlRenderer.make(canvas, wanted === "webgl"));
    const gl = make();
    let renderer: Renderer = gl ?? new PixelRenderer(canvas);
    // Without a graphics card, a canvas that lies in memory is the faster one.
    this.ctx = over.getContext("2d", { willReadFrequently: gl === null });
    this.rendererName = renderer.name;
    this.scene = new Scene(this.client.cache, renderer);
    this.client.cache.onEvict = (e) => renderer.forget(e);
    this.forgetTextures();
    const lost = (e: Event) => e.preventDefault();
    const restored = () => {
      renderer = make() ?? renderer;
      this.scene.renderer = renderer;
      this.forgetTextures();
      this.invalidate();
    };
    canvas.addEventListener("webglcontextlost", lost);
    canvas.addEventListener("webglcontextrestored", restored);
    this.stop = [
      () => {
        canvas.removeEventListener("webglcontextlost", lost);
        canvas.removeEventListener("webglcontextrestored", restored);
        renderer.dispose();
        this.ctx = null;
      },
      effect(() => {
        const trace = state.trace.value;
        this.layout.value = layout({ lanes: state.lanes.value, toggled: state.toggled.value, tasks: trace?.tasks ?? 0, regions: trace?.regions ?? 0, regionTypes: this.regionTypes.value, goroutines: trace?.goroutines ?? 0, clock: state.clockMode.value, done: trace?.done ?? false });
        this.invalidate();
      }),
      effect(() => {
        void [state.view.value, state.selection.value, state.focus.value, state.theme.value, state.clockMode.value, state.colour.value, state.activeOnly.value, state.pins.value, state.filter.value, state.labelsKnown.value, state.matches.value, state.matchAt.value];
        this.invalidate();
      }),
      effect(() => {
        // Again when more is known: a goroutine may come late in the trace.
        void state.trace.value?.done;
        for (const lane of state.pins.value) this.data.learn(lane);
      }),
      effect(() => this.goToTop()),
      effect(() => {
        void state.trace.value?.done;
        this.filtering.set(state.filter.value);
      }),
      effect(() => {
        void state.measure.value;
        this.invalidate(true);
      }),
      effect(() => {
        void state.memberSort.value;
        untracked(() => this.data.reset());
      }),
      effect(() => {
        const trace = state.trace.value;
        void trace?.indexed;
        this.data.refresh();
        if (trace?.done) untracked(() => this.data.reset());
        this.invalidate();
      }),
    ];
    this.invalidate();
    return () => {
      this.stop.forEach((f) => f());
      cancelAnimationFrame(this.frame);
      this.frame = 0;
    };
  }

  private forgetTextures(): void {
    for (const lane of this.client.cache.lanes.values()) for (const e of lane.tiles.values()) e.slot = -1;
  }

  resize(width: number, height: number): void {
    this.width = Math.max(50, width);
    const place = state.focus.value && height < this.height ? this.placeOf(state.focus.value.lane) : null;
    this.height = Math.max(30, height);
    // What was clicked stays in sight when the details take their place.
    if (place && place.top >= this.pinned && place.top + place.height > this.height) this.scrollTo(this.scrollTop + place.top + place.height - this.height + 8);
    this.invalidate();
  }

  scroll(top: number): void {
    this.scrollTop = top;
    if (!state.wantedTop.peek()) state.top.value = topOf(this.layout.peek(), top);
    this.invalidate();
  }

  /** Goes to where a link or Back wants the tracks to be, once that place is known. */
  private goToTop(): void {
    const wanted = state.wantedTop.value;
    const y = wanted === null ? null : yOf(this.layout.value, wanted);
    if (y === null) {
      if (wanted !== null && state.trace.value?.done && state.lanes.value) state.wantedTop.value = null;
      return;
    }
    // The rows get their height first.
    requestAnimationFrame(() => {
      state.wantedTop.value = null;
      this.scrollTo(y);
    });
  }

  /** The pins take at most 45% of the height. */
  get pinned(): number {
    return Math.min(state.pins.value.length * PIN_HEIGHT, Math.floor((this.height * 0.45) / PIN_HEIGHT) * PIN_HEIGHT);
  }

  invalidate(onlyOverlay = false): void {
    this.dirty = Math.max(this.dirty, onlyOverlay ? 1 : 2);
    if (this.frame === 0) this.frame = requestAnimationFrame((t) => this.draw(t));
  }

  time(x: number): number {
    const v = state.view.value;
    return v.from + (x / this.width) * (v.to - v.from);
  }

  x(t: number): number {
    const v = state.view.value;
    return ((t - v.from) / (v.to - v.from)) * this.width;
  }

  /** Moves the view over a few frames, so that the eye can follow. */
  glide(to: View): void {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return state.setView(to);
    const from = this.animation ? between(this.animation.from, this.animation.to, 1) : state.view.value;
    this.animation = { from: this.animation ? state.view.value : from, to, start: performance.now() };
    this.invalidate();
  }

  /** Where the animation is going, or the view. */
  get target(): View {
    return this.animation?.to ?? state.view.value;
  }

  halt(): void {
    this.animation = null;
  }

  laneOf(row: Row): string | null {
    const s = row.section;
    if (s.kind === "members") return this.data.members(s.group!).at(row.index)?.lane ?? null;
    if (s.kind === "tasks") return this.data.tasks.value?.rows[row.index]?.lane ?? null;
    if (s.kind === "regions") return this.data.regions.value?.rows[row.index]?.lane ?? null;
    return s.lane;
  }

  /** From when to when the goroutine or task of a row lived, as far as it is known. */
  lifeOf(row: Row): View | null {
    const s = row.section;
    if (s.kind === "members") {
      const m = this.data.members(s.group!).at(row.index);
      return m ? { from: m.created ?? 0, to: m.ended ?? state.duration.value } : null;
    }
    const t = s.kind === "tasks" ? this.data.tasks.value?.rows[row.index] : undefined;
    return t ? { from: t.begin ?? 0, to: t.end ?? state.duration.value } : null;
  }

  /** How a lane is drawn: a goroutine has the colour of its function, a task its own. */
  private styleOf(lane: string): LaneStyle {
    const id = lane.slice(lane.indexOf(":") + 1);
    const group = lane.startsWith("go:") ? groupOfName(this.data.names.get(lane) ?? "") : Number(id) || 0;
    const slot = lane.startsWith("region:") ? slotOf(group) : lane.startsWith("task:") ? slotOfTask(id) : group < 0 ? 0 : slotOfGroup(group);
    return styleOf(lane, state.activeOnly.value, slot, group);
  }

  /** The tiles of a lane: those of procs and threads are others where they are coloured by function. */
  tiles(lane: string): LaneCache {
    const by = state.colour.value === "function" && /^(proc|thread):/.test(lane);
    return this.scene.cache.lane(by ? lane + BY_FUNCTION : lane);
  }

  /** The row at a height of the canvas. */
  rowAt(y: number): { lane: string | null; row: Row | null; top: number; height: number } | null {
    const pins = this.pinned;
    if (y < pins) {
      const i = Math.floor(y / PIN_HEIGHT);
      return { lane: state.pins.value[i] ?? null, row: null, top: i * PIN_HEIGHT, height: PIN_HEIGHT };
    }
    for (const row of this.visible) {
      const top = row.y - this.scrollTop + pins;
      if (y >= top && y < top + row.height) return { lane: this.laneOf(row), row, top, height: row.height };
    }
    return null;
  }

  /** The lanes of the rows between two heights, from the first to the second; `null` where a row has none. */
  lanesBetween(y0: number, y1: number): (string | null)[] {
    const rows: { lane: string | null; top: number; height: number }[] = [];
    for (let i = 0; i * PIN_HEIGHT < this.pinned; i++) rows.push({ lane: state.pins.value[i] ?? null, top: i * PIN_HEIGHT, height: PIN_HEIGHT });
    for (const row of this.visible) rows.push({ lane: row.section.kind === "header" ? null : this.laneOf(row), top: row.y - this.scrollTop + this.pinned, height: row.height });
    const [low, high] = [Math.min(y0, y1), Math.max(y0, y1)];
    const lanes = rows.filter((r) => r.top < high && r.top + r.height > low).map((r) => r.lane);
    return y1 < y0 ? lanes.reverse() : lanes;
  }

  /** Where a lane is on the screen, or `null`. */
  placeOf(lane: string): { top: number; height: number } | null {
    const pin = state.pins.value.indexOf(lane);
    if (pin >= 0 && (pin + 1) * PIN_HEIGHT <= this.pinned) return { top: pin * PIN_HEIGHT, height: PIN_HEIGHT };
    for (const row of this.visible) {
      if (row.section.kind !== "header" && this.laneOf(row) === lane) return { top: row.y - this.scrollTop + this.pinned, height: row.height };
    }
    return null;
  }

  private draw(now: number): void {
    this.frame = 0;
    if (!this.ctx) return;
    const began = performance.now();
    const what = this.dirty;
    this.dirty = 0;
    if (this.animation) {
      const k = Math.min(1, (now - this.animation.start) / 130);
      state.setView(between(this.animation.from, this.animation.to, 1 - (1 - k) ** 3));
      if (k >= 1) this.animation = null;
      this.invalidate();
    }
    const ratio = devicePixelRatio || 1;
    if (what >= 2) this.drawScene(began, ratio);
    const w = Math.round(this.width * ratio);
    const h = Math.round(this.height * ratio);
    if (this.over.width !== w || this.over.height !== h) {
      this.over.width = w;
      this.over.height = h;
    }
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawOverlay(this.ctx, this, this.visible);
    this.frames[this.frameCount++ % this.frames.length] = performance.now() - began;
  }

  private drawScene(now: number, ratio: number): void {
    const pins = this.pinned;
    rowsIn(this.layout.value, this.scrollTop, this.scrollTop + this.height - pins, this.visible);
    this.publishRows();
    const trace = state.trace.value;
    const scene = this.scene;
    const r = scene.renderer;
    r.begin(this.width, this.height, ratio, state.theme.value);
    this.blank.clear();
    if (!trace || trace.duration <= 0) return r.end();
    scene.begin({
      view: state.view.value, width: this.width, duration: trace.duration, theme: state.theme.value, colour: state.colour.value, now,
      ...(state.filter.value ? this.filtering : NO_FILTER), taskOf, labelText: state.shortLabel, labelFull: state.label,
    });
    const lanes: string[] = [];
    r.clip(pins, this.height);
    for (const row of this.visible) {
      if (row.section.kind === "header" || row.section.kind === "plot" || row.section.kind === "marks") continue;
      const lane = this.laneOf(row);
      if (!lane) continue;
      lanes.push(lane);
      const y = row.y - this.scrollTop + pins;
      if (row.section.kind === "states") {
        if (!scene.lane(scene.cache.lane(lane), y + 4, row.height - 8, { kind: "group", slot: 0, group: -1, plain: true, mode: row.section.key === "states" ? MODE_WORKING : MODE_COUNTS })) this.blank.add(lane);
      } else if (!scene.lane(this.tiles(lane), y + 2, row.height - 4, this.styleOf(lane))) {
        this.blank.add(lane);
      }
    }
    r.clip(0, pins);
    for (let i = 0; i * PIN_HEIGHT < pins; i++) {
      const lane = state.pins.value[i]!;
      lanes.push(lane);
      if (!scene.lane(this.tiles(lane), i * PIN_HEIGHT + 2, PIN_HEIGHT - 4, this.styleOf(lane))) this.blank.add(lane);
    }
    r.end();
    this.publishUsed();
    if (this.visible.some((row) => row.section.kind === "tasks")) this.data.tasks.want(state.view.value);
    if (this.visible.some((row) => row.section.kind === "regions")) this.data.regions.want(state.view.value);
    this.filtering.want(state.view.value);
    this.wantTiles(lanes.map((l) => this.tiles(l).id));
  }

  private publishUsed(): void {
    if (this.usedTimer !== 0) return;
    // While someone zooms, the legend does not flicker.
    this.usedTimer = setTimeout(() => {
      this.usedTimer = 0;
      const order = new Map((state.lanes.peek()?.groups ?? []).map((g, i) => [g.id, i]));
      const next = legendOf(this.scene.used, (g) => order.get(g) ?? Infinity);
      if (JSON.stringify(next) !== JSON.stringify(this.onScreen.peek())) this.onScreen.value = next;
    }, 120) as unknown as number;
  }

  private wantTiles(lanes: string[]): void {
    const v = state.view.value;
    const key = `${v.from} ${v.to} ${this.width} ${lanes.join()} ${state.trace.value?.done}`;
    if (key === this.lastWanted) return;
    this.lastWanted = key;
    this.client.want({ view: v, nsPerPixel: (v.to - v.from) / this.width, duration: state.duration.value, lanes: [...new Set(lanes)] });
  }

  private publishRows(): void {
    const old = this.rows.value;
    const now = this.visible;
    if (old.length === now.length && old.every((r, i) => r.section === now[i]!.section && r.index === now[i]!.index)) return;
    this.rows.value = now.slice();
  }

  /** Scrolls so that a lane can be seen; pins it if it is in a closed or long list. A passing one
   * takes the place of the last that was. */
  show(lane: string, passing = false): void {
    if (this.placeOf(lane)) return;
    const section = this.layout.value.sections.find((s) => s.lane === lane && s.kind !== "header");
    if (section) {
      this.scrollTo(Math.max(0, section.y - this.height / 3));
      return;
    }
    const others = passing ? state.pins.value.filter((l) => l !== this.passing) : state.pins.value;
    if (passing) this.passing = lane;
    // The newest first, and not without end.
    state.pins.value = [lane, ...others].slice(0, 12);
  }

  scrollTo: (top: number) => void = (top) => this.scroll(top);

  /** The lanes as they are drawn, as one canvas. */
  compose(): HTMLCanvasElement {
    this.drawScene(performance.now(), devicePixelRatio || 1);
    const out = document.createElement("canvas");
    out.width = this.over.width;
    out.height = this.over.height;
    const c = out.getContext("2d")!;
    c.drawImage(this.canvas, 0, 0);
    c.drawImage(this.over, 0, 0);
    return out;
  }
}
