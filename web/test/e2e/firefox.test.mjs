// The main view in Firefox, by WebDriver BiDi: lanes are drawn, names and figures are right.

import { afterAll, beforeAll, expect, test } from "vitest";
import puppeteer from "puppeteer-core";
import { count, duration } from "../../src/time/format.ts";
import { ask, recorded, view } from "./help/gotrail.mjs";
import { stateOf } from "./help/screen.mjs";
import { decodePng } from "./help/png.mjs";

let server;
let browser;
let page;
const errors = [];
const trace = recorded("cpu");

beforeAll(async () => {
  server = await view(trace);
  browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true, defaultViewport: null, args: ["--width=1400", "--height=1000"] });
  page = await browser.newPage();
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
  await page.goto(server.url);
  await page.waitForSelector("header .ok");
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const text = (selector) => page.$$eval(selector, (l) => l.map((e) => e.textContent).join("\n"));

test("names and figures are those of `info`, `procs` and `goroutines`", async () => {
  const [info] = ask(trace, "info");
  expect(await text("h1")).toBe("cpu.trace");
  expect(await text(".about")).toContain(duration(info.duration_ns));
  const labels = () => page.$$eval(".label", (l) => l.map((e) => [e.querySelector(".name").title, e.querySelector(".note")?.textContent]));
  await expect.poll(async () => (await labels()).length).toBeGreaterThan(15);
  const shown = new Map(await labels());
  expect(shown.get("Procs")).toBe(count(info.procs));
  for (const g of ask(trace, "goroutines")) expect(shown.get(g.function), g.function).toBe(count(g.count));
});

test("lanes are drawn, in the proportions of `goroutines`", async () => {
  const { groups } = await server.api("lanes");
  const g = ask(trace, "goroutines").find((x) => x.function === "main.main.func1");
  const id = groups.find((x) => x.function === g.function).lane;
  const [info] = ask(trace, "info");
  const running = async () => {
    const box = await page.evaluate((l) => {
      const p = globalThis.gotrailTimeline.placeOf(l);
      const b = document.querySelector(".over").getBoundingClientRect();
      return p && { x: Math.ceil(b.left), y: b.top + p.top + 2, width: Math.floor(b.width) - 1, height: p.height - 4 };
    }, id);
    if (!box) return -1;
    const png = decodePng(Buffer.from(await page.screenshot({ clip: box })));
    let n = 0;
    for (let x = 0; x < png.width; x++) for (let y = 0; y < png.height; y++) if (stateOf(png.at(x, y)) === 0) n++;
    return n / (png.width * png.height);
  };
  // Heights are shares of as many goroutines as there were, of which three at most.
  await expect.poll(running).toBeGreaterThan(g.running / g.count / info.duration_ns / 1.5);
  expect(await running()).toBeLessThan(1);
});

test("the wheel zooms, a click says what a span is, a page shows its table", async () => {
  const box = await (await page.$(".over")).boundingBox();
  await page.mouse.move(box.x + 300, box.y + 300);
  await page.mouse.wheel({ deltaY: -400 });
  await expect.poll(() => page.url()).toMatch(/v=\d+-\d+/);
  const p0 = await page.evaluate(() => globalThis.gotrailTimeline.placeOf("proc:0"));
  await page.mouse.click(box.x + 300, box.y + p0.top + p0.height / 2);
  await expect.poll(() => text(".details h2")).toMatch(/^P0 ran G\d+/);
  await page.evaluate(() => (location.hash = "#/gc"));
  const [gc] = ask(trace, "gc");
  await expect.poll(() => text(".card")).toContain(duration(gc.longest_stop));
  expect(errors).toEqual([]);
});
