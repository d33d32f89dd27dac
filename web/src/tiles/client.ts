// Asks for the tiles that are on the screen: lanes of one tile in one request, what is nearest to
// the middle first, a few requests at a time, and what scrolled away is aborted.

import type { View } from "../time/view.js";
import { TileCache } from "./cache.js";
import { decodeTile } from "./decode.js";
import { levelFor, nearestFirst, tilesOf, topLevel } from "./plan.js";

export interface Wanted {
  view: View;
  nsPerPixel: number;
  duration: number;
  /** Lanes on the screen, most wanted first. */
  lanes: string[];
}

interface Running {
  level: number;
  index: number;
  lanes: string[];
  abort: AbortController;
}

export interface Batch {
  level: number;
  index: number;
  lanes: string[];
}

// Browsers have six connections to a server, and the other questions need some.
const AT_ONCE = 4;
const LANES_A_REQUEST = 48;
const RETRY_MS = 700;

/** Behind the name of a lane of a proc or a thread: its tiles by function. */
export const BY_FUNCTION = "~f";

export function tileUrl({ level, index, lanes }: Batch): string {
  const by = lanes[0]!.endsWith(BY_FUNCTION);
  const names = lanes.map((l) => encodeURIComponent(by ? l.slice(0, -BY_FUNCTION.length) : l)).join(",").replaceAll("%3A", ":");
  return `/api/tile?level=${level}&index=${index}&lanes=${names}${by ? "&colour=function" : ""}`;
}

/** What to ask for next, most urgent first. `busy` are keys `lane level index` under way. */
export function plan(wanted: Wanted, cache: TileCache, busy: Set<string>, now: number): Batch[] {
  const top = topLevel(wanted.duration);
  const level = Math.min(levelFor(wanted.nsPerPixel), top);
  const first: Batch[] = [];
  const again: Batch[] = [];
  const gather = (l: number, index: number, onlyBlank: boolean) => {
    const fresh: string[] = [];
    const stale: string[] = [];
    for (const id of wanted.lanes) {
      const lane = cache.lane(id);
      const own = lane.get(l, index);
      if (onlyBlank && lane.tiles.size > 0 && !own) continue;
      if (busy.has(`${id} ${l} ${index}`)) continue;
      if (!TileCache.wants(lane, l, index, top, now)) continue;
      (own ? stale : fresh).push(id);
    }
    const plain = (id: string) => !id.endsWith(BY_FUNCTION);
    const by = (id: string) => id.endsWith(BY_FUNCTION);
    for (const [lanes, out] of [[fresh.filter(plain), first], [fresh.filter(by), first], [stale.filter(plain), again], [stale.filter(by), again]] as const) {
      for (let i = 0; i < lanes.length; i += LANES_A_REQUEST) out.push({ level: l, index, lanes: lanes.slice(i, i + LANES_A_REQUEST) });
    }
  };
  // A lane that was never seen gets the whole trace in one tile first: it is small, so there is
  // something to show at any zoom, and for lanes with few spans it is all there is. What is there
  // but was not complete comes last.
  gather(top, 0, true);
  if (level < top) {
    const middle = (wanted.view.from + wanted.view.to) / 2;
    for (const index of nearestFirst(tilesOf(wanted.view, level, wanted.duration), middle, wanted.duration)) {
      gather(level, index, false);
    }
  }
  return [...first, ...again];
}

export class TileClient {
  readonly cache = new TileCache();
  private running: Running[] = [];
  private wanted: Wanted | null = null;
  private timer = 0;
  /** Called when a tile arrived. */
  onTile: () => void = () => {};
  onError: (message: string | null) => void = () => {};
  private failures = 0;
  private pauseUntil = 0;

  constructor(private readonly fetcher: typeof fetch = (...a) => fetch(...a)) {}

  want(wanted: Wanted): void {
    this.wanted = wanted;
    const top = topLevel(wanted.duration);
    const level = Math.min(levelFor(wanted.nsPerPixel), top);
    const range = tilesOf(wanted.view, level, wanted.duration);
    const shown = new Set(wanted.lanes);
    for (const r of this.running) {
      const near = r.level === top || (r.level === level && r.index >= range.first - 1 && r.index <= range.last + 1);
      if (!near || !r.lanes.some((l) => shown.has(l))) r.abort.abort();
    }
    this.pump();
  }

  private pump(): void {
    if (!this.wanted) return;
    const now = performance.now();
    if (now < this.pauseUntil) return this.later(this.pauseUntil - now);
    if (this.running.length >= AT_ONCE) return;
    const busy = new Set<string>();
    for (const r of this.running) for (const l of r.lanes) busy.add(`${l} ${r.level} ${r.index}`);
    for (const batch of plan(this.wanted, this.cache, busy, now)) {
      if (this.running.length >= AT_ONCE) return;
      void this.ask(batch);
    }
    if (this.hasIncomplete()) this.later(RETRY_MS);
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), ms + 5) as unknown as number;
  }

  private hasIncomplete(): boolean {
    if (!this.wanted) return false;
    for (const id of this.wanted.lanes) {
      for (const e of this.cache.lane(id).tiles.values()) if (!e.complete) return true;
    }
    return false;
  }

  private async ask(batch: Batch): Promise<void> {
    const running: Running = { ...batch, abort: new AbortController() };
    this.running.push(running);
    const asked = performance.now();
    try {
      const url = tileUrl(batch);
      const answer = await this.fetcher(url, { signal: running.abort.signal });
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
      const tile = decodeTile(await answer.arrayBuffer(), batch.lanes.length);
      const now = performance.now();
      // A server that takes its time is not asked for the same all the time.
      const retryAt = now + Math.max(RETRY_MS, 4 * (now - asked));
      batch.lanes.forEach((id, i) => {
        this.cache.put(id, batch.level, batch.index, tile.lanes[i]!, tile.complete, now, retryAt);
      });
      if (this.failures > 0) this.onError(null);
      this.failures = 0;
      this.onTile();
    } catch (error) {
      if (!running.abort.signal.aborted) {
        // A server that is gone or busy is asked less and less often.
        this.failures++;
        this.pauseUntil = performance.now() + Math.min(10_000, 250 * 2 ** this.failures);
        // One refusal is no news: a busy server refuses, and is asked again.
        if (this.failures >= 3) this.onError(`Tiles do not arrive: ${(error as Error).message}. Is gotrail view still running?`);
      }
    } finally {
      this.running.splice(this.running.indexOf(running), 1);
      this.pump();
    }
  }
}
