// Acts on the page as a person would, over the made-up trace, and checks what is on the screen:
// `npm run build && npm run smoke`. CHROMIUM is the browser, SHOTS a folder for pictures.

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const here = new URL("..", import.meta.url).pathname;
const PORT = 7300 + (process.pid % 500);
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

async function serve(port, env) {
  const child = spawn(process.execPath, ["dev/mock.mjs"], { cwd: here, env: { ...process.env, PORT: String(port), ...env }, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return child;
}

const servers = [await serve(PORT, { INDEX_MS: "1" }), await serve(PORT + 1, { INDEX_MS: "60000" }), await serve(PORT + 2, { INDEX_MS: "1", HOSTILE: "1" })];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, colorScheme: "dark" });
const errors = [];
let failed = 0;

async function open(hash = "", port = PORT) {
  const page = await context.newPage();
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => m.type() === "error" && !/404/.test(m.text()) && errors.push(m.text()));
  await page.goto(`http://127.0.0.1:${port}/${hash}`);
  await page.waitForFunction(() => document.querySelector(".label, .page, .empty"));
  await page.waitForTimeout(700);
  return page;
}

/** The view, from the address, as [from, to]. */
const view = (page) => page.evaluate(() => /v=(-?\d+)-(-?\d+)/.exec(location.hash)?.slice(1).map(Number) ?? null);
/** The middle of a lane's row on the screen. */
const place = (page, lane) => page.evaluate((l) => { const p = globalThis.gotrailTimeline.placeOf(l); const b = document.querySelector(".over").getBoundingClientRect(); return p && { x: b.left, y: b.top + p.top + p.height / 2, width: b.width }; }, lane);

const tests = {
  async "wheel zooms at the pointer, 0 shows the whole trace, Back undoes it"(page) {
    await page.mouse.move(900, 500);
    for (let i = 0; i < 8; i++) await page.mouse.wheel(0, -200);
    await page.waitForTimeout(600);
    const [from, to] = await view(page);
    assert(to - from < 2e9 && from > 3e9 && to < 8e9, `${from} ${to}`);
    await page.keyboard.press("0");
    await page.waitForTimeout(500);
    assert.equal(await view(page), null);
    await page.goBack();
    await page.waitForTimeout(500);
    assert.deepEqual(await view(page), [from, to]);
  },
  async "keys zoom and pan"(page) {
    await page.keyboard.press("w");
    await page.keyboard.press("w");
    await page.waitForTimeout(700);
    const [from, to] = await view(page);
    await page.keyboard.press("d");
    await page.waitForTimeout(700);
    const next = await view(page);
    assert(next[0] > from && Math.abs(next[1] - next[0] - (to - from)) < 10);
  },
  async "dragging pans, dragging on the ruler selects, f fits, Esc unselects"(page) {
    const ruler = await page.locator(".ruler").boundingBox();
    await page.mouse.move(ruler.x + 400, ruler.y + 10);
    await page.mouse.down();
    await page.mouse.move(ruler.x + 700, ruler.y + 10, { steps: 5 });
    await page.mouse.up();
    await page.waitForSelector(".details .plain td");
    assert.match(await page.locator(".details h2").innerText(), /^2\.\d+ s\s+selected/);
    await page.keyboard.press("f");
    await page.waitForTimeout(500);
    const [from, to] = await view(page);
    assert(to - from < 3.5e9);
    await page.mouse.move(900, 500);
    await page.mouse.down();
    await page.mouse.move(1100, 500, { steps: 5 });
    await page.mouse.up();
    await page.waitForTimeout(500);
    assert((await view(page))[0] < from);
    await page.getByRole("tab", { name: "flame graph" }).click();
    await page.waitForSelector(".details .flame canvas");
    if (shots) await page.screenshot({ path: `${shots}/selection.png` });
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".details").count(), 0);
  },
  async "a group opens, a span says what it is, u and ] follow, p pins"(page) {
    await page.getByRole("button", { name: "main.worker" }).click();
    await page.waitForTimeout(500);
    await page.mouse.move(900, 500);
    for (let i = 0; i < 10; i++) await page.mouse.wheel(0, -200);
    await page.waitForTimeout(800);
    const lane = await page.evaluate(() => { const e = globalThis.gotrailTimeline; const r = e.rows.value.find((x) => x.section.kind === "members"); return e.laneOf(r); });
    const p = await place(page, lane);
    await page.mouse.click(p.x + p.width / 2, p.y);
    await page.waitForSelector(".details .facts");
    assert.match(await page.locator(".details h2").innerText(), new RegExp(`^G${lane.slice(3)} `));
    const first = page.url();
    await page.keyboard.press("]");
    await page.waitForTimeout(500);
    assert.notEqual(page.url(), first);
    for (let i = 0; i < 12 && (await page.locator(".details dt", { hasText: "ended by" }).count()) === 0; i++) {
      await page.keyboard.press("]");
      await page.waitForTimeout(250);
    }
    const ended = /G(\d+)/.exec(await page.locator(".details dd .link", { hasText: /^G\d/ }).first().innerText())[1];
    await page.keyboard.press("u");
    await page.waitForTimeout(600);
    assert.match(page.url(), new RegExp(`at=go:${ended}@`));
    assert(await place(page, `go:${ended}`), "its lane can be seen");
    if (shots) await page.screenshot({ path: `${shots}/follow.png` });
    await page.getByRole("button", { name: "critical path" }).click();
    await page.waitForSelector(".details h2:has-text('Critical path')");
  },
  async "a link restores the whole view"() {
    const hash = "#/timeline?v=5332087206-5503036782&at=go:56@5413262195&c=function&clock=1&pins=go:56,gc&open=group:1&sort=start";
    const page = await open(hash);
    assert.match(await page.locator(".details h2").innerText(), /^G56 blocked on/);
    assert.equal(await page.locator(".label.pinned").count(), 2);
    assert.equal(await page.locator(".corner select").first().inputValue(), "function");
    assert.equal(await page.evaluate(() => location.hash), hash);
    if (shots) await page.screenshot({ path: `${shots}/span.png` });
    await page.close();
  },
  async "search completes and goes there"(page) {
    await page.keyboard.press("/");
    await page.keyboard.type("evict");
    await page.waitForSelector("#found li .kind:has-text('function')");
    if (shots) await page.screenshot({ path: `${shots}/search.png` });
    await page.keyboard.press("Enter");
    await page.waitForTimeout(600);
    assert.match(page.url(), /open=group:4/);
    await page.keyboard.press("g");
    await page.keyboard.type("77");
    await page.waitForTimeout(400);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(800);
    assert.match(page.url(), /at=go:77@/);
  },
  async "a filter marks, n goes from match to match"(page) {
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("checkbox", { name: "runnable" }).check();
    await page.getByLabel("at least").fill("8ms");
    await page.getByLabel("at least").press("Tab");
    await page.waitForFunction(() => /^\d/.test(document.querySelector(".matches")?.textContent ?? ""));
    await page.getByRole("button", { name: "done" }).click();
    await page.keyboard.press("n");
    await page.waitForTimeout(600);
    assert.match(await page.locator(".matches").innerText(), /^1 of/);
    await page.keyboard.press("n");
    await page.waitForTimeout(400);
    assert.match(await page.locator(".matches").innerText(), /^2 of/);
    assert.match(page.url(), /fs=1&fmin=8000000/);
    if (shots) await page.screenshot({ path: `${shots}/filter.png` });
  },
  async "measuring says how long"(page) {
    await page.mouse.move(700, 500);
    await page.keyboard.press("m");
    await page.mouse.move(1000, 500);
    await page.keyboard.press("m");
    const m = await page.evaluate(() => globalThis.gotrailTimeline.measure);
    assert(m.to - m.from > 2e9);
    await page.keyboard.press("Escape");
  },
  async "? shows keys, Esc closes"(page) {
    await page.keyboard.press("?");
    await page.waitForSelector(".help");
    if (shots) await page.screenshot({ path: `${shots}/keys.png` });
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".help").count(), 0);
  },
  async "a group's histogram filters its goroutines"() {
    const page = await open("#/goroutines/group/2");
    await page.waitForSelector(".histogram svg");
    const all = await page.locator(".table-tools .faint").first().innerText();
    const box = await page.locator(".histogram svg").boundingBox();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.95, box.y + 30, { steps: 4 });
    await page.mouse.up();
    await page.waitForTimeout(400);
    assert.notEqual(await page.locator(".table-tools .faint").first().innerText(), all);
    if (shots) await page.screenshot({ path: `${shots}/group.png` });
    await page.close();
  },
  async "every page shows figures"() {
    for (const [hash, text] of [["overview", "Findings"], ["goroutines", "main.worker"], ["goroutines/81", "Longest waits"], ["tasks", "checkout"], ["tasks/1", "decode"], ["regions", "decode"], ["latency", "chan receive"], ["gc", "Minimum mutator utilization"], ["profiles/sched", "runtime.schedule"], ["health", "generations"]]) {
      const page = await open(`#/${hash}`);
      if (hash === "tasks/1") await page.waitForSelector(".waterfall canvas");
      else await page.getByText(text).first().waitFor({ timeout: 5000 });
      if (shots) await page.screenshot({ path: `${shots}/${hash.replaceAll("/", "-")}.png` });
      await page.close();
    }
  },
  async "while the trace is read, what is known is shown"() {
    const page = await open("", PORT + 1);
    assert.equal(await page.locator("header progress").count(), 1);
    assert((await page.locator(".label").count()) > 10);
    if (shots) await page.screenshot({ path: `${shots}/indexing.png` });
    await page.close();
  },
  async "names of a hostile trace are only text"() {
    for (const hash of ["", "#/goroutines", "#/goroutines/group/3", "#/goroutines/group/4", "#/tasks"]) {
      const page = await open(hash, PORT + 2);
      await page.waitForTimeout(300);
      assert.doesNotMatch(await page.title(), /pwned/);
      assert.equal(await page.locator("img, #app script").count(), 0);
      assert((await page.evaluate(() => document.body.innerText.length)) < 100_000);
      await page.close();
    }
  },
  async "a picture can be made of the timeline"(page) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "PNG" }).click()]);
    assert.equal(download.suggestedFilename(), "trace.out.png");
    if (shots) await download.saveAs(`${shots}/picture.png`);
  },
  async "light, too"() {
    const page = await open();
    await page.getByRole("button", { name: "Switch to light" }).click();
    await page.waitForTimeout(400);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
    if (shots) await page.screenshot({ path: `${shots}/light.png` });
    await page.getByRole("button", { name: "Switch to dark" }).click();
    await page.close();
  },
};

const only = process.argv[2];
for (const [name, test] of Object.entries(tests)) {
  if (only && !name.includes(only)) continue;
  const page = test.length > 0 ? await open() : null;
  try {
    await test(page);
    console.log(`ok    ${name}`);
  } catch (e) {
    failed++;
    console.log(`FAIL  ${name}\n      ${String(e.stack ?? e).split("\n").slice(0, 6).join("\n      ")}`);
    if (shots && page) await page.screenshot({ path: `${shots}/failed.png` });
  }
  await page?.close();
}
if (errors.length > 0) console.log(`FAIL  the console has errors:\n      ${[...new Set(errors)].slice(0, 8).join("\n      ")}`);
await browser.close();
for (const s of servers) s.kill();
process.exit(failed + errors.length > 0 ? 1 : 0);
