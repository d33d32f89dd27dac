// How soon the timeline can be used, and how evenly it moves:
//
//   node frames.mjs --gotrail PATH --trace FILE [--chromium PATH] [--draw auto|pixels|webgl] [--seconds 6] [--hash "#/timeline?…"]
//
// Prints one JSON object, times in milliseconds. `first_lane` is from the start of `gotrail view`
// to the frame after the first tile arrived (the browser is up before, as a person's is), `indexed`
// until the server says that all is read. Then it zooms by wheel and pans by dragging without a pause:
// `interval` is between animation frames, `draw` the part of them that is our own, `busy` where a
// frame was drawn at all. A window of 1400 x 900.

import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({
  options: {
    gotrail: { type: "string" }, trace: { type: "string" }, chromium: { type: "string", default: process.env.CHROMIUM ?? "/usr/bin/chromium" },
    draw: { type: "string", default: "auto" }, seconds: { type: "string", default: "6" }, hash: { type: "string", default: "" },
  },
});
if (!options.gotrail || !options.trace) {
  console.error("usage: node frames.mjs --gotrail PATH --trace FILE [--chromium PATH] [--draw auto|pixels|webgl] [--seconds N] [--hash HASH]");
  process.exit(2);
}

/** Runs in the page before anything else: notes when a lane is drawn first, and every frame. */
function watch() {
  globalThis.seen = { first: null, on: false, intervals: [], draws: [] };
  let last = null;
  let drawn = 0;
  const tick = (now) => {
    const e = globalThis.gotrailTimeline;
    const seen = globalThis.seen;
    if (seen.first === null && e?.scene && [...e.scene.cache.lanes.values()].some((l) => [...l.tiles.values()].some((t) => t.tile.kind !== "none")) && e.frameCount > 0) seen.first = performance.timeOrigin + performance.now();
    if (seen.on) {
      if (last !== null) seen.intervals.push(now - last);
      for (; drawn < e.frameCount; drawn++) seen.draws.push(e.frames[drawn % e.frames.length]);
    } else drawn = e?.frameCount ?? 0;
    last = seen.on ? now : null;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

// Without a graphics card, a browser that imitates one is slow in everything: only WebGL itself asks for that.
const card = options.draw === "webgl" ? ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"] : ["--disable-gpu"];
const browser = await chromium.launch({ executablePath: options.chromium, args: ["--no-sandbox", ...card] });
const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
await page.addInitScript(watch);
await page.goto("about:blank");

const start = performance.timeOrigin + performance.now();
const server = spawn(options.gotrail, ["view", "--no-open", "--no-cache", options.trace], { stdio: ["ignore", "pipe", "inherit"] });
try {
  const url = await new Promise((resolve, reject) => {
    let said = "";
    server.stdout.on("data", (d) => {
      const m = /http:\/\/\S+/.exec((said += d));
      if (m) resolve(m[0]);
    });
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`gotrail view ended with ${code}`)));
  });
  const address = performance.timeOrigin + performance.now() - start;
  const indexed = (async () => {
    for await (const chunk of (await fetch(new URL("api/progress", url))).body) if (Buffer.from(chunk).toString().includes('"done":true')) break;
    return performance.timeOrigin + performance.now() - start;
  })();
  await page.goto(`${url}${options.draw === "auto" ? "" : `?draw=${options.draw}`}${options.hash}`);
  await page.waitForFunction(() => globalThis.seen.first !== null, null, { timeout: 120_000 });
  const first = (await page.evaluate(() => globalThis.seen.first)) - start;
  const done = await indexed;
  await page.locator("header .ok, header .bad").first().waitFor({ timeout: 60_000 });
  // What belongs to the whole trace is there before anything moves.
  await page.waitForFunction(() => globalThis.gotrailTimeline.client.running.length === 0);

  const box = await page.locator(".over").boundingBox();
  const at = (k) => box.x + box.width * k;
  const y = box.y + 400;
  await page.mouse.move(at(0.4), y);
  await page.evaluate(() => (globalThis.seen.on = true));
  const end = performance.now() + Number(options.seconds) * 1000;
  for (let round = 0; performance.now() < end; round++) {
    // Closer, along, farther: a different place each time, so that tiles are not all there already.
    const k = 0.2 + ((round * 0.37) % 0.6);
    await page.mouse.move(at(k), y);
    for (let i = 0; i < 40; i++) await page.mouse.wheel(0, -40);
    await page.mouse.down();
    for (let i = 0; i < 40; i++) await page.mouse.move(at(k) + Math.sin(i / 12) * 300, y);
    await page.mouse.up();
    for (let i = 0; i < 42; i++) await page.mouse.wheel(0, 40);
  }
  const seen = await page.evaluate(() => ((globalThis.seen.on = false), globalThis.seen));
  const figures = (list) => {
    const a = [...list].sort((x, y) => x - y);
    const q = (p) => Number((a[Math.min(a.length - 1, Math.floor(a.length * p))] ?? NaN).toFixed(2));
    return { count: a.length, p50: q(0.5), p95: q(0.95), p99: q(0.99), max: q(1) };
  };
  console.log(JSON.stringify({
    trace: options.trace, renderer: await page.evaluate(() => globalThis.gotrailTimeline.rendererName),
    address: Math.round(address), first_lane: Math.round(first), indexed: Math.round(done), interval: figures(seen.intervals), draw: figures(seen.draws),
  }));
} finally {
  await browser.close();
  server.kill();
}
