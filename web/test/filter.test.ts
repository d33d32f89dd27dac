// What a drag chooses, which match comes next, and what a filter keeps.
import { expect, test } from "vitest";
import type { Match, Matches } from "../src/api.js";
import { assign, slotOfTask } from "../src/hues.js";
import { pick, wanted } from "../src/matches.js";
import { FUNCTION_COLOURS, paint, PALE, slotColour, STACKED, stateColour } from "../src/palette.js";
import { counted, eachStep } from "../src/timeline/density.js";
import { around, isMatch } from "../src/timeline/filtering.js";
import { chosenLanes, few } from "../src/timeline/pick.js";
import { decodeTile } from "../src/tiles/decode.js";
import { tileUrl } from "../src/tiles/client.js";
import { legendOf } from "../src/timeline/used.js";

test("a drag takes all lanes of the kind that it began on", () => {
  const none = () => [];
  expect(chosenLanes(["go:1", "go:2", "go:3"], none)).toEqual(["go:1", "go:2", "go:3"]);
  expect(chosenLanes(["proc:0", null, "thread:7", "group:1"], none)).toEqual(["proc:0", "thread:7"]);
  expect(chosenLanes(["group:1", "go:4", null, "proc:0"], none)).toEqual(["group:1", "go:4"]);
  expect(chosenLanes(["gc", "proc:0"], none)).toEqual([]);
  expect(chosenLanes([null, "go:1"], none)).toEqual([]);
  expect(chosenLanes(["regions", "go:1"], none)).toEqual([]);
  expect(chosenLanes(["task:1", "task:2"], (t) => (t === "task:1" ? ["go:5", "go:6"] : ["go:6"]))).toEqual(["go:5", "go:6"]);
  expect(few(["a", "b"])).toBe("a, b");
  expect(few(["a", "b", "c", "d", "e"])).toBe("a, b, c and 2 more");
});

test("the next match is that of the next number, or the one nearest to the view", () => {
  const view = { from: 100, to: 200 };
  expect(wanted(null, view, 10, 1)).toEqual({ from: 100 });
  expect(wanted(null, view, 10, -1)).toEqual({ until: 100 });
  expect(wanted({ number: 3, from: 150, to: 160 }, view, 10, 1)).toEqual({ number: 4 });
  expect(wanted({ number: 9, from: 150, to: 160 }, view, 10, 1)).toEqual({ number: 0 });
  expect(wanted({ number: 0, from: 150, to: 160 }, view, 10, -1)).toEqual({ number: 9 });
  // One that was left behind counts no more.
  expect(wanted({ number: 3, from: 20, to: 30 }, view, 10, 1)).toEqual({ from: 100 });
  const m = { total: 9, strip: [], before: 4, rows: [{ lane: "go:1" }, { lane: "go:2" }] } as unknown as Matches;
  expect([3, 4, 5, 6].map((n) => pick(m, n)?.lane)).toEqual([undefined, "go:1", "go:2", undefined]);
});

test("a span is a match, is none, or it is not known", () => {
  const row = (go: number, from: number, to: number): Match => ({ lane: `go:${go}`, go, from, to, state: 5, label: null });
  const all = around({ total: 3, strip: [], rows: [row(1, 10, 90)] }, { total: 3, strip: [], rows: [row(1, 100, 110), row(2, 105, 120)] }, { from: 100, to: 200 });
  expect(isMatch(all, 1, 10, 90)).toBe(true);
  expect(isMatch(all, 1, 100, 110)).toBe(true);
  expect(isMatch(all, 1, 90, 100)).toBe(false);
  expect(isMatch(all, 2, 100, 110)).toBe(true);
  expect(isMatch(all, 3, 100, 110)).toBe(false);
  expect(isMatch(all, 3, 300, 310)).toBeNull();
  const many = around({ total: 9999, strip: [], rows: Array.from({ length: 1500 }, (_, i) => row(1, 50 + i / 100, 50)) }, { total: 9999, strip: [], rows: [] }, { from: 100, to: 200 });
  expect(isMatch(many, 4, 20, 30)).toBeNull();
});

test("what is under way is counted", () => {
  const tile = { kind: "spans", n: 4, begin: Float64Array.of(0, 5, 5, 20), end: Float64Array.of(10, 8, 20, 30), go: new Float64Array(4), label: new Uint32Array(4), state: new Uint8Array(4) } as const;
  const { ends, most } = counted(tile);
  expect(most).toBe(3);
  const steps = (from: number, to: number) => {
    const out: number[][] = [];
    eachStep(tile, ends, from, to, (a, b, n) => out.push([a, b, n]));
    return out;
  };
  expect(steps(0, 100)).toEqual([[0, 5, 1], [5, 8, 3], [8, 10, 2], [10, 20, 1], [20, 30, 1]]);
  expect(steps(6, 9)).toEqual([[6, 8, 3], [8, 9, 2]]);
  expect(steps(40, 50)).toEqual([]);
});

test("the groups with the most work have colours of their own", () => {
  const groups = Array.from({ length: 20 }, (_, i) => ({ id: 100 - i }));
  const slots = assign(groups, new Map());
  expect(new Set(groups.slice(0, FUNCTION_COLOURS).map((g) => slots.get(g.id))).size).toBe(FUNCTION_COLOURS);
  // Who has one keeps it, whatever order they come in.
  expect(assign([{ id: 7 }, ...groups], slots).get(100)).toBe(slots.get(100));
  expect(new Set([1, 2, 3, 4, 5].map(slotOfTask)).size).toBe(5);
  expect(slotOfTask("9223372036854775807")).toBeLessThan(FUNCTION_COLOURS);
  for (const theme of ["light", "dark"] as const) expect(new Set(Array.from({ length: FUNCTION_COLOURS }, (_, i) => slotColour(i, theme))).size).toBe(FUNCTION_COLOURS);
});

test("a lane in the hue of its function keeps the orange of runnable; faded states are see-through", () => {
  const of = (p: Uint32Array, s: number) => p[STACKED.indexOf(s)]!;
  const hex = (c: number) => `#${[c & 255, (c >> 8) & 255, (c >> 16) & 255].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
  const p = paint("light", 3);
  expect(hex(of(p, 0))).toBe(slotColour(3, "light"));
  expect(hex(of(p, 1))).toBe(stateColour(1, "light"));
  expect(hex(of(p, 5))).not.toBe(stateColour(5, "light"));
  const only = paint("light", null, 1 << 1, PALE);
  expect(of(only, 1) >>> 24).toBe(255);
  expect(of(only, 0) >>> 24).toBe(PALE);
  expect(paint("light", 3)).toBe(p);
});

test("tiles by function are asked for apart, and decoded", () => {
  expect(tileUrl({ level: 3, index: 1, lanes: ["proc:0~f", "proc:1~f"] })).toBe("/api/tile?level=3&index=1&lanes=proc:0,proc:1&colour=function");
  expect(tileUrl({ level: 3, index: 1, lanes: ["go:4"] })).toBe("/api/tile?level=3&index=1&lanes=go:4");
  const buffer = new ArrayBuffer(16 + 8 + 40);
  const v = new DataView(buffer);
  [0x31545447, 1, 1, 10, 3, 3, 5, 5, 9, 2, 0xffffffff, 0].forEach((n, i) => v.setUint32(i * 4, n, true));
  [0.5, 0.25, 1].forEach((n, i) => v.setFloat32(48 + i * 4, n, true));
  const tile = decodeTile(buffer, 1).lanes[0]!;
  expect(tile.kind === "functions" && [[...tile.bin], [...tile.group], [...tile.share]]).toEqual([[5, 5, 9], [2, 0xffffffff, 0], [0.5, 0.25, 1]]);
  expect(() => decodeTile(buffer.slice(0, 40), 1)).toThrow("cut off");
});

test("the legend has what is on the screen, most work first, no colour of a task twice", () => {
  const states = new Uint8Array(10);
  states[1] = 1;
  const used = { groups: new Map([[4, 10], [2, 900], [7, 0], [-1, 50]]), tasks: new Map([[1, 9], [13, 5], [2, 7]]), states, pale: false };
  expect(legendOf(used, (g) => [4, 2].indexOf(g))).toEqual({ groups: [4, 2], more: 0, tasks: [1, 2], states: [1], pale: false });
});
