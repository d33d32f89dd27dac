// The page can be used while the trace is read; and the lanes of what a program marked itself.

import { describe, expect, test } from "vitest";
import { duration } from "../../src/time/format.ts";
import { ask, mixed, synth, view } from "./help/gotrail.mjs";
import { decodePng } from "./help/png.mjs";
import { colours, hover, lane, launch, number, on, stateOf, viewOf } from "./help/screen.mjs";

test("lanes are drawn, and can be zoomed, before all is read", async () => {
  const trace = synth("large.trace", "--profile", "mixed", "--events", "1500000", "--generations", "6");
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, reducedMotion: "reduce" });
  const began = performance.now();
  const server = await view(trace);
  try {
    await page.goto(server.url);
    const look = () => page.evaluate(() => {
      const e = globalThis.gotrailTimeline;
      return { drawn: Boolean(e.scene) && [...e.scene.cache.lanes.values()].some((l) => [...l.tiles.values()].some((t) => t.tile.kind !== "none")), done: document.querySelector("header .ok") !== null };
    });
    // However fast it is read, there is a picture soon.
    await expect.poll(async () => (await look()).drawn, { timeout: 20_000 }).toBe(true);
    expect(performance.now() - began).toBeLessThan(10_000);
    const box = await page.locator(".over").boundingBox();
    await page.mouse.move(box.x + 100, box.y + 300);
    await page.mouse.wheel(0, -120);
    await expect.poll(() => viewOf(page)).not.toBeNull();
    const { from } = await viewOf(page);
    await page.locator("header .ok").waitFor({ timeout: 60_000 });
    // What arrived has not moved what was looked at.
    expect((await viewOf(page)).from).toBe(from);
    await page.goto(`${server.url}#/goroutines`);
    await expect.poll(() => page.locator(".page").innerText()).toContain("main.collect");
  } finally {
    await browser.close();
    await server.close();
  }
}, 90_000);

describe("half of a trace", () => {
  const it = on(mixed);

  // How much is read by when depends on the machine: here the page is told that it is half, until it
  // is told that it is all.
  test("is shown as half, can be used, and what comes does not move what is looked at", async () => {
    const page = await it.open();
    const all = await it.server.api("trace");
    const half = { ...all, done: false, indexed: Math.round(all.duration / 2), progress: 0.5 };
    let release;
    const released = new Promise((r) => (release = r));
    await page.route("**/api/trace", (route) => route.fulfill({ json: half }));
    await page.route("**/api/progress", async (route) => {
      await released;
      await route.fulfill({ contentType: "text/event-stream", body: `data: ${JSON.stringify(all)}\n\n` });
    });
    await page.reload();
    await expect.poll(() => page.getByRole("status").first().innerText()).toContain("50 %");
    expect(await page.locator("header .ok").count()).toBe(0);
    // The lanes have a picture, and are shaded where nothing was read yet.
    const proc = await lane(page, "proc:0");
    await expect.poll(async () => (await colours(page, proc)).slice(0, 400).some((c) => stateOf(c) === 0)).toBe(true);
    const strip = await page.locator(".strip").boundingBox();
    const at = (cs, part) => cs[Math.round(cs.length * part)];
    const row = await colours(page, { ...strip, height: 4 }, 0.2);
    expect(at(row, 0.25)).not.toEqual(at(row, 0.75));
    await page.mouse.move(proc.x + 100, proc.y + 5);
    await page.mouse.wheel(0, -120);
    await expect.poll(() => viewOf(page)).not.toBeNull();
    const before = await viewOf(page);
    release();
    await page.locator("header .ok").waitFor();
    expect(await viewOf(page)).toEqual(before);
    expect(await page.locator("header .ok").innerText()).toBe("complete");
  });
});

describe("annotations", () => {
  const it = on(mixed);

  test("lanes of tasks have the names and lengths of `tasks`", async () => {
    // Of those under way in the view, as they began.
    const [from, to] = [8_000_000, 12_000_000];
    const page = await it.open(`#/timeline?sort=start&v=${from}-${to}`);
    await page.getByRole("button", { name: "Tasks", exact: true }).click();
    const tasks = ask(it.trace, "tasks").filter((t) => t.id > 0 && t.after < to && (t.duration === null || t.after + t.duration > from)).toSorted((a, b) => a.after - b.after || a.id - b.id);
    await expect.poll(async () => (await page.locator(".label.item.d1").allInnerTexts()).slice(0, 5).map((t) => t.split("\n").filter((x) => x && x !== "Pin"))).toEqual(tasks.slice(0, 5).map((t) => [`${t.id} ${t.name}`, t.duration === null ? "open" : duration(t.duration)]));
    const t = tasks[0];
    await page.locator(".label.item.d1 .name").first().click();
    await expect.poll(() => page.locator(".page h2").innerText()).toBe(`Task ${t.id} ${t.name}`);
  });

  test("the tracks of tasks and of regions show how many are under way, and open to those that take most of the view", async () => {
    const [from, to] = [8_000_000, 12_000_000];
    const page = await it.open(`#/timeline?v=${from}-${to}&top=tasks~0&open=procs`);
    const height = async (id) => {
      const at = await lane(page, id);
      const png = decodePng(await page.screenshot({ clip: { x: Math.ceil(at.x) + 1, y: at.y + 2, width: Math.floor(at.width) - 2, height: at.height - 4 } }));
      let n = 0;
      for (let x = 0; x < png.width; x++) for (let y = 0; y < png.height; y++) if (png.at(x, y).some((v) => v < 240)) n++;
      return n / (png.width * png.height);
    };
    for (const id of ["tasks", "regions"]) await expect.poll(() => height(id), { message: `the lane ${id} is drawn` }).toBeGreaterThan(0.05);
    const open = ask(it.trace, "tasks").filter((t) => t.id > 0 && t.after < to && (t.duration === null || t.after + t.duration > from));
    const area = open.reduce((a, t) => a + Math.min(to, t.duration === null ? Infinity : t.after + t.duration) - Math.max(from, t.after), 0) / (to - from);
    await expect.poll(async () => {
      await hover(page, "tasks", from + (to - from) * (0.5 + Math.random() / 50));
      return (await page.locator(".tip").allInnerTexts()).join();
    }).toMatch(/under way/);
    expect(number((await page.locator(".tip").innerText()).match(/([\d,.]+) under way/)[1]) / area).toBeGreaterThan(0.4);
    await page.getByRole("button", { name: "Regions", exact: true }).click();
    const types = ask(it.trace, "regions", "--from", `${from}ns`, "--to", `${to}ns`).toSorted((a, b) => b.total - a.total);
    await expect.poll(() => page.locator(".label.item.d1 .name").allInnerTexts()).toEqual(expect.arrayContaining(types.slice(0, 2).map((t) => t.type)));
    // A row of a type has its regions; a click goes to who was in one.
    const r = ask(it.trace, "regions", "--each", "--from", `${from}ns`, "--to", `${to}ns`).filter((x) => x.after > from && x.after + x.duration < to).toSorted((a, b) => b.duration - a.duration)[0];
    expect(r.type).toBeTruthy();
    await page.goto(`${it.server.url}#/timeline?v=${Math.round(r.after - r.duration * 0.1)}-${Math.round(r.after + r.duration * 1.1)}&open=regions,procs`);
    await expect.poll(() => page.locator(".label.item.d1 .name").allInnerTexts()).toContain(r.type);
  });

  test("the regions of a goroutine are a lane under its own", async () => {
    const r = ask(it.trace, "regions", "--each", "--sort", "duration", "--top", "1")[0];
    const page = await it.open(`#/timeline?pins=go:${r.goroutine}&v=${Math.round(r.after - r.duration * 0.2)}-${Math.round(r.after + r.duration * 1.2)}`);
    await lane(page, `go:${r.goroutine}`);
    const pin = page.locator(".label.pinned").first();
    await pin.hover();
    await pin.getByRole("button", { name: "regions" }).click();
    await lane(page, `regions:${r.goroutine}`);
    await expect.poll(async () => {
      await hover(page, `regions:${r.goroutine}`, r.after + r.duration * (0.02 + Math.random() / 100));
      return (await page.locator(".tip").allInnerTexts()).join();
    }).toContain(r.type);
    await expect.poll(() => page.url()).toContain(`regions:${r.goroutine}`);
  });
});
