// A browser on a trace: what a person does with it, and what is on the screen. Nothing here waits
// for a time to pass: tests poll for what must come to be.

import { chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { STATE } from "../../../src/palette.ts";
import { view as serve } from "./gotrail.mjs";
import { decodePng } from "./png.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Without a graphics card all but WebGL is fastest without an imitation of one. */
export function launch({ webgl = false } = {}) {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", ...(webgl ? ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"] : ["--disable-gpu"])] });
}

/** Serves a trace to the tests of a `describe`, in one browser. A fault in the console fails the test. */
export function on(trace, options = {}) {
  const it = { server: null, browser: null, trace: null, errors: [], contexts: [], open, /** What of the console is no fault in the test that sets it. */ quiet: null };
  async function open(hash = "", more = {}) {
    const { query = "", ...settings } = { ...options.context, ...more };
    const context = await it.browser.newContext({ viewport: { width: 1400, height: 900 }, colorScheme: "light", reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"], ...settings });
    it.contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(8000);
    page.on("pageerror", (e) => it.errors.push(e.message));
    // Browsers log each answer that is not OK. That there is no span, and no profile, are such answers.
    page.on("console", (m) => m.type() === "error" && !/api\/(span|flame)\?/.test(m.location().url) && it.errors.push(`${m.text()} ${m.location().url}`));
    page.on("dialog", (d) => (it.errors.push(`a dialog: ${d.message()}`), d.dismiss()));
    await page.goto(`${it.server.url}${query}${hash}`);
    await page.locator("header .ok, header .bad").first().waitFor({ timeout: 25000 });
    return page;
  }
  beforeAll(async () => {
    it.trace = typeof trace === "function" ? trace() : trace;
    [it.server, it.browser] = await Promise.all([serve(it.trace, options), launch(options)]);
  });
  afterAll(async () => {
    await it.browser?.close();
    await it.server?.close();
  });
  afterEach(async () => {
    await Promise.all(it.contexts.splice(0).map((c) => c.close()));
    const { quiet } = it;
    it.quiet = null;
    expect(it.errors.splice(0).filter((e) => !quiet?.test(e)), "errors in the console").toEqual([]);
  });
  return it;
}

/** What part of the trace the address says is shown, or `null` for all of it. */
export async function viewOf(page) {
  const m = /[?&]v=(-?\d+)-(-?\d+)/.exec(page.url());
  return m ? { from: Number(m[1]), to: Number(m[2]) } : null;
}

/** Waits until something is as it should be, and has stopped changing. */
export async function rested(page, look, like) {
  let last;
  await expect.poll(async () => {
    const before = last;
    last = String(await look());
    return last === before && like.test(last);
  }, { interval: 350 }).toBe(true);
}

/** Waits until the address has another view than `old`, and has come to rest. */
export async function movedView(page, old = null) {
  let last;
  await expect.poll(async () => {
    const before = last;
    last = JSON.stringify(await viewOf(page));
    return last !== JSON.stringify(old) && last === before;
  }, { interval: 350 }).toBe(true);
  return JSON.parse(last);
}

/** The rectangle of a lane's row in the window, once it is there. */
export async function lane(page, id) {
  let place;
  await expect.poll(async () => {
    place = await page.evaluate((l) => {
      const p = globalThis.gotrailTimeline.placeOf(l);
      const b = document.querySelector(".over").getBoundingClientRect();
      return p && p.top + p.height <= b.height && { x: b.left, y: b.top + p.top, width: b.width, height: p.height };
    }, id);
    return Boolean(place);
  }, { message: `the lane ${id} is on the screen` }).toBe(true);
  return place;
}

/** Scrolls until a row with this name can be seen. */
export async function scrollTo(page, key) {
  await expect.poll(() => page.evaluate((k) => {
    const e = globalThis.gotrailTimeline;
    const s = e.layout.value.sections.find((x) => x.key === k);
    if (s) e.scrollTo(Math.max(0, s.y - 40));
    return Boolean(s);
  }, key), { message: `there is a row ${key}` }).toBe(true);
}

/** Where a moment is in the window, from left to right. */
export function xOf(page, time) {
  return page.evaluate((t) => document.querySelector(".over").getBoundingClientRect().left + globalThis.gotrailTimeline.x(t), time);
}

export async function hover(page, laneId, time) {
  const [p, x] = [await lane(page, laneId), await xOf(page, time)];
  await page.mouse.move(x, p.y + p.height / 2);
  return { x, y: p.y + p.height / 2 };
}

export async function click(page, laneId, time) {
  const at = await hover(page, laneId, time);
  await page.mouse.click(at.x, at.y);
}

/** Colours from left to right, at a part of the height of a rectangle of the window. */
export async function colours(page, box, part = 0.8) {
  const clip = { x: Math.ceil(box.x), y: Math.floor(box.y + box.height * part), width: Math.floor(box.width) - 1, height: 1 };
  const png = decodePng(await page.screenshot({ clip }));
  return Array.from({ length: png.width }, (_, x) => png.at(x, 0));
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const STATES_RGB = { light: STATE.map((s) => rgb(s.light)), dark: STATE.map((s) => rgb(s.dark)) };

/** The state that has a colour, hatched or not, or -1. */
export function stateOf(colour, theme = "light") {
  return STATES_RGB[theme].findIndex((c) => [1, 0.78].some((k) => c.every((v, i) => Math.abs(v * k - colour[i]) <= 3)));
}

/** What part of a row each state takes, of the pixels that have the colour of one. */
export async function statesOnScreen(page, laneId, part) {
  const found = (await colours(page, await lane(page, laneId), part)).map((c) => stateOf(c));
  const known = found.filter((s) => s >= 0);
  return STATE.map((_, s) => known.filter((x) => x === s).length / Math.max(1, known.length));
}

/** The rows of a table that are in the document: of each cell its text, by its head; `title` has the exact figures. */
export async function table(page, name) {
  const box = page.locator("table", { has: page.locator("caption", { hasText: new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) }) });
  await box.waitFor();
  return box.evaluate((t) => {
    const heads = [...t.querySelectorAll("thead th")].map((h) => h.textContent.replace(/[▴▾\s]+$/u, ""));
    return [...t.querySelectorAll("tbody tr:not([aria-hidden])")].map((r) => Object.fromEntries([...r.cells].flatMap((c, i) => [[heads[i], c.textContent.trim()], [`${heads[i]} exact`, c.title]])));
  });
}

/** All rows of a table with every digit: what its button copies. */
export async function copied(page, name, button = "copy CSV") {
  const box = page.locator(".table-box", { has: page.locator("caption", { hasText: new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) }) });
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await box.getByRole("button", { name: button }).click();
  return parseCsv(await clipboard(page));
}

export async function clipboard(page) {
  let text = "";
  await expect.poll(async () => (text = await page.evaluate(() => navigator.clipboard.readText())), { message: "something was copied" }).not.toBe("");
  return text;
}

/** Rows as objects; numbers where a cell is one. */
export function parseCsv(text) {
  const rows = [[""]];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    const row = rows.at(-1);
    if (quoted && c === '"' && text[i + 1] === '"') (row[row.length - 1] += '"'), i++;
    else if (c === '"') quoted = !quoted;
    else if (c === "," && !quoted) row.push("");
    else if (c === "\n" && !quoted) rows.push([""]);
    else row[row.length - 1] += c;
  }
  if (rows.at(-1).length === 1 && rows.at(-1)[0] === "") rows.pop();
  const [heads, ...body] = rows;
  return body.map((r) => Object.fromEntries(r.map((v, i) => [heads[i], /^-?\d+(\.\d+)?(e[-+]\d+)?$/.test(v) ? Number(v) : v])));
}

/** The figures of a table of states, by name, in nanoseconds. */
export async function statesTable(box) {
  await box.locator("table.plain").first().waitFor();
  return Object.fromEntries(await box.locator("table.plain").first().evaluate((t) => [...t.querySelectorAll("tbody tr")].map((r) => [r.cells[0].textContent.trim(), Number(r.cells[1].title.replace(/[^\d]/g, ""))])));
}

/** The definition of a term in a list of facts. */
export function fact(box, term) {
  return box.locator("dt", { hasText: new RegExp(`^${term}$`) }).locator("xpath=following-sibling::dd[1]");
}

/** Numbers of a text: `1,234 ns` is 1234. */
export const number = (text) => Number(text.replace(/[^\d.-]/g, ""));
