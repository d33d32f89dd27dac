// What the page says where there is little or nothing to show.
import { expect, test } from "vitest";
import { LEAST, lossBox } from "../src/timeline/lost.js";
import { completeness, whyEmpty } from "../src/timeline/why.js";

const trace = { error: null, complete: true, lost: [], events: 100, goroutines: 3 };
test("only what has all its parts, and some, is complete", () => {
  expect(completeness(trace)).toBe("complete");
  expect(completeness({ ...trace, complete: false })).toBe("parts are lost");
  expect(completeness({ ...trace, lost: [{ from: 1, to: 1, what: "x" }] })).toBe("parts are lost");
  expect(completeness({ ...trace, events: 1, goroutines: 0 })).toBe("no events");
  expect(completeness({ ...trace, events: 0, goroutines: 0, complete: false })).toBe("not readable");
  expect(completeness({ ...trace, error: "no such file" })).toBe("not readable");
});
test("a loss without a length is as wide as a cap, within the trace", () => {
  const x = (t: number) => t / 10; // 1,000 ns over 100 pixels
  expect(lossBox({ from: 1000, to: 1000 }, 1000, x)).toEqual({ x0: 100 - LEAST, x1: 100, cap: true, end: true });
  expect(lossBox({ from: 0, to: 1 }, 1000, x)).toMatchObject({ x0: 0, x1: LEAST, end: false });
  expect(lossBox({ from: 500, to: 502 }, 1000, x)).toMatchObject({ x0: 50.1 - LEAST / 2, cap: true });
  expect(lossBox({ from: 200, to: 1000 }, 1000, x)).toEqual({ x0: 20, x1: 100, cap: false, end: true });
});
test("an empty lane says why, and whether it is so in all of the trace", () => {
  expect(whyEmpty("gc", true, false)).toBe("the collector did not run");
  expect(whyEmpty("gc", false, false)).toBe("the collector did not run in this time");
  expect(whyEmpty("proc:3", true, false)).toBe("never at work");
  expect(whyEmpty("go:1", true, true)).toBe("the trace has no events");
});
