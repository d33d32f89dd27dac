import { describe, expect, test } from "vitest";
import { bytes, clock, clockFull, count, cut, duration, offset, parseDuration, percent, short, tickStep } from "../src/time/format.js";
import { between, clamp, fit, NARROWEST, pan, reveal, revealMoment, whole, within, zoom } from "../src/time/view.js";

describe("lengths of time", () => {
  test("have three significant digits and a unit", () => {
    expect([0, 7, 999, 1000, 4_213_388, 12_345_678, 123_456_789, 5.23e9, 6e10, 3.7e12].map((n) => duration(n))).toEqual([
      "0 ns", "7 ns", "999 ns", "1.00 µs", "4.21 ms", "12.3 ms", "123 ms", "5.23 s", "1m 0s", "1h 1m",
    ]);
  });
  test("change unit after rounding", () => expect(duration(999_999)).toBe("1.00 ms"));
  test("that are not known are a dash", () => expect([duration(null), duration(NaN)]).toEqual(["–", "–"]));
  test("are read as people write them", () => {
    expect(["1.5s", "20ms", "1m3s", "100", "3µs", "", "x", "5 parsecs"].map(parseDuration)).toEqual([1.5e9, 2e7, 6.3e10, 100, 3000, null, null, null]);
  });
});

describe("moments", () => {
  test("have the digits that tell ticks apart", () => {
    expect(offset(1_234_567_890, 1e6)).toBe("1.235 s");
    expect(offset(1_234_567_890, 1e9)).toBe("1 s");
    expect(offset(12_500, 100)).toBe("12.5 µs");
    expect(offset(61e9 + 5e8, 1e8)).toBe("1m 1.5s");
  });
  test("on the wall clock keep their nanoseconds", () => {
    const start = 1795305742496229655n;
    expect(clock(1, start, 1)).toBe("00:02:22.496229656");
    expect(clock(0, start, 1e6)).toBe("00:02:22.496");
    expect(clockFull(0, start)).toMatch(/^2026-11-22T00:02:22\.496229655Z$/);
  });
  test("ticks are 1, 2 or 5 times a power of ten", () => expect([tickStep(1000, 10), tickStep(1300, 10), tickStep(4.1e9, 10), tickStep(3, 10)]).toEqual([100, 200, 5e8, 1]));
});

test("other numbers", () => {
  expect([count(1234567), count(12), bytes(4 << 20), percent(0.1234), percent(0.0004)]).toEqual(["1,234,567", "12", "4.00 MiB", "12 %", "<0.1 %"]);
  expect(cut("x".repeat(1e6)).length).toBe(200);
  expect(short("github.com/a/b/pkg.(*T).F[go.shape/x]")).toBe("pkg.(*T).F[go.shape/x]");
});

describe("the view", () => {
  const D = 1e10;
  test("zooms around the pointer", () => {
    const v = zoom({ from: 2e9, to: 4e9 }, 0.5, 2.5e9, D);
    expect((2.5e9 - v.from) / (v.to - v.from)).toBeCloseTo(0.25);
    expect(v.to - v.from).toBeCloseTo(1e9);
  });
  test("is never narrower than sense, nor much wider than the trace", () => {
    expect(zoom({ from: 0, to: 100 }, 1e-6, 50, D).to - zoom({ from: 0, to: 100 }, 1e-6, 50, D).from).toBeCloseTo(NARROWEST);
    const wide = zoom(whole(D), 100, 0, D);
    expect(wide.to - wide.from).toBeCloseTo(1.1e10);
    expect(wide.from).toBeLessThanOrEqual(0);
    expect(wide.to).toBeGreaterThanOrEqual(D);
  });
  test("stays over the trace", () => {
    expect(pan({ from: 0, to: 1e9 }, -1e12, D).to).toBeGreaterThan(0);
    expect(pan({ from: 0, to: 1e9 }, 1e12, D).from).toBeLessThan(D);
    expect(clamp({ from: NaN, to: NaN }, D)).toEqual({ from: expect.any(Number), to: expect.any(Number) });
  });
  test("fits a span with air, and reveals by moving as little as possible", () => {
    expect(fit(1000, 2000, D)).toEqual({ from: 900, to: 2100 });
    const v = { from: 0, to: 1e6 };
    expect(reveal(v, 10_000, 20_000, D)).toEqual(v);
    expect(reveal(v, 2e6, 2.1e6, D).to - reveal(v, 2e6, 2.1e6, D).from).toBeCloseTo(1e6);
    expect(reveal(v, 0, 2e6, D).to).toBeGreaterThan(2e6);
  });
  test("a view of an address is brought within the trace, or has nothing of it", () => {
    expect(within({ from: 0, to: 1000 }, D)).toBeNull();
    expect(within({ from: D + 1, to: D + 1000 }, D)).toBe("outside");
    expect(within({ from: -500, to: -1 }, D)).toBe("outside");
    expect(within({ from: 0, to: D * 100 }, D)).toEqual(clamp({ from: 0, to: D * 100 }, D));
  });
  test("shows a moment without zooming", () => {
    const v = { from: 1e6, to: 2e6 };
    expect(revealMoment(v, 1.5e6, D)).toBe(v);
    expect(revealMoment(v, 5e6, D)).toEqual({ from: 4.5e6, to: 5.5e6 });
  });
  test("between two views begins at one and ends at the other", () => {
    const a = { from: 0, to: 1e9 };
    const b = { from: 5e8, to: 5.1e8 };
    expect(between(a, b, 0)).toEqual(a);
    expect(between(a, b, 1).from).toBeCloseTo(b.from, 0);
    expect(between(a, a, 0.5)).toEqual(a);
  });
});
