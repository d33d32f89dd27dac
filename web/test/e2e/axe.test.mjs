// Axe finds no serious fault on any page, in light and dark.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { mixed } from "./help/gotrail.mjs";
import { on } from "./help/screen.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const it = on(mixed);
const PAGES = {
  timeline: ".label", "timeline?s=5000000-9000000": ".details tbody", "timeline?at=proc:0@9000000&pins=proc:0&fs=1": ".details .facts", "timeline?open=group:2&c=function": ".label.item", "timeline?why=all@5000000-9000000": ".details tbody",
  overview: ".finding", goroutines: ".vtable", "goroutines/group/2": ".histogram", "goroutines/4": ".vtable", tasks: ".vtable", "tasks/1": ".waterfall", regions: ".vtable", "regions/render": ".histogram", latency: ".vtable", gc: ".vtable", profiles: ".flame", health: "dl.figures",
};

describe.each(["light", "dark"])("in %s", (colorScheme) => {
  test("every page", async () => {
    const page = await it.open("", { colorScheme });
    const found = {};
    for (const [hash, ready] of Object.entries(PAGES)) {
      await page.goto(`${it.server.url}#/${hash}`);
      await page.locator(ready).first().waitFor();
      await expect.poll(() => page.locator(".page .empty[role=status]").count(), { message: `${hash} has its answers` }).toBe(0);
      const list = await faults(page);
      if (list.length > 0) found[hash] = list;
    }
    expect(found).toEqual({});
  });

  test("the keys, the filter, what was found, what was measured", async () => {
    const page = await it.open("", { colorScheme });
    await page.keyboard.press("?");
    await page.locator(".help").waitFor();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Filter" }).click();
    expect(await faults(page)).toEqual([]);
    await page.getByRole("button", { name: "done" }).click();
    const box = await page.locator(".over").boundingBox();
    await page.mouse.move(box.x + 300, box.y + 200);
    await page.keyboard.press("m");
    await page.mouse.move(box.x + 600, box.y + 200);
    await page.keyboard.press("m");
    await page.locator(".measured").waitFor();
    await page.locator("#search").fill("main");
    await page.locator("#found li").first().waitFor();
    expect(await faults(page)).toEqual([]);
  });

  test("a narrow window, with its menu; colours by function; open tracks of tasks and regions", async () => {
    const page = await it.open("#/timeline?c=function&open=tasks,regions&fs=1", { colorScheme, viewport: { width: 700, height: 900 } });
    await page.getByRole("button", { name: "View", exact: true }).click();
    await page.locator(".view-menu .legend").waitFor();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 1400, height: 900 });
    await page.locator(".footer .legend button").first().waitFor();
    expect(await faults(page)).toEqual([]);
  });
});

async function faults(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.slice(0, 4).map((n) => `${n.target.join(" ")} ${n.failureSummary?.split("\n")[1]?.trim()}`).join("; ")}`);
}
