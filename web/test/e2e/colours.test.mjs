// Colours by state, function and task, on lanes of all kinds and at every zoom; and the same picture
// with and without a graphics card.

import { describe, expect, test } from "vitest";
import { FUNCTION_COLOURS, slotColour } from "../../src/palette.ts";
import { ask, mixed } from "./help/gotrail.mjs";
import { colours, lane, on, stateOf, statesOnScreen } from "./help/screen.mjs";
import { decodePng } from "./help/png.mjs";

describe("of a server", () => {
  const it = on(mixed);

  test("colours by state, function and task, with a legend that says which", async () => {
    const page = await it.open();
    const goes = ask(it.trace, "goroutines", "--each", "--function", "^main\\.worker$").toSorted((a, b) => b.exec / b.total - a.exec / a.total);
    await page.goto(`${it.server.url}#/timeline?pins=go:${goes[0].id}&v=${goes[0].after}-${goes[0].after + goes[0].total}`);
    await expect.poll(async () => (await statesOnScreen(page, `go:${goes[0].id}`))[0]).toBeGreaterThan(0);
    expect(await page.locator(".legend .chip").allInnerTexts()).toContain("runnable");
    await page.locator(".corner").getByLabel("colour").selectOption("function");
    await expect.poll(async () => (await statesOnScreen(page, `go:${goes[0].id}`))[0]).toBe(0);
    // The swatch of the function in the legend is the colour of the spans.
    const swatch = await page.locator(".legend .chip", { hasText: /^main\.worker$/ }).locator("i").evaluate((i) => getComputedStyle(i).backgroundColor.match(/\d+/g).map(Number));
    expect((await colours(page, await lane(page, `go:${goes[0].id}`))).some((c) => c.every((v, i) => Math.abs(v - swatch[i]) < 3))).toBe(true);
    await page.locator(".corner").getByLabel("colour").selectOption("task");
    const tasks = ask(it.trace, "tasks");
    const task = tasks.find((t) => t.goroutines.length === 1 && t.duration > 500000 && tasks.every((o) => o === t || !o.goroutines.includes(t.goroutines[0])));
    await page.goto(`${it.server.url}#/timeline?c=task&pins=go:${task.goroutines[0]}&v=${task.after}-${task.after + task.duration}`);
    const paint = slotColour(task.id % FUNCTION_COLOURS, "light").slice(1).match(/../g).map((h) => parseInt(h, 16));
    await expect.poll(async () => (await colours(page, await lane(page, `go:${task.goroutines[0]}`))).some((c) => c.every((v, i) => Math.abs(v - paint[i]) < 3)), { message: "the task's colour" }).toBe(true);
    await expect.poll(() => page.locator(".legend .chip", { hasText: task.name }).count(), { message: "the legend names the tasks in view" }).toBeGreaterThan(0);
    await expect.poll(() => page.url()).toContain("c=task");
  });

  test("colour by function is that of all lanes, from afar too, and the legend has what is there", async () => {
    const page = await it.open();
    const { groups } = await it.server.api("lanes");
    const chip = (name) => page.locator(".footer .legend .chip", { hasText: new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) });
    const paintOf = (name) => chip(name).locator("i").evaluate((i) => getComputedStyle(i).backgroundColor.match(/\d+/g).map(Number));
    const has = async (id, paint, part) => (await colours(page, await lane(page, id), part)).filter((c) => c.every((v, i) => Math.abs(v - paint[i]) < 4)).length;
    const collect = groups.find((g) => g.function === "main.collect").lane;
    const before = await colours(page, await lane(page, collect), 0.2);
    await page.locator(".corner").getByLabel("colour").selectOption("function");
    await chip("main.collect").waitFor();
    // The group's lane has its function's colour, pale where its goroutines wait, and none of states but runnable.
    const paint = await paintOf("main.collect");
    const pale = paint.map((v) => Math.round(v * 0.26 + 255 * 0.74));
    await expect.poll(() => has(collect, pale, 0.2)).toBeGreaterThan(100);
    const now = await colours(page, await lane(page, collect), 0.2);
    expect(now).not.toEqual(before);
    for (const s of new Set(now.map((c) => stateOf(c)))) expect([-1, 1]).toContain(s);
    // Procs have the colours of what ran there: no lane of theirs is green for running.
    const handler = groups.toSorted((a, b) => b.states[0] - a.states[0])[0];
    await chip(handler.function.replace(/^net\//, "")).waitFor();
    const ran = await paintOf(handler.function.replace(/^net\//, ""));
    await expect.poll(() => has("proc:0", ran, 0.8)).toBeGreaterThan(50);
    // Each function of the legend has another colour, and runnable is still explained.
    const swatches = await page.locator(".footer .legend button.chip i").evaluateAll((l) => l.map((i) => getComputedStyle(i).backgroundColor));
    expect(swatches.length).toBeGreaterThan(3);
    expect(new Set(swatches).size).toBe(swatches.length);
    expect(swatches.length).toBeLessThanOrEqual(FUNCTION_COLOURS);
    expect(await page.locator(".footer .legend .chip").allInnerTexts()).toContain("runnable");
    // What is not on the screen is not in it.
    for (const name of (await page.locator(".footer .legend button.chip").allInnerTexts())) expect(groups.some((g) => g.function.endsWith(name) || name === "(unknown)"), name).toBe(true);
  });

  test("the part of a proc's time that a function has is its part of the lane", async () => {
    const page = await it.open("#/timeline?c=function");
    const D = ask(it.trace, "info")[0].duration_ns;
    // Those without system calls: whether one of these kept its proc, events do not always say.
    const some = ask(it.trace, "goroutines").filter((g) => g.syscall === 0 && g.running > D / 5);
    expect(some.length).toBeGreaterThan(1);
    const pictures = [];
    await page.locator(".footer .legend .chip", { hasText: some[0].function }).waitFor();
    for (const p of ask(it.trace, "procs")) {
      const at = await lane(page, `proc:${p.proc}`);
      pictures.push(decodePng(await page.screenshot({ clip: { x: Math.ceil(at.x) + 1, y: at.y + 2, width: Math.floor(at.width) - 2, height: at.height - 4 } })));
    }
    for (const g of some) {
      const paint = await page.locator(".footer .legend .chip", { hasText: g.function }).locator("i").evaluate((i) => getComputedStyle(i).backgroundColor.match(/\d+/g).map(Number));
      let shown = 0;
      for (const png of pictures) for (let x = 0; x < png.width; x++) for (let y = 0; y < png.height; y++) if (png.at(x, y).every((v, i) => Math.abs(v - paint[i]) < 4)) shown += 1 / (png.width * png.height);
      expect(Math.abs(shown - g.running / D), g.function).toBeLessThan(0.03);
    }
  });
});

describe("by WebGL", () => {
  const it = on(mixed, { webgl: true });

  test("it is the same picture", async () => {
    const pictures = [];
    for (const query of ["?draw=pixels", "?draw=webgl"]) {
      const page = await it.open("#/timeline?v=5000000-15000000", { query });
      const at = await lane(page, (await it.server.api("lanes")).groups[0].lane);
      let n = 0;
      let png;
      await expect.poll(async () => {
        png = decodePng(await page.screenshot({ clip: { x: Math.ceil(at.x), y: at.y + 2, width: Math.floor(at.width), height: at.height - 4 } }));
        const before = n;
        n = 0;
        for (let x = 0; x < png.width; x++) if (stateOf(png.at(x, png.height - 3)) >= 0) n++;
        return n > png.width * 0.6 && n === before;
      }, { timeout: 20000 }).toBe(true);
      pictures.push(Array.from({ length: png.width }, (_, x) => Array.from({ length: png.height }, (_, y) => stateOf(png.at(x, y)))).flat());
      await page.close();
    }
    // Edges of hatches and spans are blends: only pixels of a plain colour are compared.
    const both = pictures[0].map((s, i) => [s, pictures[1][i]]).filter(([a, b]) => a >= 0 && b >= 0);
    expect(both.length / pictures[0].length).toBeGreaterThan(0.5);
    expect(both.filter(([a, b]) => a === b).length / both.length).toBeGreaterThan(0.95);
  });
});

describe("by WebGL, coloured by function and filtered", () => {
  const it = on(mixed, { webgl: true });

  test("it is the same picture, too", async () => {
    const pictures = [];
    const { groups } = await it.server.api("lanes");
    for (const query of ["?draw=pixels", "?draw=webgl"]) {
      const page = await it.open("#/timeline?v=5000000-15000000&c=function&fs=1", { query });
      const at = await lane(page, groups[0].lane);
      let png;
      let before = "";
      await expect.poll(async () => {
        const file = await page.screenshot({ clip: { x: Math.ceil(at.x), y: at.y + 2, width: Math.floor(at.width), height: at.height - 4 } });
        png = decodePng(file);
        const same = file.toString("base64") === before;
        before = file.toString("base64");
        // Runnable is bright, what waits is faded.
        return same && Array.from({ length: png.width }, (_, x) => stateOf(png.at(x, png.height - 4))).filter((s) => s === 1).length > png.width * 0.2;
      }, { timeout: 20000 }).toBe(true);
      pictures.push(Array.from({ length: png.width }, (_, x) => Array.from({ length: png.height }, (_, y) => png.at(x, y))).flat());
      await page.close();
    }
    // Hatches begin elsewhere: light and dark stripes of runnable count as one.
    const same = pictures[0].filter((c, i) => (stateOf(c) === 1 && stateOf(pictures[1][i]) === 1) || c.every((v, k) => Math.abs(v - pictures[1][i][k]) < 14)).length;
    expect(same / pictures[0].length).toBeGreaterThan(0.85);
    const bright = pictures.map((p) => p.filter((c) => stateOf(c) === 1).length);
    expect(bright[0] / bright[1]).toBeCloseTo(1, 1);
  });
});
