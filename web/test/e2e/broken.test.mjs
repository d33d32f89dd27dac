// Traces that are cut, damaged, old, compressed, or come by standard input open like any other, and
// what was lost is said.

import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bytes, count, duration } from "../../src/time/format.ts";
import { ask, mixed, recorded, run, temporary } from "./help/gotrail.mjs";
import { cutShort, damaged } from "./help/hostile.mjs";
import { colours, lane, on, table } from "./help/screen.mjs";

const reddish = (c) => c[0] > c[1] + 15 && c[0] > c[2] + 10;

describe.each([
  ["cut in the middle of its second generation", () => cutShort(mixed(), 0.55)],
  ["damaged in the middle", () => damaged(mixed())],
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
    const at = (t) => Math.min(strip.width - 3, Math.max(1, Math.round((t / D) * strip.width)));
    await expect.poll(async () => (await colours(page, { ...strip, height: 20 }, 0.1)).slice(Math.max(0, at((l.from + l.to) / 2) - 2), at((l.from + l.to) / 2) + 3).some(reddish), { message: "red on the strip" }).toBe(true);
    const stw = await lane(page, "stw");
    await expect.poll(async () => (await colours(page, stw)).filter(reddish).length).toBeGreaterThan(0);
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
