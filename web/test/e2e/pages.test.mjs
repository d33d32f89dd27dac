// The pages beside the timeline: their figures are those of the commands, and lead to each other.

import { describe, expect, test } from "vitest";
import { bytes, count, duration, percent } from "../../src/time/format.ts";
import { ask, mixed, recorded, run } from "./help/gotrail.mjs";
import { colours, copied, fact, lane, number, on, rested, stateOf, statesTable, table, viewOf } from "./help/screen.mjs";

const title = (page) => page.locator(".page h2").innerText();
const cards = (page) => page.locator(".card").evaluateAll((l) => Object.fromEntries(l.map((c) => [c.querySelector(".small-text")?.textContent ?? "", c.querySelector(".big")?.textContent])));
/** Rows of a command by one of its columns. */
const by = (rows, key) => new Map(rows.map((r) => [r[key], r]));

describe("of a server", () => {
  const it = on(mixed);

  test("the overview has the findings of `check`, then numbers", async () => {
    const page = await it.open("#/overview");
    const findings = ask(it.trace, "check");
    await page.locator(".finding").first().waitFor();
    const texts = await page.locator(".finding").allInnerTexts();
    expect(texts).toHaveLength(findings.length);
    findings.forEach((f, i) => {
      expect(texts[i]).toContain(f.what);
      if (f.evidence.count > 1) expect(texts[i]).toMatch(new RegExp(`(^|\\s)${count(f.evidence.count)} (stops|waits|goroutines|calls|tasks|short runs|times)`));
      // No figure stands there as a command's raw key and a bare ratio.
      expect(texts[i]).not.toMatch(/\b(background|stopped|lost_there) 0\.|\bshare 0\./);
    });
    const info = ask(it.trace, "info")[0];
    const gc = ask(it.trace, "gc")[0];
    await expect.poll(async () => (await cards(page))["longest stop of the world"]).toBe(duration(gc.longest_stop));
    const shown = await cards(page);
    expect(shown.long).toBe(duration(info.duration_ns));
    expect(shown["largest heap"]).toBe(bytes(gc.heap_peak));
    expect(shown[`GC cycles, ${percent(gc.cpu_share)} of the procs without stops`]).toBe(count(gc.cycles));
    expect(shown.tasks).toBe(count(info.tasks.begun));
    expect(shown.regions).toBe(count(info.regions.begun));
    // A finding marks its spans in the timeline.
    const lock = page.locator(".finding", { hasText: "Waits for a lock" }).first();
    await lock.getByRole("button", { name: "mark in the timeline" }).click();
    await expect.poll(() => page.locator(".matches").innerText()).toMatch(/\d/);
  });

  test("of a selected time the overview has its findings and its numbers", async () => {
    const [from, to] = [5_000_000, 9_000_000];
    const range = ["--from", `${from}ns`, "--to", `${to}ns`];
    const page = await it.open(`#/overview?s=${from}-${to}`);
    await expect.poll(() => title(page)).toBe("Overview of the selected time");
    const findings = ask(it.trace, "check", ...range);
    await page.locator(".finding").first().waitFor();
    await expect.poll(async () => (await page.locator(".finding strong").count())).toBe(findings.length);
    const texts = await page.locator(".finding").allInnerTexts();
    findings.forEach((f, i) => expect(texts[i]).toContain(f.what));
    const gc = ask(it.trace, "gc", ...range)[0];
    const groups = ask(it.trace, "goroutines", ...range);
    const regions = ask(it.trace, "regions", ...range);
    const tasks = ask(it.trace, "tasks").filter((t) => t.id > 0 && (t.after ?? 0) < to && (t.duration === null || (t.after ?? 0) + t.duration > from));
    const sum = (rows, f) => rows.reduce((a, r) => a + f(r), 0);
    await expect.poll(async () => (await cards(page)).tasks).toBe(count(tasks.length));
    const shown = await cards(page);
    expect(shown[`of ${duration(ask(it.trace, "info")[0].duration_ns)}`]).toBe(duration(to - from));
    expect(shown.regions).toBe(count(sum(regions, (r) => r.count + r.incomplete)));
    expect(shown[`GC cycles, ${percent(gc.cpu_share)} of the procs without stops`]).toBe(count(gc.cycles));
    expect(shown["longest stop of the world"]).toBe(duration(gc.longest_stop));
    expect(shown["events in the whole trace"]).toBe(count(ask(it.trace, "info")[0].events));
    const waited = await page.locator(".card", { hasText: "waited for a proc, in all" }).locator(".big").getAttribute("title");
    expect(number(waited) / sum(groups, (g) => g.runnable)).toBeCloseTo(1, 2);
    const rows = await copied(page, "groups");
    for (const g of groups.filter((x) => x.function.startsWith("main."))) expect(rows.find((r) => r["start function"] === g.function).goroutines, g.function).toBe(g.count);
    // Without the selection it is the whole trace again.
    await page.getByRole("button", { name: "whole trace" }).click();
    await expect.poll(async () => (await cards(page)).events).toBe(count(ask(it.trace, "info")[0].events));
  });

  test("groups of goroutines are those of `goroutines`; one of them has a distribution whose brush filters", async () => {
    const page = await it.open("#/goroutines");
    const groups = by(ask(it.trace, "goroutines"), "function");
    const rows = await copied(page, "goroutine groups");
    expect(rows).toHaveLength(groups.size);
    for (const r of rows) expect(r.goroutines, r["start function"]).toBe(groups.get(r["start function"])?.count ?? r.goroutines);
    await page.locator(".vtable tbody tr", { hasText: "main.(*tree).All" }).click();
    await expect.poll(() => title(page)).toBe("main.(*tree).All");
    const each = ask(it.trace, "goroutines", "--each", "--function", "^main\\.\\(\\*tree\\)\\.All$");
    await page.getByRole("button", { name: "running", exact: true }).first().click();
    const all = await copied(page, "goroutines of main.(*tree).All");
    expect(all.map((r) => [r.goroutine, r.running, r.runnable, r.blocked])).toEqual(each.toSorted((a, b) => a.id - b.id).map((g) => [g.id, g.exec, g.sched_wait, g.blocked_total]).sort((a, b) => all.findIndex((r) => r.goroutine === a[0]) - all.findIndex((r) => r.goroutine === b[0])));
    const order = each.map((g) => g.exec).sort((a, b) => a - b);
    expect(await page.locator(".page").innerText()).toContain(`max ${duration(order.at(-1))}`);
    // The slower half of the histogram.
    const box = await page.locator(".histogram svg").boundingBox();
    await page.mouse.move(box.x + box.width * 0.55, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 3, box.y + 30, { steps: 6 });
    await page.mouse.up();
    await rested(page, () => page.url(), /o\.range=/);
    const [from, to] = /o\.range=([\d.]+)-([\d.]+)/.exec(page.url()).slice(1).map(Number);
    const few = await copied(page, "goroutines of main.(*tree).All");
    expect(few.length).toBeLessThan(all.length);
    expect(few.map((r) => r.goroutine).sort((a, b) => a - b)).toEqual(each.filter((g) => g.exec >= from && g.exec < to).map((g) => g.id).sort((a, b) => a - b));
    await page.reload();
    await expect.poll(async () => (await copied(page, "goroutines of main.(*tree).All")).length).toBe(few.length);
    // From a goroutine of it to its own page, and Back.
    await page.locator(".vtable tbody a").first().click();
    await expect.poll(() => title(page)).toContain("main.(*tree).All");
    await page.goBack();
    await expect.poll(async () => (await copied(page, "goroutines of main.(*tree).All")).length).toBe(few.length);
  });

  test("one goroutine: its times, creator, longest waits and regions are those of `goroutine`", async () => {
    const g0 = ask(it.trace, "goroutines", "--each", "--function", "^main\\.worker$").filter((g) => g.creator && g.end && g.syscall + g.syscall_block === 0).toSorted((a, b) => b.regions.length * 1e9 + b.total - a.regions.length * 1e9 - a.total)[0];
    const g = JSON.parse(run("goroutine", String(g0.id), "--waits", "50", "--json", it.trace));
    const start = ask(it.trace, "info")[0].start_time;
    const page = await it.open(`#/goroutines/${g.id}`);
    await expect.poll(() => title(page)).toBe(`G${g.id} ${g.function}`);
    const states = await statesTable(page.locator(".page"));
    expect(states.running).toBe(g.times.running);
    expect(states.runnable).toBe(g.times.runnable);
    expect(await fact(page, "created").innerText()).toContain(`G${g.creator.goroutine}`);
    expect(await fact(page, "created").getAttribute("title")).toContain(`${g.creation - start} ns`);
    expect(await fact(page, "ended").getAttribute("title")).toContain(`${g.end - start} ns`);
    const waits = await copied(page, `waits of G${g.id}`);
    expect(waits.map((w) => [w.from, w.time, w.what])).toEqual(g.waits.toSorted((a, b) => b.nanos - a.nanos).map((w) => [w.from - start, w.nanos, w.kind]));
    await page.locator(".vtable tbody tr").first().click();
    await expect.poll(() => page.url()).toMatch(/#\/timeline/);
    await expect.poll(async () => (await page.locator(".details h2").allInnerTexts()).join()).toContain(`G${g.id} `);
    await lane(page, `go:${g.id}`);
  });

  test("tasks are those of `tasks`; their histogram filters", async () => {
    const page = await it.open("#/tasks");
    const tasks = by(ask(it.trace, "tasks").filter((t) => t.id > 0), "id");
    const rows = await copied(page, "tasks");
    expect(rows.length).toBe(ask(it.trace, "info")[0].tasks.begun);
    for (const r of rows) {
      const t = tasks.get(r.task);
      expect([r.type, r.began, r.time === "" ? null : r.time], `task ${r.task}`).toEqual([t.name, t.after, t.duration]);
    }
    expect(rows.map((r) => r.time)).toEqual(rows.map((r) => r.time).sort((a, b) => b - a));
    const box = await page.locator(".histogram svg").boundingBox();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 2, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await expect.poll(async () => (await copied(page, "tasks")).length).toBeLessThan(rows.length);
    await page.locator(".vtable tbody tr").first().click();
    await expect.poll(() => title(page)).toMatch(/^Task \d+ /);
  });

  test("one task is a waterfall over its goroutines, with regions and logs", async () => {
    const t0 = ask(it.trace, "tasks").filter((t) => t.id > 0 && t.end).toSorted((a, b) => b.logs * 10 + b.regions - a.logs * 10 - a.regions)[0];
    const t = JSON.parse(run("task", String(t0.id), "--json", it.trace));
    const page = await it.open(`#/tasks/${t.id}`);
    await expect.poll(() => title(page)).toBe(`Task ${t.id} ${t.name}`);
    expect(number(await page.locator(".sums [title$=' ns']").first().getAttribute("title"))).toBe(t.end - t.start);
    const logs = await copied(page, `logs of task ${t.id}`);
    const start = ask(it.trace, "info")[0].start_time;
    expect(logs.map((l) => [l.when, l.goroutine, l.category, l.message])).toEqual(t.logs.map((l) => [l.time - start, l.goroutine, l.category, l.message]));
    expect((await copied(page, `goroutines of task ${t.id}`)).map((g) => g.goroutine).sort()).toEqual(t.goroutines.map((g) => g.id).sort());
    for (const [kind, ns] of Object.entries(t.why.kinds)) expect(await page.locator(".sums").nth(1).innerText()).toContain(`${kind} ${duration(ns)}`);
    // On the canvas: a bar for each region, at its time, with its name on hover.
    const canvas = page.locator(".waterfall canvas");
    const box = await canvas.boundingBox();
    const r = t.regions.toSorted((a, b) => b.total - a.total)[0];
    const x = box.x + 230 + (((r.start + r.end) / 2 - t.start) / (t.end - t.start)) * (box.width - 238);
    await expect.poll(async () => {
      for (let y = 34; y < box.height; y += 6) {
        await page.mouse.move(x, box.y + y);
        if ((await page.locator(".waterfall .tip").allInnerTexts()).join().includes(`region ${r.name} · ${duration(r.total)}`)) return true;
      }
      return false;
    }).toBe(true);
    const row = await colours(page, { x: box.x + 232, y: box.y + 20, width: box.width - 242, height: 14 }, 0.6);
    expect(row.some((c) => stateOf(c) >= 0)).toBe(true);
    // Runnable has its hatch here, too: orange, and the same darker.
    const orange = row.filter((c) => stateOf(c) === 1);
    expect(orange.some((c) => c[0] > 230)).toBe(true);
    expect(orange.some((c) => c[0] < 200)).toBe(true);
    await canvas.click({ position: { x: x - box.x, y: 28 } });
    await expect.poll(() => page.url()).toMatch(/#\/timeline.*at=go:/);
  });

  test("regions are those of `regions`; one type has its single ones", async () => {
    const page = await it.open("#/regions");
    const rows = await copied(page, "regions");
    const types = ask(it.trace, "regions");
    expect(rows.map((r) => [r.type, r.count, r.total, r.p50, r.p99, r.max, r.open])).toEqual(types.map((t) => [t.type, t.count, t.total, t.p50, t.p99, t.max, t.incomplete]));
    await page.getByRole("button", { name: "max" }).click();
    await expect.poll(async () => (await copied(page, "regions"))[0].max).toBe(Math.max(...types.map((t) => t.max)));
    await page.locator(".vtable tbody tr", { hasText: "render" }).click();
    await expect.poll(() => title(page)).toBe("Regions render");
    const each = ask(it.trace, "regions", "--each", "--region", "^render$", "--sort", "duration", "--top", "20000");
    const singles = await copied(page, "regions render");
    expect(singles).toHaveLength(each.length);
    expect(singles.map((r) => r.time).filter((t) => t !== "")).toEqual(each.filter((r) => r.duration !== null).map((r) => r.duration).sort((a, b) => b - a));
    await page.locator(".vtable tbody tr").first().click();
    await expect.poll(async () => Number(/s=(\d+)-/.exec(page.url())?.[1])).toBe(each.toSorted((a, b) => b.duration - a.duration)[0].after);
  });

  test("latency is that of `latency`, by state, reason and stack", async () => {
    const page = await it.open("#/latency");
    const expected = ask(it.trace, "latency").toSorted((a, b) => b.total - a.total);
    const rows = await copied(page, "latency by reason");
    expect(rows.map((r) => [r.reason, r.waits, r.total, r.p50, r.p99, r.max, r.open])).toEqual(expected.map((l) => [l.reason ?? "", l.count, l.total, l.p50, l.p99, l.max, l.open]));
    await page.getByRole("button", { name: "by stack" }).click();
    const stacks = ask(it.trace, "latency", "--by", "stack", "--top", "500").toSorted((a, b) => b.total - a.total);
    const shown = await copied(page, "latency by stack");
    expect(shown.slice(0, 20).map((r) => [r["where, innermost first"], r.waits, r.total])).toEqual(stacks.slice(0, 20).map((l) => [l.stack, l.count, l.total]));
    await page.getByRole("button", { name: "by state" }).click();
    await expect.poll(async () => (await copied(page, "latency by state")).length).toBe(ask(it.trace, "latency", "--by", "state").length);
    // A row marks its spans.
    await page.locator(".vtable tbody tr").first().click();
    await expect.poll(() => page.locator(".matches").innerText()).toMatch(/\d/);
  });

  test("the collector's page is `gc` and `mmu`", async () => {
    const page = await it.open("#/gc");
    const gc = ask(it.trace, "gc")[0];
    await page.locator(".card").first().waitFor();
    const shown = await cards(page);
    expect(shown.cycles).toBe(count(gc.cycles));
    expect(shown["of the procs' time: mark workers, assists, sweeping"]).toBe(percent(gc.cpu_share));
    expect(shown["longest stop"]).toBe(duration(gc.longest_stop));
    expect(shown["goroutines assisted"]).toBe(duration(gc.assist));
    expect(shown["largest heap"]).toBe(bytes(gc.heap_peak));
    const show = (what) => ask(it.trace, "gc", "--show", what);
    expect((await copied(page, "cycles")).map((c) => [c.cycle, c.from, c.mark])).toEqual(show("cycles").toSorted((a, b) => b.mark - a.mark).map((c) => [c.number, c.after, c.mark ?? ""]));
    expect((await copied(page, "stops")).map((s) => s.stopped)).toEqual(show("stops").map((s) => s.duration).sort((a, b) => b - a));
    expect((await copied(page, "stops by reason")).map((r) => [r.reason, r.stops, r.total])).toEqual(show("reasons").toSorted((a, b) => b.total - a.total).map((r) => [r.reason, r.count, r.total]));
    expect((await copied(page, "assists")).map((r) => [r.goroutine, r.assisting])).toEqual(show("assists").toSorted((a, b) => b.assist - a.assist).map((r) => [r.goroutine, r.assist]));
    // The plot of utilization: under the pointer is the figure of `mmu` for the window that it names.
    const plot = page.getByRole("img", { name: "Minimum mutator utilization by window" });
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.locator(".u-over").boundingBox();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 50);
    const legend = () => plot.locator(".u-series").evaluateAll((l) => Object.fromEntries(l.map((s) => [s.querySelector(".u-label").textContent, s.querySelector(".u-value").textContent])));
    await expect.poll(async () => (await legend())["stop the world"]).toMatch(/%/);
    const at = (await legend()).at;
    const windows = Array.from({ length: 41 }, (_, i) => Math.round(1e4 * 10 ** (i / 8)));
    const window = windows.find((w) => duration(w) === at);
    const mmu = ask(it.trace, "mmu", "--window", `${window}ns`);
    const least = (flags) => mmu.find((m) => m.flags === flags).least;
    expect((await legend())["stop the world"]).toBe(percent(least("stw")));
    expect((await legend())["and mark workers, assists"]).toBe(percent(least("stw+background+assist")));
    // Whoever takes away more leaves less.
    expect(least("stw+background+assist")).toBeLessThanOrEqual(least("stw"));
    // A cycle leads to its time.
    await page.locator(".table-box", { has: page.locator("caption", { hasText: /^cycles$/ }) }).locator("tbody tr").first().click();
    await expect.poll(() => viewOf(page)).not.toBeNull();
    expect(page.url()).toContain("#/timeline");
  });

  test("dragging on the plot of the heap selects its time", async () => {
    const page = await it.open("#/gc");
    const plot = page.getByRole("img", { name: "Heap and goal over time" });
    await plot.waitFor();
    const heap = ask(it.trace, "gc", "--show", "heap");
    const box = await plot.locator(".u-over").boundingBox();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 50, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => page.url()).toMatch(/#\/timeline.*s=\d+/);
    const from = Number(/s=(\d+)-/.exec(page.url())[1]);
    const [first, last] = [heap[0].after, heap.at(-1).after];
    expect((from - first) / (last - first)).toBeCloseTo(0.25, 1);
  });

  test("pages share the selected time", async () => {
    const page = await it.open("#/latency?s=5000000-9000000");
    const rows = await copied(page, "latency by reason");
    const expected = ask(it.trace, "latency", "--from", "5000000ns", "--to", "9000000ns").toSorted((a, b) => b.total - a.total);
    expect(rows.map((r) => [r.reason, r.waits, r.total])).toEqual(expected.map((l) => [l.reason ?? "", l.count, l.total]));
    await page.getByRole("button", { name: "whole trace" }).click();
    await expect.poll(async () => (await copied(page, "latency by reason"))[0].waits).toBe(ask(it.trace, "latency").toSorted((a, b) => b.total - a.total)[0].count);
  });

  test("the command of a page can be copied, and prints the same", async () => {
    const page = await it.open("#/latency");
    await copied(page, "latency by reason");
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await page.getByRole("button", { name: "copy as gotrail command" }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^gotrail latency /);
  });

  test("health says what the file is, as `info` does", async () => {
    const page = await it.open("#/health");
    const info = ask(it.trace, "info")[0];
    await page.getByText("The trace is whole").waitFor();
    expect(await fact(page, "generations").innerText()).toBe(`${count(info.generations)}, in ${count(info.batches)} batches`);
    expect((await copied(page, "events")).map((e) => [e.kind, e.events])).toEqual(Object.entries(info.events_by_kind).sort((a, b) => b[1] - a[1]));
  });
});

describe("a trace without CPU samples", () => {
  const it = on(() => recorded("channels"));
  test("its profiles begin with what it has; what is chosen stays chosen", async () => {
    expect(ask(it.trace, "info")[0].events_by_kind.StackSample ?? 0).toBe(0);
    const page = await it.open("#/profiles");
    await page.locator(".flame canvas").waitFor();
    expect(await page.getByRole("button", { name: "off CPU", pressed: true }).count()).toBe(1);
    await table(page, "functions offcpu");
    await page.getByRole("button", { name: "CPU samples" }).click();
    await expect.poll(() => page.locator(".page .empty").innerText()).toContain("no CPU samples");
  });
});

describe("profiles", () => {
  const it = on(() => recorded("cpu"));
  test("the flame graph of CPU samples, its table, finding, zooming and copying", async () => {
    const page = await it.open("#/profiles");
    const samples = ask(it.trace, "info")[0].events_by_kind.StackSample;
    const canvas = page.locator(".flame canvas");
    await expect.poll(() => canvas.getAttribute("aria-label")).toContain(`of ${samples} samples.`);
    const rows = await table(page, "functions cpu");
    const burn = rows[0];
    expect(rows.reduce((a, r) => a + number(r.own), 0)).toBe(samples);
    await page.getByPlaceholder("find a function").fill("main.");
    await expect.poll(() => page.locator(".flame .table-tools .faint").innerText()).toMatch(/\d+ %|\d\.\d %/);
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await page.getByRole("button", { name: "copy folded" }).click();
    await expect.poll(async () => (await page.evaluate(() => navigator.clipboard.readText())).trim().split("\n").reduce((a, l) => a + Number(l.split(" ").at(-1)), 0)).toBe(samples);
    // A click makes a frame the whole width.
    const box = await canvas.boundingBox();
    await expect.poll(async () => {
      await page.mouse.move(box.x + 40 + Math.random(), box.y + 30);
      return (await page.locator(".flame-box .tip").allInnerTexts()).join();
    }).toContain("of all");
    await page.mouse.click(box.x + 40, box.y + 30);
    await page.getByRole("button", { name: "whole width" }).click();
    await page.getByRole("button", { name: "bottom-up" }).click();
    await expect.poll(async () => {
      const now = await canvas.boundingBox();
      await page.mouse.move(now.x + 40 + Math.random(), now.y + 30);
      return (await page.locator(".flame-box .tip b").allInnerTexts()).join();
    }).toContain(burn.function);
    await page.getByRole("button", { name: "waiting for a proc" }).click();
    const sched = ask(it.trace, "latency", "--by", "state").find((l) => l.state === "sched");
    await expect.poll(() => canvas.getAttribute("aria-label")).toContain(`of ${duration(sched.total)}`);
    expect(page.url()).toContain("#/profiles/sched");
  });
});

describe("of a trace of almost nothing", () => {
  const it = on(() => recorded("empty"));
  test("every panel says that it has nothing, and why", async () => {
    it.quiet = /api\/(answer|members)/;
    for (const [hash, text] of [
      ["tasks", "trace.NewTask"], ["regions", "trace.WithRegion"], ["gc", "The collector did not run"], ["profiles/cpu", "runtime/pprof"],
      ["overview", "Nothing that the rules of"], ["health", "Nothing was lost"], ["tasks/77", "no task 77"], ["goroutines/123456", "no goroutine 123456"], ["goroutines/group/99", "no group 99"],
    ]) {
      const page = await it.open(`#/${hash}`);
      await expect.poll(() => page.locator(".page").innerText(), { message: hash }).toContain(text);
      await page.close();
    }
  });
});
