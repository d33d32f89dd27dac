// A narrow window: nothing spills out of its box, and what has no room is behind a button.

import { expect, test } from "vitest";
import { bytes, count, duration } from "../../src/time/format.ts";
import { ask, mixed } from "./help/gotrail.mjs";
import { lane, on } from "./help/screen.mjs";

const it = on(mixed);

test.each([1400, 700, 420])("all of the filter form lies in its box, %i pixels wide", async (width) => {
  const page = await it.open("", { viewport: { width, height: 800 } });
  await page.getByRole("button", { name: "Filter" }).click();
  const form = page.getByRole("dialog", { name: "Filter" });
  const box = await form.boundingBox();
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(width);
  const parts = form.locator("input, label, button, p");
  expect(await parts.count()).toBeGreaterThan(20);
  for (const part of await parts.all()) {
    const b = await part.boundingBox();
    expect(b.x, await part.evaluate((e) => e.outerHTML.slice(0, 60))).toBeGreaterThanOrEqual(box.x);
    expect(b.x + b.width, await part.evaluate((e) => e.outerHTML.slice(0, 60))).toBeLessThanOrEqual(box.x + box.width);
  }
  // One can write into them.
  for (const name of ["at least", "at most", "function has", "reason has", "stack has"]) expect((await form.getByLabel(name).boundingBox()).width).toBeGreaterThan(60);
});

test("colour, order, legend and figures are behind View", async () => {
  const page = await it.open("", { viewport: { width: 700, height: 800 } });
  const [info] = ask(it.trace, "info");
  expect(await page.locator("header .ok").isVisible()).toBe(true);
  expect(await page.locator(".corner select").first().isVisible()).toBe(false);
  const button = page.getByRole("button", { name: "View", exact: true });
  await button.click();
  const menu = page.getByRole("dialog", { name: "View" });
  const text = await menu.innerText();
  for (const figure of [duration(info.duration_ns), bytes(info.file_bytes), count(info.goroutines.seen), count(info.tasks.begun)]) expect(text).toContain(figure);
  expect(await menu.locator(".legend").innerText()).toContain("runnable");
  await menu.getByRole("combobox", { name: /sort/ }).selectOption("running");
  await menu.getByRole("combobox", { name: /colour/ }).selectOption("task");
  await expect.poll(() => page.url()).toContain("c=task");
  expect(page.url()).toContain("sort=running");
  await page.keyboard.press("Escape");
  await expect.poll(() => menu.count()).toBe(0);
  // By keyboard alone, and away with a click elsewhere.
  await button.press("Enter");
  await menu.waitFor();
  const at = await lane(page, "proc:0");
  await page.mouse.click(at.x + 20, at.y + 8);
  await expect.poll(() => menu.count()).toBe(0);
});

test("the legend stays at 1000 pixels", async () => {
  const page = await it.open("", { viewport: { width: 1000, height: 800 } });
  const legend = await page.locator(".footer .legend").boundingBox();
  for (const chip of await page.locator(".footer .chip").all()) {
    const b = await chip.boundingBox();
    expect(b.x + b.width).toBeLessThanOrEqual(1000);
    expect(b.y + b.height).toBeLessThanOrEqual(legend.y + legend.height + 1);
  }
});
