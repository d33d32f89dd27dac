// The timeline: its tracks and what they say, zooming and panning by all means, measuring, pins,
// groups, the clock.

import { describe, expect, test } from "vitest";
import { bytes, count, duration } from "../../src/time/format.ts";
import { ask, mixed, recorded, synth } from "./help/gotrail.mjs";
import { click, colours, fact, hover, lane, movedView, number, on, scrollTo, stateOf, statesOnScreen, viewOf, xOf } from "./help/screen.mjs";
import { decodePng } from "./help/png.mjs";

const label = (page, title) => page.locator(".label", { has: page.locator(".name", { hasText: new RegExp(`^${title}$`) }) });
/** What is under the pointer, in words. */
const tip = async (page) => (await page.locator(".tip").allInnerTexts()).join("");

/** Groups of which there were about as many at any time: only of these is a part of the area a part of the time. */
const STEADY = ["main.collect", "net/http.(*Server).Serve", "net/http.(*conn).serve"];

describe("of a server", () => {
  const it = on(mixed);

  test("the head and the tracks say what `info`, `procs` and `goroutines` say", async () => {
    const [info] = ask(it.trace, "info");
    const page = await it.open();
    await expect.poll(() => page.title()).toMatch(/^mixed\.trace/);
    expect(await page.locator("h1").innerText()).toBe("mixed.trace");
    expect(await page.locator(".about span[title$=' ns']").getAttribute("title")).toBe(`${count(info.duration_ns)} ns`);
    for (const name of ["Heap", "Goroutines at work", "GC", "Stop the world", "Logs", "CPU samples"]) await label(page, name).waitFor();
    expect(await label(page, "Procs").locator(".note").innerText()).toBe(count(info.procs));
    for (const p of ask(it.trace, "procs")) await label(page, `P${p.proc}`).waitFor();
    expect(await label(page, "Tasks").locator(".note").innerText()).toBe(count(info.tasks.begun));
    for (const g of ask(it.trace, "goroutines").filter((g) => g.function !== "")) {
      await scrollTo(page, "groups");
      const row = page.locator(".label", { has: page.locator(`[title="${g.function}"]`) });
      expect(await row.locator(".note").innerText(), g.function).toBe(count(g.count));
    }
  });

  test("lanes of groups show true shares of time by state", async () => {
    const page = await it.open();
    const { groups } = await it.server.api("lanes");
    await scrollTo(page, "groups");
    for (const g of ask(it.trace, "goroutines").filter((x) => STEADY.includes(x.function))) {
      const at = await lane(page, groups.find((x) => x.function === g.function).lane);
      const part = async (states) => {
        const png = decodePng(await page.screenshot({ clip: { x: Math.ceil(at.x), y: at.y + 2, width: Math.floor(at.width), height: at.height - 4 } }));
        let n = 0;
        let all = 0;
        for (let x = 0; x < png.width; x++) for (let y = 0; y < png.height; y++) {
          const s = stateOf(png.at(x, y));
          if (s >= 0) all++;
          if (states.includes(s)) n++;
        }
        return n / all;
      };
      await expect.poll(async () => Math.abs((await part([1])) - g.runnable / g.total), { message: `${g.function}, runnable` }).toBeLessThan(0.03);
      expect(Math.abs((await part([0])) - g.running / g.total), `${g.function}, running`).toBeLessThan(0.03);
    }
  });

  test("a group opens and closes; its goroutines can be sorted, as `goroutines --each` has them", async () => {
    const page = await it.open();
    const each = ask(it.trace, "goroutines", "--each", "--function", "^main\\.\\(\\*tree\\)\\.All$");
    await scrollTo(page, "groups");
    const group = page.getByRole("button", { name: "main.(*tree).All" });
    await group.click();
    await expect.poll(() => group.getAttribute("aria-expanded")).toBe("true");
    const shown = () => page.locator(".label.item.d2").evaluateAll((rows) => rows.slice(0, 6).map((r) => [r.querySelector(".name").textContent, r.querySelector(".note")?.textContent]));
    const sort = page.locator(".corner").getByLabel("sort");
    for (const [name, figure] of [["running", (g) => g.exec], ["runnable", (g) => g.sched_wait], ["blocked", (g) => g.blocked_total]]) {
      await sort.selectOption(name);
      const best = each.toSorted((a, b) => figure(b) - figure(a)).slice(0, 6);
      await expect.poll(async () => (await shown()).map((r) => r[1]), { message: name }).toEqual(best.map((g) => duration(figure(g))));
      expect((await shown())[0][0]).toBe(`G${best[0].id}`);
    }
    await sort.selectOption("id");
    await expect.poll(async () => (await shown()).map((r) => r[0])).toEqual(each.map((g) => g.id).sort((a, b) => a - b).slice(0, 6).map((id) => `G${id}`));
    await group.click();
    await expect.poll(shown).toEqual([]);
  });

  test("sections close and open", async () => {
    const page = await it.open();
    await label(page, "P0").waitFor();
    await page.getByRole("button", { name: "Procs", exact: true }).click();
    await expect.poll(() => label(page, "P0").count()).toBe(0);
    await page.getByRole("button", { name: "Procs", exact: true }).click();
    await label(page, "P0").waitFor();
    await page.getByRole("button", { name: "Threads", exact: true }).click();
    await expect.poll(() => page.locator(".label .name", { hasText: /^M\d+$/ }).count()).toBeGreaterThan(3);
    await page.getByRole("button", { name: "Runnable, threads, procs" }).click();
    await page.getByRole("button", { name: "All goroutines" }).click();
    await expect.poll(() => page.url()).toContain("open=threads,counts,allstates");
  });

  test("the wheel zooms at the pointer; 0 shows all; Back and Forward", async () => {
    const page = await it.open();
    const D = ask(it.trace, "info")[0].duration_ns;
    const box = await page.locator(".over").boundingBox();
    const k = 0.3;
    await page.mouse.move(box.x + box.width * k, box.y + 200);
    for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -120);
    const v = await movedView(page);
    expect(v.to - v.from).toBeLessThan(D / 4);
    expect((v.from + (v.to - v.from) * k) / D).toBeCloseTo(k, 2);
    for (let i = 0; i < 3; i++) await page.mouse.wheel(0, 120);
    const wider = await movedView(page, v);
    expect(wider.to - wider.from).toBeGreaterThan((v.to - v.from) * 1.5);
    await page.keyboard.press("0");
    await expect.poll(() => viewOf(page)).toBeNull();
    await page.goBack();
    await expect.poll(() => viewOf(page)).toEqual(wider);
    await page.goForward();
    await expect.poll(() => viewOf(page)).toBeNull();
  });

  test("a drag pans by what lies under it; shift and the wheel pan too", async () => {
    const page = await it.open("#/timeline?v=10000000-12000000");
    const box = await page.locator(".over").boundingBox();
    await page.mouse.move(box.x + 600, box.y + 200);
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + 200, { steps: 6 });
    await page.mouse.up();
    const v = await movedView(page, { from: 10000000, to: 12000000 });
    expect(v.to - v.from).toBe(2000000);
    expect(Math.abs(v.from - 10000000 - (200 / box.width) * 2000000)).toBeLessThan(2000000 / box.width);
    await page.keyboard.down("Shift");
    await page.mouse.wheel(0, 100);
    await page.keyboard.up("Shift");
    const w = await movedView(page, v);
    expect(w.from).toBeGreaterThan(v.from);
    expect(Math.abs(w.to - w.from - 2000000)).toBeLessThanOrEqual(1);
  });

  test("keys zoom, pan and scroll: w s a d, arrows, + and -", async () => {
    let v = { from: 10000000, to: 12000000 };
    const page = await it.open("#/timeline?v=10000000-12000000", { viewport: { width: 1400, height: 500 } });
    const width = (x) => x.to - x.from;
    for (const [key, check] of [
      ["w", (n, o) => width(n) < width(o)], ["s", (n, o) => width(n) > width(o)], ["+", (n, o) => width(n) < width(o)], ["-", (n, o) => width(n) > width(o)],
      ["d", (n, o) => n.from > o.from && Math.abs(width(n) - width(o)) < 2], ["a", (n, o) => n.from < o.from], ["ArrowRight", (n, o) => n.from > o.from], ["ArrowLeft", (n, o) => n.from < o.from],
    ]) {
      await page.keyboard.press(key);
      const next = await movedView(page, v);
      expect(check(next, v), key).toBe(true);
      v = next;
    }
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.locator(".scroller").evaluate((s) => s.scrollTop)).toBeGreaterThan(30);
  });

  test("two fingers zoom, one pans", async () => {
    const page = await it.open("", { hasTouch: true });
    const D = ask(it.trace, "info")[0].duration_ns;
    const cdp = await page.context().newCDPSession(page);
    const box = await page.locator(".over").boundingBox();
    const touch = (type, ...xs) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: xs.map((x, id) => ({ x: box.x + x, y: box.y + 200, id })) });
    await touch("touchStart", 400, 600);
    for (let i = 1; i <= 10; i++) await touch("touchMove", 400 - i * 20, 600 + i * 20);
    await touch("touchEnd");
    const v = await movedView(page);
    // 200 pixels between the fingers have become 600.
    expect((v.to - v.from) / D).toBeCloseTo(1 / 3, 1);
    await touch("touchStart", 500);
    for (let i = 1; i <= 10; i++) await touch("touchMove", 500 - i * 20);
    await touch("touchEnd");
    const w = await movedView(page, v);
    // The browser keeps the first few pixels of a touch to itself.
    const way = ((w.from - v.from) / (v.to - v.from)) * box.width;
    expect(way).toBeGreaterThan(150);
    expect(way).toBeLessThan(202);
  });

  test("the strip shows the whole trace, and its brush what the timeline shows", async () => {
    const page = await it.open();
    const D = ask(it.trace, "info")[0].duration_ns;
    const box = await page.locator(".strip").boundingBox();
    const x = (t) => box.x + (t / D) * box.width;
    // Bands of the collector at its cycles, and none between.
    const cycles = ask(it.trace, "gc", "--show", "cycles");
    const band = async () => (await colours(page, { ...box, y: box.y + box.height - 5, height: 4 }, 0.5)).map((c) => stateOf(c) === 8);
    await expect.poll(async () => (await band()).filter(Boolean).length / box.width).toBeCloseTo(cycles.reduce((a, c) => a + c.mark, 0) / D, 1);
    const on = await band();
    for (const c of cycles) expect(on[Math.round(x(c.after + c.mark / 2) - box.x)], `cycle ${c.number}`).toBe(true);
    await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 5 });
    await page.mouse.up();
    const v = await movedView(page);
    expect(v.from / D).toBeCloseTo(0.25, 2);
    expect(v.to / D).toBeCloseTo(0.5, 2);
    const brush = await page.locator(".brush").boundingBox();
    expect(brush.x).toBeCloseTo(x(v.from), -0.5);
    expect(brush.width).toBeCloseTo(x(v.to) - x(v.from), -1);
    // The brush can be taken and moved.
    await page.mouse.move(box.x + box.width * 0.4, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 5 });
    await page.mouse.up();
    const w = await movedView(page, v);
    expect((w.from - v.from) / D).toBeCloseTo(0.2, 2);
  });

  test("bands of the collector and of stops are where `gc` says", async () => {
    const page = await it.open();
    const D = ask(it.trace, "info")[0].duration_ns;
    const cycles = ask(it.trace, "gc", "--show", "cycles");
    const gc = async () => (await colours(page, await lane(page, "gc"))).map((c) => stateOf(c) === 8);
    await expect.poll(async () => (await gc()).filter(Boolean).length / (await lane(page, "gc")).width).toBeCloseTo(cycles.reduce((a, c) => a + c.mark, 0) / D, 1);
    const stops = ask(it.trace, "gc", "--show", "stops");
    const stw = await colours(page, await lane(page, "stw"), 0.5);
    for (const s of stops) {
      const at = Math.floor((s.after / D) * stw.length);
      expect(stw.slice(Math.max(0, at - 2), at + 3).some((c) => c[0] > c[1] + 40), `the stop at ${s.after}`).toBe(true);
    }
    const long = stops.toSorted((a, b) => b.duration - a.duration)[0];
    await page.goto(`${it.server.url}#/timeline?v=${long.after - 20000}-${long.after + 40000}`);
    await hover(page, "stw", long.after + long.duration / 2);
    await expect.poll(() => tip(page)).toContain(duration(long.duration));
    expect(await tip(page)).toContain(long.reason);
    const swatch = await page.locator(".tip").evaluate((t) => [...t.querySelectorAll("*")].map((x) => getComputedStyle(x).backgroundColor));
    expect(swatch).toContain("rgb(214, 51, 108)");
  });

  test("a bar of the collector, a stop, a task or a region says in the panel what `gc` and `task` say, and f fits it", async () => {
    const tasks = ask(it.trace, "tasks").filter((t) => t.id > 0 && t.end !== null && t.after !== null && t.regions > 0);
    const task = tasks.toSorted((a, b) => b.duration - a.duration)[0];
    const [whole] = ask(it.trace, "task", String(task.id));
    const origin = task.start - task.after;
    // One that no other begins in: where it is clicked, it is on top.
    const region = whole.regions.filter((r) => r.end !== null).toSorted((a, b) => b.start - a.start)[0];
    const stop = ask(it.trace, "gc", "--show", "stops").toSorted((a, b) => b.duration - a.duration)[0];
    const cycle = ask(it.trace, "gc", "--show", "cycles")[0];
    const page = await it.open();
    const panel = page.locator(".details");
    for (const [lane, from, length, title, goroutine] of [
      ["gc", cycle.after, cycle.mark, "GC mark phase", null],
      ["stw", stop.after, stop.duration, `Stop the world: ${stop.reason}`, stop.goroutine],
      [`task:${task.id}`, task.after, task.duration, `Task ${task.id} ${task.name}`, whole.creator],
      [`regions:${region.goroutine}`, region.start - origin, region.end - region.start, `Region ${region.name} on G${region.goroutine}`, region.goroutine],
    ]) {
      await page.goto(`${it.server.url}#/timeline?v=${Math.max(0, from - length)}-${from + 2 * length}&pins=${lane}`);
      await expect.poll(async () => (await viewOf(page)).to, { message: lane }).toBeCloseTo(from + 2 * length, -1);
      await expect.poll(async () => {
        await click(page, lane, from + length * 0.9);
        return (await panel.locator("h2").allInnerTexts()).join("");
      }, { message: lane }).toContain(title);
      expect(await panel.locator("h2 [title$=' ns']").first().getAttribute("title"), lane).toBe(`${count(length)} ns`);
      if (goroutine !== null) expect(await fact(panel, "begun by").innerText(), lane).toContain(`G${goroutine}`);
      if (lane.startsWith("task")) expect(await fact(panel, "task").locator("a").getAttribute("href")).toContain(`#/tasks/${task.id}`);
      expect(await page.getByRole("alert").count(), lane).toBe(0);
      const wide = await viewOf(page);
      await page.keyboard.press("f");
      await expect.poll(async () => { const v = await viewOf(page); return v.to - v.from; }, { message: lane }).toBeLessThan((wide.to - wide.from) * 0.8);
      const v = await viewOf(page);
      expect(v.from <= from && v.to >= from + length, lane).toBe(true);
      await page.keyboard.press("Escape");
    }
  });

  test("a thread on which no goroutine ran in this time says so", async () => {
    const { threads } = await it.server.api("lanes");
    const D = ask(it.trace, "info")[0].duration_ns;
    const page = await it.open();
    const gaps = [];
    for (const { lane } of threads) {
      // Its last span, and what is before.
      for (let time = D - 1, next = D, n = 0; time !== null && n < 60; n++) {
        const res = await fetch(`${it.server.url}api/span?lane=${lane}&time=${time}`);
        const span = res.ok ? await res.json() : null;
        if (!span) {
          time -= D / 61;
          if (time < 0) break;
          time = Math.floor(time);
          continue;
        }
        if (next - span.to > D / 500) gaps.push({ lane, from: span.to, to: next });
        next = span.from;
        time = span.previous;
      }
    }
    expect(gaps.length).toBeGreaterThan(0);
    for (const gap of gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, 6)) {
      const air = (gap.to - gap.from) * 0.1;
      await page.goto(`${it.server.url}#/timeline?v=${Math.ceil(gap.from + air)}-${Math.floor(gap.to - air)}&pins=${gap.lane}`);
      await expect.poll(() => page.evaluate((l) => globalThis.gotrailTimeline.blank.has(l), gap.lane), { message: `${gap.lane} from ${gap.from} to ${gap.to}` }).toBe(true);
    }
  });

  test("a pinned lane of regions has their name", async () => {
    const { rows } = await it.server.api("regions?limit=1");
    const page = await it.open(`#/timeline?pins=${rows[0].lane}`);
    await expect.poll(() => page.locator(".label.pinned").allInnerTexts()).toEqual([expect.stringContaining(rows[0].name)]);
  });

  test("plots say the heap and the goal of `gc --show heap`", async () => {
    const page = await it.open();
    const heap = ask(it.trace, "gc", "--show", "heap");
    // In the middle of the longest time without a new figure.
    const gap = (i) => (heap[i + 1]?.after ?? 0) - heap[i].after;
    const i = [...heap.keys()].reduce((a, b) => (gap(b) > gap(a) ? b : a), 0);
    const at = heap[i];
    await page.goto(`${it.server.url}#/timeline?v=${at.after - 10000}-${at.after + gap(i) + 10000}`);
    const row = await label(page, "Heap").boundingBox();
    await expect.poll(async () => {
      await page.mouse.move(await xOf(page, at.after + gap(i) * (0.4 + Math.random() / 10)), row.y + 31);
      return tip(page);
    }).toContain(`allocated ${bytes(at.allocated)}`);
    expect(await tip(page)).toContain(`goal ${bytes(at.goal)}`);
  });

  test("the lane of a proc is as busy as `procs` says", async () => {
    const page = await it.open();
    for (const p of ask(it.trace, "procs").slice(0, 2)) {
      await hover(page, `proc:${p.proc}`, 1e6);
      const at = await lane(page, `proc:${p.proc}`);
      await page.mouse.move(at.x - 50, at.y);
      const busy = async () => {
        const png = decodePng(await page.screenshot({ clip: { x: Math.ceil(at.x) + 1, y: at.y + 3, width: Math.floor(at.width) - 2, height: at.height - 6 } }));
        let n = 0;
        for (let x = 0; x < png.width; x++) for (let y = 0; y < png.height; y++) if (png.at(x, y).some((v) => v < 250)) n++;
        return n / (png.width * png.height);
      };
      await expect.poll(busy).toBeCloseTo(p.utilization, 1);
    }
  });

  test("goroutines, runnable ones and threads are plotted by number", async () => {
    const page = await it.open("#/timeline?open=counts,allstates");
    const row = await label(page, "Runnable, threads, procs").boundingBox();
    const box = await page.locator(".over").boundingBox();
    await expect.poll(async () => {
      await page.mouse.move(box.x + 500 + Math.random() * 3, row.y + 30);
      return tip(page);
    }).toMatch(/runnable \d+\s+threads \d+\s+procs 4/);
    // What the legend of the plot says is drawn in these colours.
    const png = decodePng(await page.screenshot({ clip: { x: box.x + 50, y: row.y, width: box.width - 60, height: row.height } }));
    const seen = new Set();
    for (let x = 0; x < png.width; x++) for (let y = 0; y < png.height; y++) seen.add(stateOf(png.at(x, y)));
    for (const s of [0, 1, 2]) expect(seen.has(s), `state ${s}`).toBe(true);
  });

  test("m measures between two moments", async () => {
    const page = await it.open("#/timeline?v=10000000-12000000");
    const box = await page.locator(".over").boundingBox();
    await page.mouse.move(box.x + 200, box.y + 300);
    await page.keyboard.press("m");
    await page.mouse.move(box.x + 700, box.y + 320);
    await page.keyboard.press("m");
    await page.mouse.move(box.x + 900, box.y + 320);
    const pixel = 2000000 / box.width;
    expect(Math.abs(number(await page.locator(".measured [title]").first().getAttribute("title")) - 500 * pixel)).toBeLessThan(2 * pixel);
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator(".measured").count()).toBe(0);
  });

  test("a drag on the ruler selects, f fits it, Esc lets it go", async () => {
    const page = await it.open();
    const D = ask(it.trace, "info")[0].duration_ns;
    const ruler = await page.locator(".ruler").boundingBox();
    await page.mouse.move(ruler.x + ruler.width * 0.4, ruler.y + 10);
    await page.mouse.down();
    await page.mouse.move(ruler.x + ruler.width * 0.5, ruler.y + 10, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => page.locator(".details h2").innerText()).toContain("selected");
    expect(number(await page.locator(".details h2 [title]").first().getAttribute("title")) / D).toBeCloseTo(0.1, 2);
    await page.keyboard.press("f");
    const v = await movedView(page);
    expect((v.to - v.from) / D).toBeCloseTo(0.12, 1);
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator(".details").count()).toBe(0);
  });

  test("a lane can be pinned by p and by its button, and stays on top", async () => {
    const page = await it.open();
    await hover(page, "proc:1", 1e6);
    await page.keyboard.press("p");
    const pinned = page.locator(".label.pinned");
    await expect.poll(() => pinned.allInnerTexts()).toEqual([expect.stringContaining("P1")]);
    await label(page, "GC").hover();
    await label(page, "GC").getByRole("button", { name: "Pin" }).click();
    await expect.poll(() => pinned.count()).toBe(2);
    await page.mouse.move(500, 600);
    await page.keyboard.down("Alt");
    await page.mouse.wheel(0, 2000);
    await page.keyboard.up("Alt");
    const top = await page.locator(".tracks").boundingBox();
    expect((await pinned.first().boundingBox()).y).toBeCloseTo(top.y, 0);
    await pinned.first().getByRole("button", { name: "Unpin" }).click();
    await expect.poll(() => pinned.count()).toBe(1);
  });

  test("times are offsets or the wall clock", async () => {
    const page = await it.open("#/timeline?s=10000000-12000000");
    await expect.poll(() => page.locator(".details h2").innerText()).toContain("10.000 ms to 12.000 ms");
    await page.getByRole("button", { name: "offset" }).click();
    const start = new Date(ask(it.trace, "info")[0].wall_start);
    const clock = (ms) => new Date(start.getTime() + ms).toISOString().slice(11, 22);
    await expect.poll(() => page.locator(".details h2").innerText()).toContain(clock(10));
    await expect.poll(() => page.url()).toContain("clock=1");
  });

  test("marks of logs are where `logs` says, and lead to who logged", async () => {
    const logs = ask(it.trace, "logs");
    const l = logs[Math.floor(logs.length / 2)];
    const page = await it.open(`#/timeline?v=${l.after - 3000}-${l.after + 20000}`);
    const row = await label(page, "Logs").boundingBox();
    await expect.poll(async () => {
      await page.mouse.move((await xOf(page, l.after)) + Math.random(), row.y + row.height / 2);
      return tip(page);
    }).toContain(`G${l.goroutine} `);
    expect(await tip(page)).toContain(l.message);
    await page.mouse.click(await xOf(page, l.after), row.y + row.height / 2);
    await expect.poll(() => page.locator(".details h2").innerText()).toMatch(new RegExp(`^G${l.goroutine} `));
  });
});

describe("of a recorded trace with CPU samples", () => {
  const it = on(() => recorded("cpu"));

  test("a goroutine's lane has its states in proportion, and samples are marked", async () => {
    const g = ask(it.trace, "goroutines", "--each", "--function", "^main\\.main\\.func1$")[0];
    const D = ask(it.trace, "info")[0].duration_ns;
    const page = await it.open(`#/timeline?pins=go:${g.id}`);
    const total = g.total;
    await expect.poll(async () => (await statesOnScreen(page, `go:${g.id}`))[0]).toBeCloseTo(g.exec / total, 1);
    expect((await statesOnScreen(page, `go:${g.id}`))[1]).toBeCloseTo(g.sched_wait / total, 1);
    const samples = (await it.server.api(`marks?kind=samples&from=0&to=${D}&limit=1000`)).total;
    expect(samples).toBe(ask(it.trace, "info")[0].events_by_kind.StackSample);
    const row = await label(page, "CPU samples").boundingBox();
    const over = await page.locator(".over").boundingBox();
    const ink = (await colours(page, { x: over.x, y: row.y, width: over.width, height: row.height }, 0.5)).filter((c) => stateOf(c) === 0).length;
    expect(ink).toBeGreaterThan(5);
  });
});

describe("of 90,000 goroutines", () => {
  const it = on(() => synth("many.trace", "--profile", "web", "--events", "2200000", "--goroutines", "2000", "--generations", "2"));

  test("a group of all of them opens, scrolls to its end and stays small", async () => {
    const [g] = ask(it.trace, "goroutines").toSorted((a, b) => b.count - a.count);
    expect(g.count).toBeGreaterThan(80000);
    const page = await it.open();
    await scrollTo(page, "groups");
    await page.getByRole("button", { name: "http.(*conn).serve" }).click();
    await page.locator(".corner").getByLabel("sort").selectOption("id");
    await page.locator(".label.item").first().waitFor();
    await page.locator(".scroller").evaluate((s) => (s.scrollTop = s.scrollHeight));
    const last = Math.max(...ask(it.trace, "goroutines", "--each", "--function", "serve").filter((x) => x.name === g.function).map((x) => x.id));
    await expect.poll(() => page.locator(".label.item .name").allInnerTexts()).toContain(`G${last}`);
    expect(await page.locator(".label").count()).toBeLessThan(120);
    // Its lane is empty in most of the view: a click goes to where it lived.
    await page.locator(".label.item .name", { hasText: new RegExp(`^G${last}$`) }).click();
    await expect.poll(() => page.locator(".page h2").innerText()).toContain(`G${last} `);
  }, 120_000);
});
