import { expect, test } from "vitest";
import { evidence } from "../src/pages/findings.js";
import { functionsOf } from "../src/pages/profiles.js";
import { statesOfTimes } from "../src/pages/goroutine.js";
import { packed, STATE } from "../src/palette.js";
import { darker, over } from "../src/timeline/pixels.js";
import { csv, csvCell } from "../src/ui/copy.js";
import { inverted, matched, tree } from "../src/ui/flame.js";
import { buckets } from "../src/ui/histogram.js";
import { nest } from "../src/ui/waterfall.js";

const stacks = [
  { frames: ["main", "a", "b"], value: 3 },
  { frames: ["main", "a"], value: 1 },
  { frames: ["main", "c", "b"], value: 2 },
];

test("stacks merge to a tree, widest first", () => {
  const root = tree(stacks);
  expect(root.value).toBe(6);
  expect(root.children[0]!.children.map((n) => [n.name, n.value, n.own, n.x])).toEqual([["a", 4, 1, 0], ["c", 2, 0, 4]]);
  expect(inverted(stacks).children.map((n) => [n.name, n.value])).toEqual([["b", 5], ["a", 1]]);
  expect(matched(root, "b")).toBe(5);
});
test("a function counts once where it recurses", () => {
  expect(functionsOf({ unit: "ns", total: 5, stacks: [{ frames: ["f", "f", "g"], value: 5 }] })).toEqual([{ name: "f", own: 0, all: 5 }, { name: "g", own: 5, all: 5 }]);
});
test("zeros do not put a wide nothing before what there is", () => {
  const b = buckets([0, 0, 1e6, 2e6, 5e7]);
  expect(b[0]).toMatchObject({ from: 0, count: 2 });
  expect(b[1]!.count).toBe(0);
  expect(b[2]!.count).toBe(1);
  b.forEach((x, i) => i > 0 && expect(x.from).toBeCloseTo(b[i - 1]!.upto));
});
test("buckets hold every value once", () => {
  for (const values of [[1, 2, 4, 1e6, 3e9], [100, 101, 102], [0, 0, 5], [7]]) {
    const b = buckets(values);
    expect(b.reduce((n, x) => n + x.count, 0)).toBe(values.length);
    for (const v of values) expect(b.some((x) => v >= x.from && v < x.upto)).toBe(true);
  }
  expect(buckets([])).toEqual([]);
});
test("cells of CSV are quoted, and are no formulas", () => {
  expect(csv(["a", "b"], [["x,y", 1.5], ['say "hi"', null]])).toBe('a,b\n"x,y",1.5\n"say ""hi""",\n');
  expect(csvCell("=cmd()")).toBe("'=cmd()");
  expect(csvCell(-5)).toBe("-5");
});
test("regions that overlap lie on different heights", () => {
  const r = (start: number, end: number) => ({ name: "", goroutine: 1, start, end, total: end - start });
  expect(nest([r(0, 10), r(2, 5), r(5, 8), r(11, 12)]).placed.map((p) => p.depth)).toEqual([0, 1, 1, 0]);
});
test("reasons of waits are states", () => {
  const s = statesOfTimes({ running: 1, runnable: 2, syscall: 3, syscall_blocked: 4, blocked: { "chan receive": 5, sync: 6, network: 7, sleep: 8, "GC mark assist wait for work": 9, preempted: 10 }, blocked_total: 45, ranges: {}, total: 0, unknown: 1 });
  expect(s).toEqual([1, 2, 3, 4, 6, 5, 7, 8, 9, 11]);
});
test("evidence has units", () => {
  const said = (rule: string, e: Record<string, number>) => evidence(rule, e).map((x) => x.text).join(" · ");
  expect(said("long-stw", { count: 28, longest: 79106880, p99: 79106880, total: 203173375 })).toBe("28 stops · longest 79.1 ms · 99 % are shorter than 79.1 ms · 203 ms in all");
  expect(said("long-stw", { count: 1, longest: 79106880 })).toBe("1 stop · longest 79.1 ms");
  expect(said("gc-share", { assist: 0.00867, background: 0.202, cycles: 28, share: 0.36, stopped: 0.155, total: 502442221 })).toBe("36 % of the procs’ time, stops included · mark workers 20 % · assists 0.9 % · stops of the world 16 % · 28 GC cycles · 502 ms of each proc, on average");
  expect(said("lock-contention", { waiting: 2.708 })).toBe("2.7 goroutines waiting, on average");
  expect(said("goroutine-leak", { count: 10, waiting: 5e8, total: 6e9 })).toBe("10 goroutines · 6.00 s in all · each for at least 500 ms");
  expect(said("busy-wakeups", { rate: 12.345, share: 0.95, runs: 1 })).toBe("95 % of all its runs · 12.3 times a second · of 1 run");
  expect(said("a-new-rule", { some_key: 3 })).toBe("some key 3");
});
test("colours mix as they should", () => {
  expect(packed("#112233")).toBe(0xff332211);
  expect(over(0, 0xff332211, 128)).toBe(0x80332211);
  expect(over(0xff000000, 0xffffffff, 255)).toBe(0xffffffff);
  expect(darker(0xffffffff)).toBe(0xffc6c6c6);
});
test("states that wait differ from those that work by more than hue", () => {
  // Running, runnable and syscall are told apart from waits by height, runnable by a hatch, too.
  expect(STATE.filter((s) => !s.waits).map((s) => s.name)).toEqual(["running", "runnable", "syscall", "syscall, no proc"]);
  expect(STATE.filter((s) => s.hatch).map((s) => s.name)).toEqual(["runnable", "syscall, no proc"]);
});
