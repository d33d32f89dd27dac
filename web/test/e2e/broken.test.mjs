// Traces that are cut, damaged, old, compressed, or come by standard input open like any other, and
// what was lost is said.

import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LOST } from "../../src/palette.ts";
import { bytes, count, duration } from "../../src/time/format.ts";
import { ask, mixed, recorded, run, temporary } from "./help/gotrail.mjs";
import { cutShort, damaged } from "./help/hostile.mjs";
import { colours, lane, on, table } from "./help/screen.mjs";

const LOST_RGB = [1, 3, 5].map((i) => parseInt(LOST.light.slice(i, i + 2), 16));
/** The red of what is lost, which nothing else has: no state, no stop of the world, no function. */
const isLost = (c) => c.every((v, i) => Math.abs(v - LOST_RGB[i]) < 20);

const whole = on(mixed);

describe.each([
  ["cut in the middle of its second generation", () => cutShort(mixed(), 0.55)],
  ["damaged in the middle", () => damaged(mixed())],
  ["of which a few bytes are missing at the end", () => cutShort(mixed(), 0.999)],
])("a trace %s", (_, make) => {
  const it = on(make);

  test("shows on the time axis what was lost, and health says it", async () => {
    const [info] = ask(it.trace, "info");
    expect(info.health.complete).toBe(false);
    const { lost, duration: D } = await it.server.api("trace");
    expect(lost.length).toBeGreaterThan(0);
    const page = await it.open();
    await page.getByRole("link", { name: "parts are lost" }).waitFor();
    // The strip is red there, and so are the lanes.
    const strip = await page.locator(".strip").boundingBox();
    const l = lost.toSorted((a, b) => b.to - b.from - a.to + a.from)[0];
    const near = (cs, t) => cs.slice(Math.max(0, Math.floor((t / D) * cs.length) - 12), Math.ceil((t / D) * cs.length) + 12);
    await expect.poll(async () => near(await colours(page, { ...strip, height: 20 }, 0.1), l.from).filter(isLost).length, { message: "red on the strip" }).toBeGreaterThan(0);
    // The lane of a proc has green and blue, and red only where something is lost.
    const proc = await lane(page, "proc:0");
    for (const t of [l.from, l.to]) await expect.poll(async () => near(await colours(page, proc), t).filter(isLost).length, { message: "red over a lane" }).toBeGreaterThan(0);
    const apart = (i, n) => lost.every((x) => Math.abs(i - (x.from / D) * n) > 14 && Math.abs(i - (x.to / D) * n) > 14 && !(i / n > x.from / D && i / n < x.to / D));
    expect((await colours(page, proc)).filter((c, i, all) => apart(i, all.length) && isLost(c)).length).toBe(0);
    // However narrow the window is, the word stays.
    await page.setViewportSize({ width: 700, height: 900 });
    expect(await page.getByRole("link", { name: "parts are lost" }).isVisible()).toBe(true);
    await page.setViewportSize({ width: 1400, height: 900 });
    await page.getByRole("link", { name: "parts are lost" }).click();
    await expect.poll(() => page.locator(".finding").innerText()).toContain(bytes(info.health.bytes_lost));
    const rows = await table(page, "losses");
    expect(rows.length).toBe(info.health.losses.length);
    expect(rows[0]["what is wrong"]).toContain(info.health.losses[0].reason.slice(0, 40));
    // What is left can be used.
    await page.getByRole("link", { name: "Goroutines" }).click();
    await expect.poll(async () => (await table(page, "goroutine groups")).length).toBeGreaterThan(3);
  });
});

test("a loss of no length at the end is a cap that is seen, with words", async () => {
  const page = await whole.open();
  const { duration: D } = await whole.server.api("trace");
  await page.route("**/api/trace", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), complete: false, lost: [{ from: D - 1, to: D, what: "the input ends" }] } });
  });
  await page.reload();
  await page.getByRole("link", { name: "parts are lost" }).waitFor();
  const proc = await lane(page, "proc:0");
  await expect.poll(async () => (await colours(page, proc)).slice(-14).filter(isLost).length).toBeGreaterThanOrEqual(3);
  expect((await colours(page, proc)).slice(0, -16).filter(isLost).length).toBe(0);
  const strip = await page.locator(".strip").boundingBox();
  expect((await colours(page, strip, 0.2)).slice(-14).filter(isLost).length).toBeGreaterThanOrEqual(3);
});

test("a whole trace is called complete, and has no red", async () => {
  const page = await whole.open();
  expect(await page.locator("header .ok").innerText()).toBe("complete");
  for (const box of [await page.locator(".strip").boundingBox(), await lane(page, "proc:0")]) expect((await colours(page, box)).filter(isLost).length).toBe(0);
});

describe("a file with a head and nothing else", () => {
  const it = on(() => {
    writeFileSync(temporary("head.trace"), readFileSync(mixed()).subarray(0, 16));
    return temporary("head.trace");
  });

  test("is not called complete, and each row says why it is empty", async () => {
    expect(ask(it.trace, "info")[0].goroutines.seen).toBe(0);
    const page = await it.open();
    expect(await page.locator("header .bad").innerText()).toBe("no events");
    expect(await page.locator(".over-lanes").innerText()).toContain("no events");
    for (const name of ["Procs", "Threads", "Tasks", "Goroutines"]) expect(await page.locator(".label", { has: page.locator(".name", { hasText: new RegExp(`^${name}$`) }) }).locator(".note").innerText(), name).toBe("none in this trace");
    await page.getByRole("link", { name: "no events" }).click();
    await expect.poll(() => page.locator(".page h2").innerText()).toBe("Health of the trace");
  });
});

describe("a trace of Go 1.21", () => {
  const it = on(() => recorded("annotations", "go1.21"));
  test("opens, without a wall clock", async () => {
    const page = await it.open();
    const [info] = ask(it.trace, "info");
    expect(await page.locator(".about").innerText()).toContain("Go 1.21");
    expect(await page.locator(".about").innerText()).toContain(duration(info.duration_ns));
    expect(await page.getByRole("button", { name: "offset" }).isDisabled()).toBe(true);
    await page.getByRole("link", { name: "Tasks" }).click();
    await expect.poll(async () => (await table(page, "tasks")).length).toBe(ask(it.trace, "tasks").filter((t) => t.id > 0).length);
  });
});

const compressed = {
  "gzip": () => {
    writeFileSync(temporary("cpu.trace.gz"), gzipSync(readFileSync(recorded("cpu"))));
    return temporary("cpu.trace.gz");
  },
  "zstd": () => {
    run("convert", "--to", "binary", "--force", "-o", temporary("cpu.trace.zst"), recorded("cpu"));
    return temporary("cpu.trace.zst");
  },
};
describe.each(Object.entries(compressed))("a trace packed with %s", (_, make) => {
  const it = on(make);
  test("opens as the trace in it does", async () => {
    const page = await it.open("#/goroutines");
    const groups = ask(recorded("cpu"), "goroutines");
    const rows = await table(page, "goroutine groups");
    expect(rows.length).toBe(groups.length);
    expect(rows.find((r) => r["start function"] === "main.main.func1").goroutines).toBe("3");
  });
});

describe("a trace by standard input", () => {
  const it = on("-", { input: () => createReadStream(recorded("cpu")) });
  test("opens, and commands answer, too", async () => {
    const page = await it.open("#/overview");
    const [info] = ask(recorded("cpu"), "info");
    expect(await page.locator("h1").innerText()).toBe("standard input");
    await expect.poll(() => page.locator(".page").innerText()).toContain(duration(info.duration_ns));
    await page.getByRole("link", { name: "GC" }).click();
    await expect.poll(() => page.locator(".page").innerText()).toContain("stopped, in");
    expect(count(info.gc_cycles)).toBe("1");
  });
});
