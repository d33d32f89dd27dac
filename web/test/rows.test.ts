import { expect, test } from "vitest";
import type { Group, Lanes } from "../src/api.js";
import { inOldOrder } from "../src/load.js";
import { HEIGHT, IN_VIEW, layout, rowsIn, topOf, yOf, type Row } from "../src/timeline/rows.js";
import { lowerBound } from "../src/timeline/scene.js";

const group = (id: number, count: number): Group => ({ id, lane: `group:${id}`, function: `main.f${id}`, count, first: 0, last: 1, states: [] });
const lanes: Lanes = { revision: 1, groups: [group(0, 100_000), group(1, 3)], procs: [{ id: 0, lane: "proc:0" }], threads: [{ id: 7, lane: "thread:7" }] };
const input = { lanes, toggled: [] as string[], tasks: 5, regions: 9, regionTypes: 2, goroutines: 100_003, clock: false, done: true };

test("threads and tasks begin closed, procs open", () => {
  const keys = layout(input).sections.map((s) => s.key);
  expect(keys).toContain("proc:0");
  expect(keys).not.toContain("thread:7");
  expect(layout({ ...input, toggled: ["threads", "procs"] }).sections.map((s) => s.key)).toEqual(expect.arrayContaining(["thread:7"]));
});
test("an open group of 100,000 has only the rows on the screen", () => {
  const l = layout({ ...input, toggled: ["group:0"] });
  const rows: Row[] = [];
  const members = l.sections.find((s) => s.key === "members:0")!;
  rowsIn(l, members.y + 50_000 * HEIGHT.member, members.y + 50_000 * HEIGHT.member + 600, rows);
  expect(rows.length).toBeLessThan(40);
  expect(rows[0]!.index).toBe(50_000);
  expect(l.height).toBeGreaterThan(100_000 * HEIGHT.member);
});
test("sections follow each other without gaps", () => {
  let y = 0;
  for (const s of layout({ ...input, toggled: ["group:1", "tasks"] }).sections) {
    expect(s.y).toBe(y);
    y += s.rows * s.rowHeight;
  }
});
test("where the tracks are scrolled to is said by what is there", () => {
  const l = layout({ ...input, toggled: ["group:0"] });
  const at = l.sections.find((s) => s.key === "members:0")!.y + 12_345;
  expect(topOf(l, at)).toBe("members:0~12345");
  expect(yOf(l, "members:0~12345")).toBe(at);
  // Whatever is above has another height, it is the same row.
  const other = layout({ ...input, toggled: ["group:0", "heap", "threads"] });
  expect(yOf(other, "members:0~12345")).toBe(other.sections.find((s) => s.key === "members:0")!.y + 12_345);
  expect([topOf(l, 0), yOf(l, ""), yOf(l, "members:77~0")]).toEqual([null, 0, null]);
});
test("an open track of tasks has a few rows, however many tasks there are", () => {
  const l = layout({ ...input, tasks: 100_000, toggled: ["tasks", "regions"] });
  expect(l.sections.find((s) => s.key === "tasklist")!.rows).toBe(IN_VIEW);
  expect(l.sections.find((s) => s.key === "tasks")!.lane).toBe("tasks");
  expect(l.sections.find((s) => s.key === "regionlist")!.rows).toBe(2);
  expect(layout({ ...input, tasks: 0, regions: 0 }).sections.filter((s) => s.note === "none in this trace").map((s) => s.title)).toEqual(["Tasks", "Regions"]);
});
test("groups keep their places while the trace is read", () => {
  expect(inOldOrder([group(3, 1), group(1, 1)], [group(1, 9), group(2, 9), group(3, 9)]).map((g) => [g.id, g.count])).toEqual([[3, 9], [1, 9], [2, 9]]);
});
test("lower bound", () => {
  const a = Float64Array.of(1, 3, 3, 7);
  expect([0, 1, 2, 3, 4, 8].map((x) => lowerBound(a, x))).toEqual([0, 0, 1, 1, 3, 4]);
});
