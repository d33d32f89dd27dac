// The search box, and the filter: what they find is what the commands count.

import { describe, expect, test } from "vitest";
import { count, duration } from "../../src/time/format.ts";
import { ask, mixed, recorded } from "./help/gotrail.mjs";
import { click, colours, lane, movedView, number, on, stateOf, viewOf } from "./help/screen.mjs";

const details = (page) => page.locator(".details h2");

describe("searching", () => {
  const it = on(mixed);
  const found = (page, kind) => page.locator("#found li", { has: page.locator(".kind", { hasText: new RegExp(`^${kind}$`) }) });
  async function search(page, text) {
    await page.keyboard.press("/");
    await page.locator("#search").fill(text);
  }

  test("functions: with how many goroutines began with them; Enter opens their group", async () => {
    const page = await it.open();
    const g = ask(it.trace, "goroutines").find((x) => x.function === "main.collect");
    await search(page, "collect");
    await expect.poll(() => found(page, "function").first().innerText()).toContain(`${count(g.count)} goroutines`);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".label.item.d2").count()).toBeGreaterThan(0);
    await expect.poll(() => page.url()).toMatch(/open=group:\d+/);
  });

  test("functions that no goroutine began with: the spans that have them in their stack", async () => {
    const page = await it.open();
    const waits = ask(it.trace, "latency", "--by", "stack").filter((r) => r.stack.some?.((f) => (f.function ?? f) === "main.flush") || String(r.stack).includes("main.flush"));
    expect(waits.length).toBeGreaterThan(0);
    expect(ask(it.trace, "goroutines").some((g) => g.function === "main.flush")).toBe(false);
    await search(page, "main.flush");
    await expect.poll(() => found(page, "in stacks").first().innerText()).toContain("main.flush");
    expect(await found(page, "function").count()).toBe(0);
    await found(page, "in stacks").first().click();
    await expect.poll(() => page.url()).toContain("fk=main.flush");
    // All waits with it are marked, and what else began there.
    await expect.poll(async () => number((await page.locator(".matches").innerText()).split("\n")[0])).toBeGreaterThanOrEqual(waits.reduce((a, r) => a + r.count + r.open, 0));
    await page.keyboard.press("Escape");
    await page.locator("h1").click();
    await page.keyboard.press("n");
    await expect.poll(async () => (await page.locator(".details .stack").allInnerTexts()).join()).toContain("main.flush");
  });

  test("n and N go on from where one looks, however many matches there are before", async () => {
    const all = ask(it.trace, "latency", "--by", "state").find((l) => l.state === "sched");
    const page = await it.open("#/timeline?v=15000000-15100000&fs=1");
    const at = () => page.locator(".matches").innerText().then((t) => t.split("\n")[0]);
    const where = () => Number(/@(\d+)/.exec(decodeURIComponent(page.url()))?.[1] ?? -1);
    await expect.poll(at).toMatch(/^[\d,]+$/);
    const total = number(await at());
    expect(total / (all.count + all.open)).toBeCloseTo(1, 1);
    // How many waits for a proc began before: those of the time up to there, the open ones too.
    const began = (to) => ((l) => l.count + l.open)(ask(it.trace, "latency", "--by", "state", "--to", to).find((l) => l.state === "sched"));
    expect(began("15ms")).toBeGreaterThan(5000);
    await page.keyboard.press("n");
    await expect.poll(at).toContain(" of ");
    const before = number((await at()).split(" of ")[0]) - 1;
    expect(before / began("15ms")).toBeCloseTo(1, 1);
    await page.keyboard.press("N");
    await expect.poll(at).toBe(`${count(before)} of ${count(total)}`);
    for (const [key, n] of [["n", 1], ["n", 2], ["N", 1], ["N", 0], ["N", -1]]) {
      await page.keyboard.press(key);
      await expect.poll(at, { message: `${key} to ${n}` }).toBe(`${count(before + n)} of ${count(total)}`);
      expect(await details(page).innerText()).toContain("runnable");
      expect(Math.abs(where() - 15e6)).toBeLessThan(5e6);
    }
    // Elsewhere it begins anew, also backwards.
    await page.goto(`${it.server.url}#/timeline?v=10000000-10100000&fs=1`);
    await expect.poll(() => viewOf(page)).toEqual({ from: 10000000, to: 10100000 });
    await page.keyboard.press("N");
    await expect.poll(async () => number((await at()).split(" of ")[0])).toBeLessThan(before - 500);
    expect(number((await at()).split(" of ")[0]) / began("10ms")).toBeCloseTo(1, 1);
  });

  test("a goroutine by its number, also with g", async () => {
    const page = await it.open();
    const g = ask(it.trace, "goroutines", "--each", "--function", "^main\\.worker$").find((x) => x.after > 5e6);
    await page.keyboard.press("g");
    await page.keyboard.type(String(g.id));
    await expect.poll(() => found(page, "go to").first().innerText()).toContain(`G${g.id}`);
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await details(page).allInnerTexts()).join()).toMatch(new RegExp(`^G${g.id} `));
    await lane(page, `go:${g.id}`);
  });

  test("tasks, regions and log texts lead to their places", async () => {
    const page = await it.open();
    const tasks = ask(it.trace, "tasks");
    await search(page, "upload");
    await expect.poll(() => found(page, "task").count()).toBeGreaterThan(0);
    const id = Number((await found(page, "task").first().innerText()).match(/\d+/)[0]);
    expect(tasks.find((t) => t.id === id).name).toBe("upload");
    await found(page, "task").first().click();
    await expect.poll(() => page.locator(".page h2").innerText()).toBe(`Task ${id} upload`);

    const region = ask(it.trace, "regions").find((r) => r.type === "render");
    await search(page, "render");
    await expect.poll(() => found(page, "region").first().innerText()).toContain(`${count(region.count + region.incomplete)} times`);
    await found(page, "region").first().click();
    await expect.poll(() => page.locator(".page h2").innerText()).toBe("Regions render");

    const log = ask(it.trace, "logs").find((l) => l.message === "item 777");
    await search(page, "item 777");
    await expect.poll(() => found(page, "log").first().innerText()).toContain(`G${log.goroutine} `);
    await found(page, "log").first().click();
    await expect.poll(async () => (await details(page).allInnerTexts()).join()).toMatch(new RegExp(`^G${log.goroutine} `));
    await expect.poll(() => page.url()).toContain(`at=go:${log.goroutine}@${log.after}`);
  });

  test("a moment; and what is not there is said not to be", async () => {
    const page = await it.open("#/timeline?v=1000000-2000000");
    await search(page, "12ms");
    await expect.poll(() => found(page, "go to").first().innerText()).toContain("12");
    await page.keyboard.press("Enter");
    const v = await movedView(page, { from: 1000000, to: 2000000 });
    expect((v.from + v.to) / 2).toBeCloseTo(12e6, -2);
    await search(page, "no such thing");
    await expect.poll(() => page.locator("#found").innerText()).toContain("Nothing has this in its name");
  });
});

describe("filtering", () => {
  const it = on(() => recorded("channels"));
  const start = () => ask(it.trace, "info")[0].start_time;
  const total = async (page) => Number(((await page.locator(".matches").innerText()).match(/(?:of )?([\d,]+)\s*[‹]/)?.[1] ?? "-1").replaceAll(",", ""));
  async function form(page) {
    await page.getByRole("button", { name: "Filter" }).click();
    return page.getByRole("dialog", { name: "Filter" });
  }

  test("by reason, as many as `latency` counts; n and N go from one to the next and back", async () => {
    const page = await it.open();
    const row = ask(it.trace, "latency").find((l) => l.reason === "chan receive");
    const f = await form(page);
    await f.getByLabel("reason has").fill("chan receive");
    await f.getByLabel("reason has").press("Tab");
    await expect.poll(() => total(page)).toBe(row.count + row.open);
    await f.getByRole("button", { name: "done" }).click();
    const seen = [];
    for (const key of ["n", "n", "N"]) {
      const before = page.url();
      await page.keyboard.press(key);
      await expect.poll(() => page.url()).not.toBe(before);
      await expect.poll(async () => (await details(page).allInnerTexts()).join()).toContain("blocked on chan receive");
      seen.push([(await page.locator(".matches").innerText()).split(" ")[0], new URL(page.url()).hash.match(/at=([^&]+)/)[1]]);
    }
    expect(seen.map((s) => s[0])).toEqual(["1", "2", "1"]);
    expect(seen[2][1]).toBe(seen[0][1]);
  });

  test("by length and state; Back takes it away", async () => {
    const page = await it.open();
    const row = ask(it.trace, "latency").find((l) => l.reason === "sync.(*Cond).Wait");
    const f = await form(page);
    await f.getByRole("checkbox", { name: "sync" }).check();
    await f.getByLabel("at least").fill("1ms");
    await f.getByLabel("at least").press("Tab");
    await f.getByLabel("reason has").fill("Cond");
    await f.getByLabel("reason has").press("Tab");
    // All three waits for the condition took more than a millisecond.
    await expect.poll(() => total(page)).toBe(row.count);
    await f.getByLabel("at most").fill(`${row.max - 1}ns`);
    await f.getByLabel("at most").press("Tab");
    await expect.poll(() => total(page)).toBeLessThan(row.count);
    await f.getByLabel("at least").fill("soon");
    await f.getByLabel("at least").press("Tab");
    expect(await f.getByRole("alert").innerText()).toContain("is no length of time");
    await expect.poll(() => page.url()).toContain("fmin=1000000");
    await page.goBack();
    await expect.poll(() => page.url()).not.toContain("fmax");
    await expect.poll(() => total(page)).toBe(row.count);
  });

  test("what is being typed stays when the answer to something else comes", async () => {
    const page = await it.open();
    const f = await form(page);
    const reason = f.getByLabel("reason has");
    await reason.fill("Cond");
    // Sets the next field of the form without leaving this one.
    await f.getByRole("checkbox", { name: "sync" }).evaluate((box) => box.click());
    await expect.poll(() => total(page)).toBeGreaterThan(0);
    expect(await reason.inputValue()).toBe("Cond");
    const before = await total(page);
    await reason.press("Tab");
    await expect.poll(() => total(page)).toBeLessThan(before);
  });

  test("changes at once all count", async () => {
    const page = await it.open();
    const f = await form(page);
    // Before anything is drawn anew.
    await f.evaluate((form) => form.querySelectorAll("input[type=checkbox]").forEach((box) => box.checked || box.click()));
    for (const box of await f.getByRole("checkbox").all()) await expect.poll(() => box.isChecked()).toBe(true);
  });

  test("by function and by stack", async () => {
    const page = await it.open();
    const rows = ask(it.trace, "latency", "--by", "stack").filter((r) => r.state === "block" && r.stack.includes("main.main.func5"));
    const f = await form(page);
    await f.getByLabel("stack has").fill("main.main.func5");
    await f.getByLabel("stack has").press("Tab");
    await f.getByLabel("function has").fill("main.main");
    await f.getByLabel("function has").press("Tab");
    for (const s of ["sync", "channel", "sleep"]) await f.getByRole("checkbox", { name: s }).check();
    await expect.poll(() => total(page)).toBe(rows.reduce((a, r) => a + r.count + r.open, 0));
    await f.getByLabel("function has").fill("nobody");
    await f.getByLabel("function has").press("Tab");
    await expect.poll(() => total(page)).toBe(0);
    await f.getByRole("button", { name: "done" }).click();
    await page.keyboard.press("n");
    await expect.poll(() => page.locator(".toast").innerText()).toContain("Nothing matches");
  });

  test("matches are marked on the strip, and what does not match fades", async () => {
    const [w] = ask(it.trace, "goroutine", "22", "--waits", "50")[0].waits.filter((x) => x.kind.includes("Cond"));
    const D = ask(it.trace, "info")[0].duration_ns;
    const page = await it.open("#/timeline?fl=Cond&pins=go:22");
    const box = await page.locator(".strip").boundingBox();
    const dark = async () => (await colours(page, { ...box, height: 3 }, 0.4)).map((c) => c.every((v) => v < 160));
    const at = Math.round(((w.from - start()) / D) * box.width);
    await expect.poll(async () => (await dark()).slice(Math.max(0, at - 4), at + 6).some(Boolean)).toBe(true);
    expect((await dark()).slice(Math.round(box.width * 0.7)).some(Boolean)).toBe(false);
    // The wait keeps its colour; the sleep next to it has lost it.
    const states = new Set((await colours(page, await lane(page, "go:22"))).map((c) => stateOf(c)));
    expect(states.has(4)).toBe(true);
    expect(states.has(7)).toBe(false);
    await page.getByTitle("No filter").click();
    await expect.poll(async () => new Set((await colours(page, await lane(page, "go:22"))).map((c) => stateOf(c))).has(7)).toBe(true);
  });

  test("a stack fades what does not have it", async () => {
    const w = ask(it.trace, "goroutine", "22", "--waits", "50")[0].waits.find((x) => x.kind.includes("Cond"));
    const place = w.stack.find((f) => f.function.startsWith("main."));
    const page = await it.open(`#/timeline?fk=${encodeURIComponent(place.function)}&fs=4&pins=go:22`);
    const seen = async () => new Set((await colours(page, await lane(page, "go:22"))).map((c) => stateOf(c)));
    await expect.poll(async () => [...(await seen())].filter((s) => s >= 0)).toEqual([4]);
    await page.goto(`${it.server.url}#/timeline?fk=nobody.has.this&pins=go:22`);
    await expect.poll(async () => [...(await seen())].filter((s) => s >= 0)).toEqual([]);
  });

  test("from a span to all that are like it", async () => {
    const page = await it.open("#/timeline?pins=go:22");
    const row = ask(it.trace, "latency").find((l) => l.reason === "sync.(*Cond).Wait");
    const w = ask(it.trace, "goroutine", "22", "--waits", "50")[0].waits.find((x) => x.kind.includes("Cond"));
    await click(page, "go:22", (w.from + w.until) / 2 - start());
    await page.getByRole("button", { name: "mark them" }).click();
    await expect.poll(() => total(page)).toBe(row.count);
    await page.getByTitle("Next match (n)").click();
    await expect.poll(async () => (await details(page).allInnerTexts()).join()).toContain(duration(row.max).split(" ")[1]);
    expect(await viewOf(page)).not.toBeNull();
  });
});

describe("filtering a server", () => {
  const it = on(mixed);

  test("by state: lanes of procs, of the collector and of groups fade but for it", async () => {
    const page = await it.open("#/timeline");
    const { groups } = await it.server.api("lanes");
    const group = groups.find((g) => g.function === "main.collect").lane;
    const states = async (id, part) => new Set((await colours(page, await lane(page, id), part)).map((c) => stateOf(c)).filter((s) => s >= 0));
    await expect.poll(() => states("proc:0")).toContain(0);
    await expect.poll(() => states("gc")).toContain(8);
    expect([...(await states(group, 0.7))]).toContain(1);
    await page.goto(`${it.server.url}#/timeline?fs=1`);
    await expect.poll(async () => [...(await states("proc:0"))]).toEqual([]);
    expect([...(await states("gc"))]).toEqual([]);
    expect([...(await states(group, 0.7))]).toEqual([1]);
    // What ran on a proc was running: it stays, if that is what is asked for.
    await page.goto(`${it.server.url}#/timeline?fs=0`);
    await expect.poll(() => states("proc:0")).toContain(0);
    expect([...(await states(group, 0.7))]).not.toContain(1);
  });
});
