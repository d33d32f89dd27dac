import { describe, expect, test } from "vitest";
import type { Spans } from "../src/tiles/decode.js";
import { counted, eachStep } from "../src/timeline/density.js";

function tile(spans: [number, number][]): Spans {
  const sorted = spans.toSorted((a, b) => a[0] - b[0]);
  const zeros = spans.map(() => 0);
  return {
    kind: "spans", n: spans.length,
    begin: Float64Array.from(sorted, (s) => s[0]), end: Float64Array.from(sorted, (s) => s[1]),
    go: Float64Array.from(zeros), label: Uint32Array.from(zeros), state: Uint8Array.from(zeros),
  };
}

function steps(spans: [number, number][], from = -Infinity, to = Infinity): [number, number, number][] {
  const t = tile(spans);
  const found: [number, number, number][] = [];
  eachStep(t, counted(t).ends, from, to, (...step) => found.push(step));
  return found;
}

/** A number between 0 and 1, the same each time. */
function random(seed: number): () => number {
  return () => (seed = (seed * 48271) % 2147483647) / 2147483647;
}

describe("how many are under way", () => {
  test("changes where one begins or ends", () => {
    expect(steps([[0, 10], [2, 4], [4, 12]])).toEqual([[0, 2, 1], [2, 4, 2], [4, 10, 2], [10, 12, 1]]);
    expect(steps([[0, 10], [2, 4]], 3, 8)).toEqual([[3, 4, 2], [4, 8, 1]]);
    expect(steps([])).toEqual([]);
  });

  test("has an end where the last one ends as it begins", () => {
    expect(steps([[0, 5], [5, 5]])).toEqual([[0, 5, 1]]);
    expect(steps([[7, 7]])).toEqual([]);
  });

  test("is what counting at any moment gives", () => {
    const next = random(27);
    for (let round = 0; round < 300; round++) {
      const spans = Array.from({ length: 1 + Math.floor(next() * 12) }, (): [number, number] => {
        const from = Math.floor(next() * 20);
        return [from, from + Math.floor(next() * 6)];
      });
      const at = (time: number): number => spans.filter(([from, until]) => from <= time && time < until).length;
      const found = steps(spans);
      for (let time = 0.5; time < 30; time++) expect(found.find(([from, until]) => from <= time && time < until)?.[2] ?? 0).toBe(at(time));
      expect(counted(tile(spans)).most).toBe(Math.max(0, ...found.map((step) => step[2])));
    }
  });
});
