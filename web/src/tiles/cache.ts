// Decoded tiles by lane, under a limit of memory. The tiles used longest ago go first.

import { bytesOf, type LaneTile } from "./decode.js";
import { tileKey } from "./plan.js";

export interface Entry {
  tile: LaneTile;
  level: number;
  index: number;
  /** All of the tile's time was indexed: it never changes again. */
  complete: boolean;
  /** When it may be asked for again, if it is not complete. */
  retryAt: number;
  usedAt: number;
  /** The row of the texture that holds it, or -1. */
  slot: number;
}

export class LaneCache {
  readonly tiles = new Map<number, Entry>();
  constructor(readonly id: string) {}
  get(level: number, index: number): Entry | undefined {
    return this.tiles.get(tileKey(level, index));
  }
}

export class TileCache {
  readonly lanes = new Map<string, LaneCache>();
  bytes = 0;
  /** Told of each entry that leaves, so that its place in a texture is free again. */
  onEvict: (entry: Entry) => void = () => {};

  constructor(readonly limit = 96 << 20) {}

  lane(id: string): LaneCache {
    let lane = this.lanes.get(id);
    if (!lane) this.lanes.set(id, (lane = new LaneCache(id)));
    return lane;
  }

  put(id: string, level: number, index: number, tile: LaneTile, complete: boolean, now: number, retryAt: number): Entry {
    const lane = this.lane(id);
    const key = tileKey(level, index);
    const old = lane.tiles.get(key);
    if (old) this.drop(lane, key, old);
    const entry: Entry = { tile, level, index, complete, retryAt, usedAt: now, slot: -1 };
    lane.tiles.set(key, entry);
    this.bytes += bytesOf(tile);
    if (this.bytes > this.limit) this.shrink(now);
    return entry;
  }

  private drop(lane: LaneCache, key: number, entry: Entry): void {
    lane.tiles.delete(key);
    this.bytes -= bytesOf(entry.tile);
    this.onEvict(entry);
  }

  /** Down to three quarters, so that this is not done for every tile. What was used in the last
   * second stays: it is on the screen. */
  private shrink(now: number): void {
    const all: [LaneCache, number, Entry][] = [];
    for (const lane of this.lanes.values()) for (const [key, e] of lane.tiles) all.push([lane, key, e]);
    all.sort((a, b) => a[2].usedAt - b[2].usedAt);
    for (const [lane, key, e] of all) {
      if (this.bytes <= this.limit * 0.75 || e.usedAt > now - 1000) break;
      this.drop(lane, key, e);
      if (lane.tiles.size === 0) this.lanes.delete(lane.id);
    }
  }

  /** The finest exact answer for a stretch of time: the tile itself, or a tile above it. Spans are
   * exact at any level, so a complete tile of spans makes all tiles below it needless. */
  static find(lane: LaneCache, level: number, index: number, top: number): Entry | undefined {
    for (let l = level, i = index; l <= top; l++, i = Math.floor(i / 2)) {
      const e = lane.tiles.get(tileKey(l, i));
      if (e) return e;
    }
    return undefined;
  }

  /** Whether the tile must still be asked for. */
  static wants(lane: LaneCache, level: number, index: number, top: number, now: number): boolean {
    for (let l = level, i = index; l <= top; l++, i = Math.floor(i / 2)) {
      const e = lane.tiles.get(tileKey(l, i));
      if (!e) continue;
      if (e.complete && (l === level || e.tile.kind === "spans")) return false;
      if (l === level) return now >= e.retryAt;
    }
    return true;
  }
}
