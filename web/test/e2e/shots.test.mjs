// The pictures of docs/view.md: `SHOTS=../docs/images npm run e2e shots`. They are of a simulated
// server, so that everybody can make the same.

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ask, run } from "./help/gotrail.mjs";
import { decodePng, encodePng } from "./help/png.mjs";
import { click, lane, on, scrollTo } from "./help/screen.mjs";

const folder = process.env.SHOTS ? resolve(process.env.SHOTS) : null;
if (folder) mkdirSync(folder, { recursive: true });

describe.skipIf(!folder)("pictures", () => {
  const it = on(() => {
    // Its path is in a picture: a short one.
    const trace = join(tmpdir(), "server.trace");
    run("synth", "--force", "-o", trace, "--profile", "mixed", "--procs", "8", "--goroutines", "24", "--events", "60000", "--generations", "3", "--seed", "5");
    return trace;
  }, { context: { viewport: { width: 1280, height: 800 } } });

  async function shot(page, name) {
    await page.mouse.move(2, 2);
    // All is drawn when two pictures in a row are the same.
    let last = "";
    await expect.poll(async () => {
      const before = last;
      last = (await page.screenshot()).toString("base64");
      return last === before;
    }, { interval: 400 }).toBe(true);
    const path = join(folder, `${name}.png`);
    writeFileSync(path, encodePng(decodePng(await page.screenshot())));
    expect(statSync(path).size, `${name}.png is small enough for a repository`).toBeLessThan(160_000);
  }
  const group = async (name) => (await it.server.api("lanes")).groups.find((g) => g.function === name);

  test("the whole trace, light and dark", async () => {
    await shot(await it.open(), "timeline");
    await shot(await it.open("", { colorScheme: "dark" }), "timeline-dark");
  });

  test("a span and who ended it", async () => {
    // The longest wait of a collector that a worker ended.
    const start = ask(it.trace, "info")[0].start_time;
    const waits = ask(it.trace, "goroutines", "--each", "--function", "^main\\.(collect|worker)$")
      .flatMap((g) => ask(it.trace, "goroutine", String(g.id), "--waits", "20").flatMap((l) => l.waits.map((w) => ({ ...w, g: l }))))
      .filter((w) => w.ended_by === "goroutine" && w.stack && w.ended_stack && /chan/.test(w.kind) && w.nanos < 400_000);
    const w = waits.toSorted((a, b) => b.nanos - a.nanos)[0];
    const [from, to] = [w.from - start, w.until - start];
    const page = await it.open(`#/timeline?v=${Math.round(from - w.nanos)}-${Math.round(to + w.nanos)}&pins=go:${w.g.id},go:${w.meanwhile.goroutine}&open=heap,${(await group("main.collect")).lane}`);
    await click(page, `go:${w.g.id}`, (from + to) / 2);
    await page.locator(".details .stack").first().waitFor();
    await shot(page, "span");
  });

  test("a selected time", async () => {
    const page = await it.open("#/timeline?s=6000000-9500000&v=3000000-13000000&open=heap,counts");
    await page.locator(".details tbody").first().waitFor();
    await shot(page, "selection");
  });

  test("pages", async () => {
    const task = ask(it.trace, "tasks").filter((t) => t.id > 0 && t.end && t.logs >= 2 && t.regions >= 2).toSorted((a, b) => b.regions + b.logs - a.regions - a.logs || b.duration - a.duration)[0];
    for (const [hash, name, ready] of [["overview", "overview", ".finding"], [`tasks/${task.id}`, "task", ".waterfall"], [`goroutines/group/${(await group("main.worker")).id}`, "group", ".flame canvas"], ["gc", "gc", ".u-over"]]) {
      const page = await it.open(`#/${hash}`);
      await page.locator(ready).first().waitFor();
      await shot(page, name);
    }
  });

  test("a search", async () => {
    const page = await it.open();
    await scrollTo(page, "groups");
    await lane(page, "gc").catch(() => {});
    await page.keyboard.press("/");
    await page.keyboard.type("re");
    await page.locator("#found li", { hasText: "render" }).first().waitFor();
    await shot(page, "search");
  });
});
