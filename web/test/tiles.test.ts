import { describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript, shared with the mock server
import { encodeTile, laneOf } from "../dev/tile.mjs";
import { TileCache } from "../src/tiles/cache.js";
import { plan, TileClient } from "../src/tiles/client.js";
import { decodeTile, NO_LABEL, type Spans } from "../src/tiles/decode.js";
import { levelFor, nearestFirst, tileKey, tilesOf, topLevel } from "../src/tiles/plan.js";

const span = (from: number, to: number, state = 0) => ({ from, to, go: 17, label: NO_LABEL, state });

describe("a tile", () => {
  const many = Array.from({ length: 2000 }, (_, i) => span(i * 10, i * 10 + 5, i % 2));
  const lanes = [{ spans: [span(-5, 3), span(4, 1e15, 5), span(1e15, 2e15, 9)] }, null, laneOf(many, 10, 0), { spans: [] }];

  test("comes back as it was written", () => {
    const t = decodeTile(encodeTile(lanes, false), 4);
    expect(t.complete).toBe(false);
    const s = t.lanes[0] as Spans;
    expect([...s.begin]).toEqual([-5, 4, 1e15]);
    expect([...s.end]).toEqual([3, 1e15, 2e15]);
    expect([...s.state]).toEqual([0, 5, 9]);
    expect(s.label[0]).toBe(NO_LABEL);
    expect(s.go[2]).toBe(17);
    expect(t.lanes[1]!.kind).toBe("none");
    const shares = t.lanes[2]!;
    expect(shares.kind).toBe("shares");
    if (shares.kind === "shares") {
      expect(shares.counts[0]).toBeCloseTo(0.5, 1);
      expect([...shares.shares.subarray(0, 10)].reduce((a, b) => a + b)).toBe(255);
    }
    expect((t.lanes[3] as Spans).n).toBe(0);
  });
  test("that is cut off, or is something else, is refused", () => {
    const whole: ArrayBuffer = encodeTile(lanes, true);
    expect(() => decodeTile(whole.slice(0, whole.byteLength - 8), 4)).toThrow("cut off");
    expect(() => decodeTile(new TextEncoder().encode("<html>not a tile</html>").buffer as ArrayBuffer, 1)).toThrow("not a tile");
    expect(() => decodeTile(whole, 3)).toThrow("4 lanes");
  });
});

describe("which tiles", () => {
  test("bins are at least a pixel, and less than two", () => expect([1, 1.5, 2, 1000, 0.01].map((x) => levelFor(x))).toEqual([0, 1, 1, 10, 0]));
  test("the top level holds all in one tile", () => {
    expect(topLevel(256)).toBe(0);
    expect(topLevel(257)).toBe(1);
    expect(tilesOf({ from: 0, to: 1e10 }, topLevel(1e10), 1e10)).toMatchObject({ first: 0, last: 0 });
  });
  test("those of the view, none beyond the trace", () => {
    expect(tilesOf({ from: 256 * 4, to: 256 * 16 }, 2, 1e6)).toEqual({ level: 2, first: 1, last: 3 });
    expect(tilesOf({ from: -1e9, to: 1e9 }, 2, 1024)).toEqual({ level: 2, first: 0, last: 0 });
  });
  test("nearest first, with one more at each end", () => {
    expect(nearestFirst({ level: 0, first: 2, last: 4 }, 256 * 3.5, 1e6)).toEqual([3, 2, 4, 1, 5]);
    expect(nearestFirst({ level: 0, first: 0, last: 0 }, 10, 256)).toEqual([0]);
  });
  test("keys of deep tiles do not collide", () => expect(tileKey(1, 2 ** 43) === tileKey(0, 2 ** 44 + 2 ** 43)).toBe(true) /* beyond any trace: 52 days at level 0 */);
});

describe("the plan", () => {
  const wanted = { view: { from: 0, to: 1e6 }, nsPerPixel: 1000, duration: 1e9, lanes: ["gc", "go:1"] };
  test("begins with the whole trace for lanes never seen, then the middle", () => {
    const p = plan(wanted, new TileCache(), new Set(), 0);
    expect(p[0]).toEqual({ level: topLevel(1e9), index: 0, lanes: ["gc", "go:1"] });
    expect(p.slice(1).map((b) => [b.level, b.index])).toEqual([[10, 1], [10, 2], [10, 0], [10, 3], [10, 4]].slice(0, p.length - 1));
  });
  test("leaves out what exact spans of a coarser tile answer, and what is under way", () => {
    const cache = new TileCache();
    cache.put("gc", topLevel(1e9), 0, { kind: "spans", n: 0, begin: new Float64Array(), end: new Float64Array(), go: new Float64Array(), label: new Uint32Array(), state: new Uint8Array() }, true, 0, 0);
    const p = plan(wanted, cache, new Set(["go:1 10 1"]), 0);
    expect(p.every((b) => !b.lanes.includes("gc"))).toBe(true);
    expect(p.some((b) => b.level === 10 && b.index === 1)).toBe(false);
  });
  test("asks for what is not there before what was not complete", () => {
    const cache = new TileCache();
    for (let i = 0; i < 8; i++) cache.put("gc", 10, i, { kind: "none" }, false, 0, 0);
    cache.put("gc", topLevel(1e9), 0, { kind: "none" }, false, 0, 0);
    const p = plan(wanted, cache, new Set(), 1);
    expect(p.findIndex((b) => b.lanes.includes("gc"))).toBeGreaterThan(p.findLastIndex((b) => b.lanes.includes("go:1")));
  });
  test("asks again for tiles that were not complete, but not at once", () => {
    const cache = new TileCache();
    cache.put("gc", 10, 0, { kind: "none" }, false, 0, 700);
    const asks = (now: number) => plan({ ...wanted, lanes: ["gc"] }, cache, new Set(), now).some((b) => b.level === 10 && b.index === 0);
    expect(asks(100)).toBe(false);
    expect(asks(800)).toBe(true);
  });
});

describe("the cache", () => {
  const spans = (n: number): Spans => ({ kind: "spans", n, begin: new Float64Array(n), end: new Float64Array(n), go: new Float64Array(n), label: new Uint32Array(n), state: new Uint8Array(n) });
  test("forgets what was used longest ago, and says so", () => {
    const cache = new TileCache(100_000);
    const gone: number[] = [];
    cache.onEvict = (e) => gone.push(e.index);
    for (let i = 0; i < 10; i++) cache.put("go:1", 0, i, spans(500), true, i * 1000, 0);
    expect(cache.bytes).toBeLessThanOrEqual(100_000);
    expect(gone[0]).toBe(0);
    expect(cache.lane("go:1").get(0, 9)).toBeDefined();
  });
  test("finds the tile above where the finer one is not there yet", () => {
    const cache = new TileCache();
    cache.put("all", 5, 1, { kind: "none" }, true, 0, 0);
    expect(TileCache.find(cache.lane("all"), 2, 12, 8)?.level).toBe(5);
    expect(TileCache.find(cache.lane("all"), 2, 20, 8)).toBeUndefined();
  });
});

describe("the client", () => {
  test("aborts what scrolled away and asks for what is there now", async () => {
    const asked: string[] = [];
    const aborted: string[] = [];
    const fetcher = ((url: string, init: RequestInit) => {
      asked.push(url);
      return new Promise((_, reject) => init.signal!.addEventListener("abort", () => (aborted.push(url), reject(new Error("aborted")))));
    }) as typeof fetch;
    const client = new TileClient(fetcher);
    client.want({ view: { from: 0, to: 1e6 }, nsPerPixel: 1000, duration: 1e9, lanes: ["gc"] });
    const before = asked.length;
    client.want({ view: { from: 5e8, to: 5.01e8 }, nsPerPixel: 1000, duration: 1e9, lanes: ["gc"] });
    await new Promise((r) => setTimeout(r, 10));
    expect(aborted.length).toBe(before - 1); // the whole trace in one tile stays wanted
    expect(asked.length).toBeGreaterThan(before);
  });
});
