// A trace can hold anything. What it holds is shown as text, cut where it is long, and never runs.

import { describe, expect, test } from "vitest";
import { ask } from "./help/gotrail.mjs";
import { endless, GO, hostile, NAMES, TASK } from "./help/hostile.mjs";
import { clipboard, copied, lane, on } from "./help/screen.mjs";

/** Nothing of the trace became a part of the page. */
async function unharmed(page) {
  expect(await page.title()).not.toContain("pwned");
  expect(await page.evaluate(() => [...document.querySelectorAll("#app script, #app img, #app style, #app b b, #app iframe, #app [onload], #app [onerror], a[href^='javascript' i]")].map((e) => e.outerHTML))).toEqual([]);
  expect(await page.evaluate(() => globalThis.refused ?? [])).toEqual([]);
  // Nothing is wider than the window.
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
}

async function watched(it, hash) {
  const page = await it.open(hash);
  await page.evaluate(() => document.addEventListener("securitypolicyviolation", (e) => (globalThis.refused ??= []).push(e.violatedDirective)));
  return page;
}

describe("markup and script as names, ids at the limits", () => {
  const it = on(hostile);

  test("the trace is whole, and has these names", () => {
    expect(ask(it.trace, "info")[0].health.complete).toBe(true);
    expect(ask(it.trace, "goroutines").map((g) => g.function)).toContain(NAMES.function);
    expect(ask(it.trace, "tasks").map((t) => t.name)).toEqual(expect.arrayContaining([NAMES.task, NAMES.long]));
  });

  test("the timeline: names of groups, regions, tasks", async () => {
    const page = await watched(it, `#/timeline?open=tasks&pins=go:${GO},regions:${GO},task:${TASK}`);
    await lane(page, `go:${GO}`);
    await expect.poll(() => page.locator(".label.pinned").first().innerText()).toContain("onerror=alert(1)>");
    await page.locator(".rows").getByRole("button", { name: "onerror=alert(1)>" }).click();
    await expect.poll(() => page.locator(".label.item.d1").allInnerTexts()).toEqual(expect.arrayContaining([expect.stringContaining(TASK)]));
    await expect.poll(async () => {
      await page.locator(".scroller").evaluate((e) => (e.scrollTop = e.scrollHeight));
      return page.locator(".label.item.d2").allInnerTexts();
    }).toEqual(expect.arrayContaining([expect.stringContaining(`G${GO}`)]));
    const at = await lane(page, `go:${GO}`);
    for (let x = 10; x < at.width; x += 40) await page.mouse.move(at.x + x, at.y + 10);
    await unharmed(page);
  });

  test("a span of the goroutine with the highest id", async () => {
    const g = ask(it.trace, "goroutines", "--each").find((x) => String(x.id) === String(Number(GO)));
    const page = await watched(it, `#/timeline?at=go:${GO}@${g.after + 1000}`);
    await expect.poll(async () => (await page.locator(".details h2").allInnerTexts()).join()).toContain(`G${GO} `);
    await unharmed(page);
  });

  test("every page shows them as text", async () => {
    for (const [hash, text] of [
      ["overview", "onerror=alert(1)>"], ["goroutines", "onerror=alert(1)>"], [`goroutines/${GO}`, `G${GO} <script>`], ["tasks", "</td><svg"], [`tasks/${TASK}`, NAMES.task], ["tasks/2", "longlong"],
      ["regions", "<b>bold</b>&lt;"], [`regions/${encodeURIComponent(NAMES.region)}`, "javascript:alert(3)"], ["latency", "sync"], ["profiles/wall", "<script>"], ["health", "whole"],
    ]) {
      const page = await watched(it, `#/${hash}`);
      await expect.poll(() => page.locator(".page").innerText(), { message: hash }).toContain(text);
      await unharmed(page);
      await page.close();
    }
  });

  test("logs, search, filter and copies", async () => {
    const page = await watched(it, `#/tasks/${TASK}`);
    await expect.poll(() => page.locator(".page").innerText()).toContain(NAMES.log);
    const rows = await copied(page, `logs of task ${TASK}`);
    expect(rows.map((r) => r.message)).toContain(NAMES.log);
    await page.goto(`${it.server.url}#/goroutines`);
    const cells = await copied(page, "goroutine groups");
    expect(cells.map((r) => r["start function"])).toContain(NAMES.function);
    await page.keyboard.press("/");
    await page.locator("#search").fill("<svg");
    await expect.poll(() => page.locator("#found").innerText()).toContain(NAMES.task);
    await unharmed(page);
    await page.locator("#search").fill("");
    await page.goto(`${it.server.url}#/timeline?ff=${encodeURIComponent("<script>")}&fk=${encodeURIComponent("\"'><img>")}`);
    await expect.poll(() => page.locator(".matches").innerText()).toMatch(/\d/);
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await page.getByRole("button", { name: "link" }).click();
    expect(await clipboard(page)).toContain("ff=%3Cscript%3E");
    await unharmed(page);
  });

  test("an address that tells lies is only text, too", async () => {
    // The server says that there is no such type of regions.
    it.quiet = /api\/answer\/regions/;
    const page = await watched(it, `#/goroutines/${encodeURIComponent("<img src=x onerror=alert(9)>")}?at=evil:1@5&pins=javascript:1,go:1&o.range=<b>&o.sort-x=<b>`);
    await page.locator(".page").waitFor();
    await unharmed(page);
    await page.goto(`${it.server.url}#/regions/${encodeURIComponent("<img src=x onerror=alert(9)>")}`);
    await expect.poll(() => page.locator(".page h2").innerText()).toContain("<img src=x");
    await unharmed(page);
  });
});

describe("a name of a million characters", () => {
  const it = on(endless);

  test("is cut wherever it is shown", async () => {
    expect(ask(it.trace, "regions").map((r) => r.type.length)).toContain(1_000_000);
    for (const hash of ["regions", "goroutines", "overview", "timeline?pins=regions:1,go:1", "tasks", "health"]) {
      const page = await watched(it, `#/${hash}`);
      await page.locator(".page, .label").first().waitFor();
      if (hash === "regions") await expect.poll(() => page.locator(".vtable").innerText()).toContain("…");
      expect(await page.evaluate(() => Math.max(...[...document.querySelectorAll("*")].flatMap((e) => [...e.attributes].map((a) => a.value.length)).concat(document.body.innerText.length)))).toBeLessThan(20_000);
      await unharmed(page);
      await page.close();
    }
  });

  test("does not keep a page from opening its own", async () => {
    const page = await watched(it, "#/regions");
    await page.locator(".vtable tbody tr", { hasText: "<b><b>" }).click();
    await expect.poll(() => page.locator(".page h2").innerText()).toContain("…");
    await unharmed(page);
  });
});
