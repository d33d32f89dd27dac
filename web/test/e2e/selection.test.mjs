// A selected time: what went on in it, as tables, histogram and flame graph, and as a command.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { count, duration } from "../../src/time/format.ts";
import { ask, GOTRAIL, mixed, recorded, run, temporary } from "./help/gotrail.mjs";
import { clipboard, copied, lane, number, on, scrollTo, statesTable, xOf } from "./help/screen.mjs";

const it = on(mixed);
const details = (page) => page.locator(".details");
const [FROM, TO] = [5_000_000, 9_000_000];
const range = ["--from", `${FROM}ns`, "--to", `${TO}ns`];

async function select(page, from = FROM, to = TO) {
  const ruler = await page.locator(".ruler").boundingBox();
  await page.mouse.move(await xOf(page, from), ruler.y + 10);
  await page.mouse.down();
  await page.mouse.move(await xOf(page, to), ruler.y + 10, { steps: 8 });
  await page.mouse.up();
  await expect.poll(async () => (await details(page).locator("h2").allInnerTexts()).join()).toContain("selected");
}

test("dragged on the ruler: the breakdown by state is that of `goroutines --from --to`", async () => {
  const page = await it.open();
  await select(page);
  await page.goto(`${it.server.url}#/timeline?s=${FROM}-${TO}`);
  await expect.poll(async () => number(await details(page).locator("h2 [title]").first().getAttribute("title"))).toBe(TO - FROM);
  const groups = ask(it.trace, "goroutines", ...range);
  const sum = (key) => groups.reduce((a, g) => a + g[key], 0);
  await expect.poll(async () => (await statesTable(details(page))).running / sum("running")).toBeCloseTo(1, 2);
  const shown = await statesTable(details(page));
  expect(shown.runnable / sum("runnable")).toBeCloseTo(1, 2);
  expect(shown.network / groups.reduce((a, g) => a + (g.blocked.network ?? 0), 0)).toBeCloseTo(1, 2);
  expect((shown.syscall + shown["syscall, no proc"]) / (sum("syscall") + sum("syscall_blocked"))).toBeCloseTo(1, 1);
});

test("its top functions are those of `goroutines --from --to`, and lead to their groups", async () => {
  const page = await it.open(`#/timeline?s=${FROM}-${TO}`);
  const rows = await copied(page, "functions");
  for (const g of ask(it.trace, "goroutines", ...range).filter((x) => x.function.startsWith("main.") || x.function.startsWith("net/"))) {
    const row = rows.find((r) => r["start function"] === g.function);
    expect(row.goroutines, g.function).toBe(g.count);
    expect(row.running / g.running, g.function).toBeCloseTo(1, 2);
    expect(row.runnable / g.runnable, g.function).toBeCloseTo(1, 2);
  }
  expect(rows.map((r) => r.running)).toEqual(rows.map((r) => r.running).sort((a, b) => b - a));
  await details(page).locator(".table-box tbody tr").first().click();
  await expect.poll(() => page.locator(".page h2").innerText()).toContain(rows[0]["start function"]);
});

test("the histogram of waits for a proc counts what `latency` counts", async () => {
  const page = await it.open(`#/timeline?s=${FROM}-${TO}`);
  const waits = ask(it.trace, "latency", "--by", "state", ...range).find((l) => l.state === "sched");
  const bars = details(page).locator(".histogram rect");
  await bars.first().waitFor();
  const box = await details(page).locator(".histogram svg").boundingBox();
  let sum = 0;
  const n = await bars.count();
  for (let i = 0; i < n; i++) {
    await page.mouse.move(box.x + (box.width * (i + 0.5)) / n, box.y + 40);
    await expect.poll(() => details(page).locator(".histogram rect.hover").evaluate((r) => [...r.parentElement.children].indexOf(r))).toBe(i);
    sum += number((await details(page).locator(".histogram .middle").innerText()).split(" from ")[0]);
  }
  expect(sum / (waits.count + waits.open)).toBeCloseTo(1, 1);
});

test("the command that it shows prints the same", async () => {
  const page = await it.open(`#/timeline?s=${FROM}-${TO}`);
  const rows = await copied(page, "functions");
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await details(page).getByRole("button", { name: "copy as gotrail command" }).click();
  const command = await clipboard(page);
  expect(command).toMatch(/^gotrail goroutines --from \S+ --to \S+ /);
  const printed = execFileSync("sh", ["-c", `"$0" ${command.replace(/^gotrail/, "").replace(" goroutines", " goroutines --json")}`, GOTRAIL], { cwd: dirname(it.trace) }).toString().trim().split("\n").map((l) => JSON.parse(l));
  const both = printed.filter((x) => x.function === "main.collect" || x.function === "net/http.(*conn).serve");
  expect(both.length).toBe(2);
  for (const g of both) expect(rows.find((r) => r["start function"] === g.function).goroutines).toBe(g.count);
});

test("with shift on a group: only that group", async () => {
  const page = await it.open();
  const { groups } = await it.server.api("lanes");
  const g = groups.find((x) => x.function === "main.collect");
  await scrollTo(page, "groups");
  const at = await lane(page, g.lane);
  await page.keyboard.down("Shift");
  await page.mouse.move(await xOf(page, FROM), at.y + 10);
  await page.mouse.down();
  await page.mouse.move(await xOf(page, TO), at.y + 12, { steps: 8 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await expect.poll(async () => (await details(page).locator("h2").allInnerTexts()).join()).toContain("only main.collect");
  await expect.poll(() => page.url()).toContain(`sl=${g.lane}`);
  // Its figures are those of the command that it shows, which is about this function alone.
  const rows = await copied(page, "functions");
  expect(rows.map((r) => r["start function"])).toEqual(["main.collect"]);
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await details(page).getByRole("button", { name: "copy as gotrail command" }).click();
  const command = await clipboard(page);
  expect(command).toContain("--function '^main\\.collect$'");
  const printed = execFileSync("sh", ["-c", `"$0" ${command.replace(/^gotrail/, "").replace(" goroutines", " goroutines --json")}`, GOTRAIL], { cwd: dirname(it.trace) }).toString().trim().split("\n").map((l) => JSON.parse(l));
  expect(printed.map((x) => [x.function, x.count])).toEqual([["main.collect", rows[0].goroutines]]);
});

async function shiftDrag(page, from, to) {
  const [a, b] = [await lane(page, from), await lane(page, to)];
  await page.keyboard.down("Shift");
  await page.mouse.move(await xOf(page, FROM), a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move(await xOf(page, TO), b.y + b.height / 2, { steps: 8 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await expect.poll(async () => (await details(page).locator("h2").allInnerTexts()).join()).toContain("only ");
}

test("with shift from one goroutine down to another, or up: these and all between", async () => {
  const { groups } = await it.server.api("lanes");
  const g = groups.find((x) => x.function === "main.collect");
  const page = await it.open(`#/timeline?open=${g.lane}&sort=id&top=${g.lane}~0`);
  const ids = ask(it.trace, "goroutines", "--each", "--function", "^main\\.collect$").map((x) => x.id).sort((a, b) => a - b).slice(0, 4);
  for (const [from, to] of [[ids[0], ids[3]], [ids[3], ids[0]]]) {
    await shiftDrag(page, `go:${from}`, `go:${to}`);
    await expect.poll(() => decodeURIComponent(/sl=([^&]+)/.exec(page.url())?.[1] ?? "").split(",").sort()).toEqual(ids.map((id) => `go:${id}`).sort());
    await page.keyboard.press("Escape");
    await expect.poll(() => page.url()).not.toContain("sl=");
  }
  await page.goto(`${it.server.url}#/timeline?s=${FROM}-${TO}&sl=${ids.map((id) => `go:${id}`).join(",")}`);
  const each = ask(it.trace, "goroutines", "--each", "--function", "^main\\.collect$", ...range).filter((x) => ids.includes(x.id));
  await expect.poll(async () => (await statesTable(details(page))).runnable / each.reduce((a, x) => a + x.sched_wait, 0)).toBeCloseTo(1, 2);
});

test("with shift from one proc to another: what was done on these", async () => {
  const page = await it.open();
  await shiftDrag(page, "proc:0", "proc:1");
  await expect.poll(() => decodeURIComponent(page.url())).toContain("sl=proc:0,proc:1");
  expect(await details(page).locator("h2").innerText()).toContain("only P0, P1");
  const D = ask(it.trace, "info")[0].duration_ns;
  await page.goto(`${it.server.url}#/timeline?s=0-${D}&sl=proc:0,proc:1`);
  const held = ask(it.trace, "procs").filter((p) => p.proc < 2).reduce((a, p) => a + p.held, 0);
  await expect.poll(async () => {
    const shown = await statesTable(details(page));
    return (shown.running + (shown.syscall ?? 0)) / held;
  }).toBeCloseTo(1, 1);
});

test("the critical path of selected groups ends on a goroutine of theirs", async () => {
  const { groups } = await it.server.api("lanes");
  const lanes = ["main.collect", "main.main"].map((f) => groups.find((x) => x.function === f).lane);
  const page = await it.open(`#/timeline?s=${FROM}-${TO}&sl=${lanes.join(",")}`);
  await details(page).getByRole("button", { name: "critical path" }).click();
  await expect.poll(() => details(page).locator("h2").innerText()).toContain("Critical path of main.collect, main.main");
  const steps = await copied(page, "critical path");
  const last = steps.toSorted((a, b) => b.from + b.time - a.from - a.time)[0];
  const theirs = ask(it.trace, "goroutines", "--each", "--function", "^main\\.(collect|main)$").map((g) => g.id);
  expect(theirs).toContain(last.goroutine);
  await expect.poll(() => decodeURIComponent(page.url())).toContain(`why=${lanes.join(",")}@`);
  // A link brings it back.
  const other = await it.open(new URL(page.url()).hash);
  expect(await copied(other, "critical path")).toEqual(steps);
});

describe("its flame graph", () => {
  /** The sum of a profile that `gotrail flame` writes. */
  const folded = (trace, type, ...args) => {
    const out = temporary(`${type}.folded`);
    run("flame", "--type", type, "--force", "-o", out, ...args, trace);
    return readFileSync(out, "utf8").trim().split("\n").reduce((a, l) => a + Number(l.slice(l.lastIndexOf(" ") + 1)), 0);
  };
  const all = (page) => page.locator(".flame canvas").getAttribute("aria-label");

  test("of blocked time has the sum of `flame --type offcpu` for this time", async () => {
    const page = await it.open(`#/timeline?s=${FROM}-${TO}`);
    await details(page).getByRole("tab", { name: "flame graph" }).click();
    await details(page).getByRole("button", { name: "channels and locks" }).click();
    const sum = folded(it.trace, "sync", ...range);
    await expect.poll(() => all(page)).toContain(`of ${duration(sum)}`);
    await details(page).getByRole("button", { name: "off CPU" }).click();
    await expect.poll(() => all(page)).not.toContain(`of ${duration(sum)}`);
    await expect.poll(() => page.url()).toContain("o.tab=flame%20graph");
  });

  test("of two groups is theirs alone", async () => {
    const { groups } = await it.server.api("lanes");
    const lanes = ["main.collect", "main.worker"].map((f) => groups.find((x) => x.function === f).lane);
    const page = await it.open(`#/timeline?s=${FROM}-${TO}&sl=${lanes.join(",")}&o.tab=flame%20graph&o.flame=offcpu`);
    const theirs = folded(it.trace, "offcpu", ...range, "--function", "^main\\.(collect|worker)$");
    expect(duration(theirs)).not.toBe(duration(folded(it.trace, "offcpu", ...range)));
    await expect.poll(() => all(page)).toContain(`of ${duration(theirs)}`);
    // One goroutine of them has less.
    const go = ask(it.trace, "goroutines", "--each", "--function", "^main\\.collect$", ...range).toSorted((a, b) => b.blocked_total - a.blocked_total)[0].id;
    await page.goto(`${it.server.url}#/timeline?s=${FROM}-${TO}&sl=go:${go}&o.tab=flame%20graph&o.flame=offcpu`);
    const its = folded(it.trace, "offcpu", ...range, "--goroutine", String(go));
    expect(duration(its)).not.toBe(duration(theirs));
    await expect.poll(() => all(page)).toContain(`of ${duration(its)}`);
  });

  test("of CPU samples has as many as `flame --type cpu` for this time", async () => {
    const page = await it.open(`#/timeline?s=${FROM}-${TO}&o.tab=flame%20graph&o.flame=cpu`);
    await expect.poll(async () => number((await all(page)).match(/of ([\d,]+)/)[1])).toBe(folded(it.trace, "cpu", ...range));
  });
});

test("what there is nothing of is said to be missing, and why", async () => {
  const page = await it.open("#/timeline?s=100-200&o.tab=flame%20graph&o.flame=cpu");
  await expect.poll(() => details(page).locator(".empty").innerText()).toContain("runtime/pprof");
  expect(count(ask(recorded("channels"), "info")[0].gc_cycles)).toBe("0");
});
