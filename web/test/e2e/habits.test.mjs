// What is the same everywhere: links and Back, light and dark, copies, keys, and no pointer at all.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { duration } from "../../src/time/format.ts";
import { ask, mixed } from "./help/gotrail.mjs";
import { clipboard, colours, copied, lane, on, rested, stateOf, table, viewOf } from "./help/screen.mjs";
import { decodePng } from "./help/png.mjs";

const it = on(mixed);
const details = async (page) => (await page.locator(".details h2").allInnerTexts()).join();

test("a link restores the whole view, to the pixel", async () => {
  const g = ask(it.trace, "goroutines", "--each", "--function", "^main\\.worker$").find((x) => x.after > 5e6 && x.total > 1e6);
  const page = await it.open();
  // A view made by hand: zoomed, pinned, coloured, sorted, filtered, a span chosen.
  await page.locator(".corner").getByLabel("colour").selectOption("function");
  await page.locator(".corner").getByLabel("sort").selectOption("running");
  await page.getByRole("button", { name: "offset" }).click();
  await page.keyboard.press("/");
  await page.keyboard.type(`G${g.id}`);
  await expect.poll(() => page.locator("#found li").first().innerText()).toContain(`G${g.id}`);
  await page.keyboard.press("Enter");
  await expect.poll(() => details(page)).toContain(`G${g.id} `);
  await page.keyboard.press("f");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("checkbox", { name: "runnable" }).check();
  await page.getByRole("button", { name: "done" }).click();
  await rested(page, () => page.url(), /fs=1/);
  await rested(page, async () => (await page.locator(".matches").innerText()) + (await details(page)), /\d/);
  const url = page.url();
  const look = async (p) => {
    await p.mouse.move(3, 3);
    await lane(p, `go:${g.id}`);
    return (await p.screenshot({ clip: await p.locator(".lanes").boundingBox() })).toString("base64");
  };
  const before = await look(page);
  const other = await it.open(new URL(url).hash);
  await expect.poll(() => details(other)).toBe(await details(page));
  await expect.poll(async () => (await look(other)) === before, { message: "the same pixels" }).toBe(true);
  expect(await other.locator(".matches").innerText()).toBe(await page.locator(".matches").innerText());
  expect(await other.locator(".corner").getByLabel("sort").inputValue()).toBe("running");
  await rested(other, () => other.url(), /./);
  expect(new URL(other.url()).hash).toBe(new URL(url).hash);
});

test("a link holds where the tracks are, and what was measured", async () => {
  const { groups } = await it.server.api("lanes");
  const opened = groups.find((g) => g.count > 50).lane;
  const page = await it.open(`#/timeline?v=5000000-9000000&open=${opened}`, { viewport: { width: 1400, height: 600 } });
  const box = await page.locator(".over").boundingBox();
  await page.mouse.move(box.x + 300, box.y + 200);
  await page.keyboard.press("m");
  await page.mouse.move(box.x + 800, box.y + 200);
  await page.keyboard.press("m");
  const length = await page.locator(".measured b").innerText();
  await page.keyboard.down("Alt");
  await page.mouse.wheel(0, 1333);
  await page.keyboard.up("Alt");
  await expect.poll(() => page.locator(".scroller").evaluate((s) => s.scrollTop)).toBe(1333);
  await rested(page, () => page.url(), /top=.*m=/);
  const names = (p) => p.locator(".rows .label .name").allInnerTexts();
  const other = await it.open(new URL(page.url()).hash, { viewport: { width: 1400, height: 600 } });
  await expect.poll(() => other.locator(".scroller").evaluate((s) => s.scrollTop)).toBe(1333);
  await expect.poll(() => other.locator(".measured b").innerText()).toBe(length);
  await expect.poll(() => names(other)).toEqual(await names(page));
  await page.keyboard.press("Escape");
  await expect.poll(() => page.url()).not.toContain("m=");
});

test("an address of a time that the trace does not have shows all of it, and says so", async () => {
  const page = await it.open("#/timeline?v=500000000000-600000000000");
  await expect.poll(() => page.locator(".toast").innerText()).toContain("all of it is shown");
  await expect.poll(() => viewOf(page)).toBeNull();
  const proc = await lane(page, "proc:0");
  await expect.poll(async () => (await colours(page, proc)).filter((c) => stateOf(c) === 0).length).toBeGreaterThan(100);
  // One that has some of it is brought within; what lies beside the trace is called that.
  const D = ask(it.trace, "info")[0].duration_ns;
  await page.goto(`${it.server.url}#/timeline?v=0-${D * 50}`);
  await expect.poll(async () => (await viewOf(page))?.to ?? 0).toBeLessThan(D * 1.2);
});

test("Back goes through pages as they were, with their sorting", async () => {
  const page = await it.open("#/regions");
  await table(page, "regions");
  await page.getByRole("button", { name: "count" }).click();
  await rested(page, () => page.url(), /o\.sort-regions=-count/);
  const order = (await table(page, "regions")).map((r) => r.type);
  await page.getByRole("link", { name: "Latency" }).click();
  await expect.poll(() => page.locator(".page h2").innerText()).toBe("Latency");
  await page.getByRole("link", { name: "Tasks" }).click();
  await expect.poll(() => page.locator(".page h2").innerText()).toBe("Tasks");
  await page.goBack();
  await expect.poll(() => page.locator(".page h2").innerText()).toBe("Latency");
  await page.goBack();
  await expect.poll(() => page.locator(".page h2").innerText()).toBe("Regions");
  await expect.poll(async () => (await table(page, "regions")).map((r) => r.type)).toEqual(order);
});

test("light and dark: as the system says, and as one chooses, remembered", async () => {
  const page = await it.open("", { colorScheme: "dark" });
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
  expect((await back())[0]).toBeLessThan(40);
  const at = await lane(page, "gc");
  await expect.poll(async () => (await colours(page, at)).some((c) => stateOf(c, "dark") === 8)).toBe(true);
  await page.getByRole("button", { name: "Switch to light" }).click();
  expect((await back())[0]).toBe(255);
  await expect.poll(async () => (await colours(page, at)).some((c) => stateOf(c, "light") === 8)).toBe(true);
  await page.reload();
  await page.locator("header .ok").waitFor();
  expect((await back())[0]).toBe(255);
});

test("a table can be copied as CSV with every digit, or saved; pictures are no columns of it", async () => {
  const page = await it.open("#/regions");
  const rows = await copied(page, "regions");
  const types = ask(it.trace, "regions");
  expect(rows.map((r) => [r.type, r.count, r.total])).toEqual(types.map((t) => [t.type, t.count, t.total]));
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "save" }).click()]);
  expect(file.suggestedFilename()).toBe("regions.csv");
  expect(readFileSync(await file.path(), "utf8").split("\n")).toHaveLength(types.length + 2);
  await page.goto(`${it.server.url}#/goroutines`);
  const [group] = await copied(page, "goroutine groups");
  expect(Object.keys(group)).toEqual(expect.arrayContaining(["start function", "running", "blocked"]));
  expect(Object.keys(group)).not.toContain("states");
  // Filtered rows are what is copied.
  await page.goto(`${it.server.url}#/tasks`);
  await page.getByLabel("Filter tasks").fill("upload");
  await expect.poll(async () => new Set((await copied(page, "tasks")).map((t) => t.type))).toEqual(new Set(["upload"]));
});

test("the timeline can be saved as a PNG of what is on the screen; a link can be copied", async () => {
  const page = await it.open("#/timeline?v=5000000-9000000");
  await expect.poll(async () => (await colours(page, await lane(page, "proc:0"))).some((c) => c[0] < 240)).toBe(true);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "PNG" }).click()]);
  expect(file.suggestedFilename()).toBe("mixed.trace.png");
  const png = decodePng(readFileSync(await file.path()));
  const lanes = await page.locator(".lanes").boundingBox();
  expect(png.width).toBeGreaterThan(lanes.width);
  expect(png.height).toBeGreaterThan(lanes.height);
  const painted = new Set();
  for (let x = 260; x < png.width; x += 3) for (let y = 60; y < png.height; y += 3) painted.add(stateOf(png.at(x, y)));
  for (const s of [0, 1, 8]) expect(painted.has(s), `state ${s}`).toBe(true);
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await page.getByRole("button", { name: "link" }).click();
  expect(await clipboard(page)).toBe(page.url());
});

test("? shows the keys, Esc closes them, and where one was stays", async () => {
  const page = await it.open();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.waitFor();
  const text = await help.innerText();
  for (const what of ["closer", "measure", "pin", "next match", "who ended this wait", "pinch"]) expect(text).toContain(what);
  await page.keyboard.press("Escape");
  await expect.poll(() => help.count()).toBe(0);
});

test("everything can be reached without a pointer", async () => {
  const page = await it.open();
  const focused = () => page.evaluate(() => { const e = document.activeElement; return `${e.tagName} ${e.getAttribute("aria-label") ?? ""} ${e.textContent.slice(0, 40)}`; });
  const tabTo = async (like, key = "Tab") => {
    for (let i = 0; i < 120; i++) {
      await page.keyboard.press(key);
      if (like.test(await focused())) return;
    }
    throw new Error(`Tab does not reach ${like}`);
  };
  // The first stop leads past the head.
  await page.keyboard.press("Tab");
  expect(await focused()).toContain("To the content");
  await page.keyboard.press("Enter");
  // A group opens, and one of its goroutines leads to its page.
  await tabTo(/main\.collect/);
  await page.keyboard.press("Enter");
  await tabTo(/^A .*G\d+$/);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  expect(outline, "where the focus is, can be seen").toBe("solid");
  const id = (await focused()).match(/G(\d+)/)[1];
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator(".page h2").innerText()).toContain(`G${id} main.collect`);
  // Its table of waits: arrows move, Enter shows the wait in the timeline.
  await tabTo(/arrows move, Enter opens/);
  await page.keyboard.press("ArrowDown");
  const w = ask(it.trace, "goroutine", id, "--waits", "50")[0].waits.toSorted((a, b) => b.nanos - a.nanos)[1];
  await page.keyboard.press("Enter");
  await expect.poll(() => details(page)).toContain(duration(w.nanos));
  // Along the goroutine, fit, and away.
  const before = page.url();
  await page.keyboard.press("]");
  await expect.poll(() => page.url()).not.toBe(before);
  await page.keyboard.press("f");
  await expect.poll(() => viewOf(page)).not.toBeNull();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect.poll(() => page.locator(".details").count()).toBe(0);
  // A lane without the pointer: its name chooses what it does in the middle of the view.
  await tabTo(/P2/);
  await page.keyboard.press("Enter");
  await expect.poll(() => details(page)).toMatch(/^P2 /);
  await page.keyboard.press("p");
  await expect.poll(() => page.locator(".label.pinned").allInnerTexts()).toEqual(expect.arrayContaining([expect.stringContaining("P2")]));
});
