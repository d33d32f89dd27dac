// From a span to what it is, who ended it, who made it, and along the chain of causes.

import { describe, expect, test } from "vitest";
import { count, duration } from "../../src/time/format.ts";
import { ask, mixed, recorded, run } from "./help/gotrail.mjs";
import { click, clipboard, colours, copied, fact, lane, number, on, table, viewOf, xOf } from "./help/screen.mjs";

describe("along channels and locks", () => {
  const it = on(() => recorded("channels"));
  const start = () => ask(it.trace, "info")[0].start_time;
  /** The goroutines of `channels`, and of each the waits that another one ended. */
  const lives = () => ask(it.trace, "goroutines", "--each").map((g) => run("goroutine", String(g.id), "--waits", "50", "--json", it.trace)).map((t) => JSON.parse(t));
  const waits = () => lives().flatMap((g) => g.waits.filter((w) => w.ended_by === "goroutine" && w.stack).map((w) => ({ ...w, g })));
  const details = (page) => page.locator(".details");

  async function opened(w) {
    const [from, to] = [w.from - start(), w.until - start()];
    const page = await it.open(`#/timeline?pins=go:${w.g.id},go:${w.meanwhile.goroutine}&v=${Math.floor(from - w.nanos)}-${Math.ceil(to + w.nanos)}`);
    await click(page, `go:${w.g.id}`, (from + to) / 2);
    await expect.poll(async () => (await details(page).locator("h2").allInnerTexts()).join()).toMatch(new RegExp(`^G${w.g.id} `));
    return page;
  }

  test("a click on a span says its state, length, stack, creator, and what ended it", async () => {
    const w = waits().find((x) => x.kind.includes("Cond"));
    const page = await opened(w);
    const head = await details(page).locator("h2").innerText();
    expect(head).toContain("blocked on sync.(*Cond).Wait");
    expect(head).toContain(duration(w.nanos));
    expect(number(await details(page).locator("h2 [title$=' ns']").getAttribute("title"))).toBe(w.nanos);
    expect(head).toContain(`ended by G${w.meanwhile.goroutine}`);
    expect(await fact(details(page), "goroutine").innerText()).toContain(w.g.function);
    expect(await fact(details(page), "from").getAttribute("title")).toContain(`${w.from - start()} ns`);
    expect(await fact(details(page), "to").getAttribute("title")).toContain(`${w.until - start()} ns`);
    expect(await fact(details(page), "created by").innerText()).toContain(`G${w.g.creator.goroutine} ${w.g.creator.function}`);
    const stack = (title) => details(page).locator("h3", { hasText: title }).locator("xpath=..").locator(".stack li").evaluateAll((l) => l.map((x) => x.title));
    expect(await stack("where it waited")).toEqual(w.stack.map((f) => `${f.function} ${f.file}:${f.line}`));
    expect(await stack("what ended it")).toEqual(w.ended_stack.map((f) => `${f.function} ${f.file}:${f.line}`));
    // Spans like it: those of `latency`.
    const alike = ask(it.trace, "latency").find((l) => l.reason === "sync.(*Cond).Wait");
    expect(await fact(details(page), "same place").innerText()).toContain(`${count(alike.count)} spans`);
    expect(await fact(details(page), "same place").innerText()).toContain(`max ${duration(alike.max)}`);
  });

  test("the stack and the span can be copied as text", async () => {
    const w = waits().find((x) => x.kind.includes("Cond"));
    const page = await opened(w);
    await details(page).locator(".buttons").getByRole("button", { name: "copy" }).click();
    const text = await clipboard(page);
    expect(text).toContain(`G${w.g.id}`);
    expect(text).toContain(`${w.stack[0].function}`);
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await details(page).locator(".stack").first().getByRole("button", { name: "copy" }).click();
    expect(await clipboard(page)).toBe(w.stack.map((f) => `${f.function}\n\t${f.file}:${f.line}`).join("\n"));
  });

  test("u goes to who ended the wait, [ and ] step along the goroutine, Back returns", async () => {
    const w = waits().find((x) => x.kind.includes("Cond"));
    const page = await opened(w);
    const first = page.url();
    await page.keyboard.press("u");
    await expect.poll(() => details(page).locator("h2").innerText()).toMatch(new RegExp(`^G${w.meanwhile.goroutine} `));
    await lane(page, `go:${w.meanwhile.goroutine}`);
    await page.goBack();
    await expect.poll(() => page.url()).toBe(first);
    await expect.poll(() => details(page).locator("h2").innerText()).toMatch(new RegExp(`^G${w.g.id} `));
    // The next span begins where this one ends.
    await page.keyboard.press("]");
    await expect.poll(() => fact(details(page), "from").getAttribute("title")).toContain(`${w.until - start()} ns`);
    expect(await details(page).locator("h2").innerText()).toContain("runnable");
    await page.keyboard.press("[");
    await expect.poll(() => fact(details(page), "from").getAttribute("title")).toContain(`${w.from - start()} ns`);
    await details(page).getByRole("button", { name: "fit" }).click();
    await expect.poll(async () => { const v = await viewOf(page); return (v.to - v.from) / w.nanos; }).toBeCloseTo(1.2, 1);
  });

  test("a double click fits a span; the tab of causes is in the address", async () => {
    const w = waits().find((x) => x.kind.includes("Cond"));
    const page = await opened(w);
    const at = await lane(page, `go:${w.g.id}`);
    await page.mouse.dblclick(await xOf(page, (w.from + w.until) / 2 - start()), at.y + at.height / 2);
    await expect.poll(async () => { const v = await viewOf(page); return (v.to - v.from) / w.nanos; }).toBeCloseTo(1.2, 1);
    await details(page).getByRole("button", { name: "critical path" }).click();
    await details(page).getByRole("button", { name: "causes" }).click();
    await expect.poll(() => page.url()).toContain("o.critical=causes");
    await page.reload();
    await details(page).locator(".causes").waitFor();
  });

  test("arrows lead from who woke and who created", async () => {
    const w = waits().find((x) => x.kind.includes("Cond"));
    const page = await opened(w);
    const ended = w.until - start();
    const [from, to] = [await lane(page, `go:${w.meanwhile.goroutine}`), await lane(page, `go:${w.g.id}`)];
    // Between the two lanes, at the moment of the wake-up, something is drawn from one to the other.
    const x = await xOf(page, ended);
    const y = (a) => a.y + a.height / 2;
    const [top, height] = [Math.min(y(from), y(to)), Math.abs(y(from) - y(to))];
    await expect.poll(async () => {
      const column = [];
      for (const part of [0.3, 0.5, 0.7]) column.push((await colours(page, { x: x - 3, y: top, width: 7, height }, part)).some((c) => c.every((v) => v < 110)));
      return column.every(Boolean);
    }, { message: "the arrow" }).toBe(true);
    // The creation of a goroutine is on its first span.
    const g = w.g;
    await page.goto(`${it.server.url}#/timeline?at=go:${g.id}@${g.creation - start() + 1}&pins=go:${g.id},go:${g.creator.goroutine}&v=${g.creation - start() - 20000}-${g.creation - start() + 60000}`);
    await expect.poll(() => fact(details(page), "created by").innerText()).toContain(`G${g.creator.goroutine}`);
    await expect.poll(async () => {
      const [a, b] = [await lane(page, `go:${g.creator.goroutine}`), await lane(page, `go:${g.id}`)];
      const at = await xOf(page, g.creation - start());
      const found = await colours(page, { x: at - 3, y: Math.min(y(a), y(b)), width: 7, height: Math.abs(y(a) - y(b)) }, 0.5);
      return found.some((c) => c[2] > c[0] + 80);
    }, { message: "the arrow of creation" }).toBe(true);
  });

  test("the critical path of a goroutine is that of `why`, and its steps lead to spans", async () => {
    const why = JSON.parse(run("why", "--goroutine", "1", "--path", "0", "--json", it.trace));
    const page = await it.open("#/goroutines/1");
    await page.getByRole("button", { name: "critical path" }).click();
    await expect.poll(() => details(page).locator("h2").innerText()).toContain("Critical path of G1");
    const sums = await details(page).locator(".sums").innerText();
    for (const [kind, ns] of Object.entries(why.kinds)) expect(sums, kind).toContain(`${kind} ${duration(ns)}`);
    const rows = await table(page, "critical path");
    const at = why.path.toSorted((a, b) => a.from - b.from);
    expect((await copied(page, "critical path")).length).toBe(Math.min(at.length, 10_000));
    expect(rows.slice(0, 5).map((r) => [r.goroutine, r["time exact"]])).toEqual(at.slice(0, 5).map((s) => [`G${s.goroutine}`, `${count(s.until - s.from)} ns`]));
    await details(page).locator("tbody tr").nth(3).click();
    await expect.poll(() => page.url()).toContain(`at=go:${at[3].goroutine}@`);
  });

  test("the chain of causes says who ended each wait, and leads there", async () => {
    const why = JSON.parse(run("why", "--goroutine", "1", "--json", it.trace));
    const page = await it.open("#/timeline?why=go:1");
    await details(page).getByRole("button", { name: "causes" }).click();
    const causes = details(page).locator(".causes");
    await causes.waitFor();
    const [wait] = why.causes.waits;
    expect(await causes.locator("summary").first().innerText()).toContain(duration(wait.nanos));
    expect(await causes.locator("summary").first().innerText()).toContain(`ended by G${wait.meanwhile.goroutine}`);
    await causes.getByRole("button", { name: `G${wait.meanwhile.goroutine} ` }).first().click();
    await expect.poll(() => page.url()).toContain(`at=go:${wait.meanwhile.goroutine}@`);
  });

  test("the critical path of a selection is that of `why --from --to`", async () => {
    const page = await it.open("#/timeline?s=100000-3000000");
    await details(page).getByRole("button", { name: "critical path" }).click();
    const why = JSON.parse(run("why", "--from", "100000ns", "--to", "3000000ns", "--json", it.trace));
    await details(page).locator(".sums").waitFor();
    const sums = await details(page).locator(".sums").innerText();
    for (const [kind, ns] of Object.entries(why.kinds)) expect(sums, kind).toContain(`${kind} ${duration(ns)}`);
    await expect.poll(() => page.url()).toContain("why=all@100000-3000000");
    await page.reload();
    await expect.poll(() => details(page).locator(".sums").innerText()).toBe(sums);
    await page.keyboard.press("Escape");
    await expect.poll(() => details(page).locator("h2").innerText()).toContain("selected");
  });

  test("an end that nobody in the trace caused is said to be so", async () => {
    const g = lives().find((l) => l.waits.some((w) => w.kind === "blocked: sleep"));
    const w = g.waits.find((x) => x.kind === "blocked: sleep");
    const page = await it.open(`#/timeline?at=go:${g.id}@${Math.floor((w.from + w.until) / 2 - start())}`);
    await expect.poll(() => details(page).locator("h2").innerText()).toContain("blocked on sleep");
    expect(await fact(details(page), "ended by").count()).toBe(0);
    await page.keyboard.press("u");
    await expect.poll(() => page.locator(".toast").innerText()).toContain("does not say");
  });
});

describe("of a task", () => {
  const it = on(mixed);
  test("its critical path is that of `why --task`", async () => {
    const task = ask(it.trace, "tasks").find((t) => t.id > 0 && t.regions > 2);
    const why = JSON.parse(run("why", "--task", String(task.id), "--json", it.trace));
    const page = await it.open(`#/tasks/${task.id}`);
    await page.getByRole("button", { name: "critical path" }).click();
    await expect.poll(() => page.locator(".details h2").innerText()).toContain(`Critical path of task ${task.id}`);
    await page.locator(".details .sums").waitFor();
    const sums = await page.locator(".details .sums").innerText();
    for (const [kind, ns] of Object.entries(why.kinds)) expect(sums, kind).toContain(`${kind} ${duration(ns)}`);
    // Its lane and those of its goroutines are pinned, and its time fills the view.
    await lane(page, `task:${task.id}`);
    const v = await viewOf(page);
    expect((v.to - v.from) / task.duration).toBeCloseTo(1.2, 1);
  });
});
