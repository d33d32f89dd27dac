// The API of docs/api.md over a made-up trace, for working on the page: `npm run mock`, then `npm
// run dev`. It also serves the built page, with the headers of the real server. PORT, INDEX_MS (how long
// indexing seems to take) and CLUMSY=1 (slow tiles) come from the environment.

import { createServer } from "node:http";
import { readFileSync, existsSync } from "node:fs";
import { join, normalize, extname } from "node:path";
import { synth, STATES } from "./synth.mjs";
import { chunked, encodeTile, laneOf } from "./tile.mjs";

const here = new URL(".", import.meta.url).pathname;
const PAGE = "../../crates/gotrail-view/page";
const PORT = Number(process.env.PORT ?? 7070);
const INDEX_MS = Number(process.env.INDEX_MS ?? 3000);
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HOSTILE = process.env.HOSTILE === "1";

const T = synth();
if (HOSTILE) {
  const bad = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`;
  T.group[3].function = bad;
  T.labels[T.group[3].label] = bad;
  T.group[4].function = T.labels[T.group[4].label] = "x".repeat(1_000_000);
  T.tasks[0].name = bad;
}
const D = T.duration;
const byId = new Map(T.all.map((g) => [g.id, g]));
const groupSpans = T.group.map((g) => g.members.flatMap((m) => m.spans).sort((a, b) => a.from - b.from));
const allSpans = groupSpans.flat().sort((a, b) => a.from - b.from);
const groupChunks = groupSpans.map(chunked), allChunks = chunked(allSpans);
for (const p of [...T.proc, ...T.threads]) p.spans.sort((a, b) => a.from - b.from);
const started = Date.now();
const progress = () => Math.min(1, (Date.now() - started) / INDEX_MS);
const indexed = () => Math.floor(progress() * D);
const START = 1795305742496229655n, ORIGIN = 6561851290304;

const statesOf = (spans, from = 0, to = D) => {
  const s = new Array(10).fill(0);
  for (const x of spans) if (x.from < to && x.to > from) s[x.state] += Math.min(x.to, to) - Math.max(x.from, from);
  return s;
};
for (const g of T.all) g.states = statesOf(g.spans);
const active = (s) => s[0] + s[1] + s[2] + s[3];

function spansOf(lane) {
  const [kind, id] = lane.split(":");
  if (lane === "all") return [allSpans, allChunks];
  if (lane === "gc") return [T.gc];
  if (lane === "stw") return [T.stw];
  if (kind === "group") return T.group[id] ? [groupSpans[id], groupChunks[id]] : null;
  if (kind === "go") return byId.get(+id) ? [byId.get(+id).spans] : null;
  if (kind === "proc") return T.proc[id] ? [T.proc[id].spans] : null;
  if (kind === "thread") return [T.threads.find((t) => t.id === +id)?.spans ?? []];
  if (kind === "task") {
    const t = T.tasks[id - 1];
    return t ? [[{ from: t.begin, to: t.end, go: t.id, label: 0xffffffff, state: 0 }]] : null;
  }
  if (kind === "regions") {
    const g = byId.get(+id);
    return g ? [g.spans.filter((s) => s.state === 0).map((s) => ({ ...s, label: 1 }))] : null;
  }
  return null;
}

const cache = new Map();
function tile(q) {
  const level = +q.level, index = +q.index, lanes = q.lanes.split(",");
  const span = 2 ** level * 256, now = indexed(), complete = (index + 1) * span <= now || progress() >= 1;
  return Buffer.from(encodeTile(lanes.map((lane) => {
    const key = `${lane} ${level} ${index}`;
    if (complete && cache.has(key)) return cache.get(key);
    const found = spansOf(lane);
    if (!found) return null;
    const spans = complete || found[1] ? found[0] : found[0].filter((s) => s.from < now).map((s) => (s.to > now ? { ...s, to: now } : s));
    const out = laneOf(spans, level, index, found[1], now);
    if (complete) cache.set(key, out);
    return out;
  }), complete));
}

const info = () => ({
  name: "trace.out", path: "/tmp/trace.out", bytes: 36215578, version: "1.26", start_unix: String(START), duration: D, origin: ORIGIN, indexed: indexed(), progress: progress(),
  done: progress() >= 1, events: Math.floor(7.1e6 * progress()), generations: 11, goroutines: T.all.length, procs: T.proc.length, threads: T.threads.length, tasks: T.tasks.length,
  regions: T.tasks.length * 2, states: STATES.map((name, id) => ({ id, name })), labels: T.labels.length, base_level: 16,
  lost: [{ from: 7.1e9, to: 7.23e9, what: "12,288 bytes of thread 4207 are damaged; its events of this time are lost" }], complete: false, error: null,
});

const SORT = {
  blocked: (s) => -(s[4] + s[5] + s[6] + s[7] + s[8] + s[9]), runnable: (s) => -s[1], running: (s) => -s[0], syscall: (s) => -(s[2] + s[3]), total: (s) => -s.reduce((a, b) => a + b, 0),
};
const row = (g) => ({ id: g.id, lane: `go:${g.id}`, function: g.fn, created: g.created, ended: g.ended, creator: g.creator || null, states: g.states });
const page = (rows, q) => ({ total: rows.length, rows: rows.slice(+(q.offset ?? 0), +(q.offset ?? 0) + +(q.limit ?? 100)) });

function members(q) {
  let rows = q.group === undefined ? T.all : T.group[q.group]?.members ?? [];
  if (q.q) rows = rows.filter((g) => g.fn.includes(q.q) || `G${g.id}`.includes(q.q));
  const key = SORT[q.sort];
  rows = rows.slice().sort(key ? (a, b) => key(a.states) - key(b.states) : q.sort === "start" ? (a, b) => a.created - b.created : (a, b) => a.id - b.id);
  const p = page(rows, q);
  return { ...p, rows: p.rows.map(row) };
}

function tasks(q) {
  let rows = T.tasks.filter((t) => !q.q || t.name.includes(q.q));
  const keys = { duration: (t) => t.begin - t.end, name: (t) => t.name, id: (t) => t.id, begin: (t) => t.begin };
  const key = keys[q.sort] ?? keys.begin;
  rows = rows.slice().sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const p = page(rows, q);
  return { ...p, rows: p.rows.map((t) => ({ ...t, lane: `task:${t.id}` })) };
}

function plot(q) {
  const series = { heap: T.heap, goal: T.goal }[q.name] ?? Array.from({ length: 400 }, (_, i) => [(i / 400) * D, q.name === "procs" ? 8 : 40 + 30 * Math.sin(i / 9)]);
  const from = +(q.from ?? 0), to = +(q.to ?? D), n = +(q.points ?? 500);
  const t = [], min = [], max = [], last = [];
  let k = 0, value = series[0][1];
  for (let i = 0; i < n; i++) {
    const end = from + ((to - from) * (i + 1)) / n;
    let lo = value, hi = value;
    while (k < series.length && series[k][0] < end) {
      value = series[k++][1];
      if (series[k - 1][0] >= from) { lo = Math.min(lo, value); hi = Math.max(hi, value); } else { lo = hi = value; }
    }
    t.push(from + ((to - from) * i) / n); min.push(lo); max.push(hi); last.push(value);
  }
  return { name: q.name, unit: q.name === "heap" || q.name === "goal" ? "bytes" : "count", t, min, max, last };
}

function marks(q) {
  const from = +(q.from ?? 0), to = +(q.to ?? D), limit = +(q.limit ?? 1000);
  let rows = [];
  if (q.kind === "logs") rows = T.tasks.map((t) => ({ from: t.begin + 900, to: t.begin + 900, go: t.goroutines[0], task: t.id, text: `lines: order ${t.id} has ${t.id % 9} lines`, lane: `go:${t.goroutines[0]}` }));
  else if (q.kind === "samples") rows = T.proc[0].spans.filter((_, i) => i % 40 === 0).map((s) => ({ from: s.from, to: s.from, go: s.go, task: null, text: T.labels[s.label], lane: `go:${s.go}` }));
  else if (q.kind === "gc") rows = T.gc.map((s) => ({ from: s.from, to: s.to, go: null, task: null, text: "mark", lane: "gc" }));
  else if (q.kind === "stw") rows = T.stw.map((s) => ({ from: s.from, to: s.to, go: s.go, task: null, text: T.labels[s.label], lane: "stw" }));
  else if (q.kind === "lost") rows = info().lost.map((l) => ({ from: l.from, to: l.to, go: null, task: null, text: l.what, lane: null }));
  rows = rows.filter((r) => r.from <= to && r.to >= from);
  const strip = new Array(512).fill(0);
  for (const r of rows) strip[Math.max(0, Math.min(511, Math.floor(((r.from - from) / (to - from)) * 512)))]++;
  return { total: rows.length, rows: rows.slice(0, limit), strip };
}

const stackOf = (fn, why) => [
  ...(why ? [{ function: why.includes("chan") ? "runtime.chanrecv1" : why.includes("sync") ? "sync.(*Mutex).Lock" : `runtime.${why.split(" ")[0]}`, file: "/usr/lib/go/src/runtime/chan.go", line: 506 }] : []),
  { function: `${fn}.step`, file: "/src/app/main.go", line: 88 }, { function: fn, file: "/src/app/main.go", line: 41 },
];

function span(q) {
  const t = +q.time, found = spansOf(q.lane);
  if (!found || found[1]) throw 404;
  const i = found[0].findIndex((s) => s.from <= t && s.to > t);
  if (i < 0) throw 404;
  const s = found[0][i], g = byId.get(s.go);
  const ender = byId.get(found[0][i + 1]?.woke) ?? null;
  const why = s.state > 1 ? T.labels[s.label] : null;
  return {
    lane: q.lane, go: s.go, function: g?.fn ?? null, state: s.state, label: s.label === 0xffffffff ? null : T.labels[s.label], from: s.from, to: s.to, open: s.to >= D, proc: s.proc ?? null, thread: 4200 + (s.proc ?? 0),
    stack: g ? stackOf(g.fn, why) : [], began: null,
    ended: ender && s.state >= 4 ? { go: ender.id, function: ender.fn, time: s.to, stack: stackOf(ender.fn), lane: `go:${ender.id}` } : null,
    creator: g?.creator ? { go: g.creator, function: byId.get(g.creator).fn, time: g.created, stack: stackOf(byId.get(g.creator).fn) } : null,
    previous: found[0][i - 1] ? found[0][i - 1].from : null, next: found[0][i + 1] ? found[0][i + 1].from : null,
    similar: { count: 1912, p50: 3.1e6, p99: 2e7, max: 5e7, total: 8.2e9 },
  };
}

function arrows(q) {
  const from = +q.from, to = +q.to, ids = new Set((q.lanes ?? "").split(",").filter((l) => l.startsWith("go:")).map((l) => +l.slice(3)));
  const rows = [];
  for (const id of ids) {
    const g = byId.get(id);
    g?.spans.forEach((s, i) => {
      if (s.state === 1 && s.from >= from && s.from <= to && s.woke && s.woke !== id && g.spans[i - 1]?.state !== 0) rows.push({ kind: i === 0 ? "create" : "unblock", time: s.from, from: s.woke, to: id });
    });
  }
  return { total: rows.length, rows: rows.slice(0, +(q.limit ?? 200)) };
}

function critical(q) {
  const go = byId.get(q.go ? +q.go : T.tasks[q.task - 1]?.goroutines[0]);
  if (!go) throw 404;
  const from = +(q.from ?? go.created), to = +(q.to ?? go.ended ?? D), steps = [], by = {};
  for (const s of go.spans) {
    if (s.to <= from || s.from >= to) continue;
    const other = s.state >= 4 ? byId.get(1 + ((s.from >> 6) % 60)) : go;
    const kind = s.state === 0 ? "run" : s.state === 1 ? "sched" : s.state <= 3 ? "syscall" : "block";
    steps.push({ go: other.id, function: other.fn, from: s.from, to: s.to, kind, label: T.labels[s.label] ?? null });
    by[kind] = (by[kind] ?? 0) + s.to - s.from;
  }
  return { total: steps.length, steps: steps.slice(0, 300), by_kind: by };
}

function search(q) {
  const x = q.q.toLowerCase(), n = +(q.limit ?? 8);
  const functions = T.group.filter((g) => g.function.toLowerCase().includes(x)).map((g) => ({ label: g.label, function: g.function, group: g.id, count: g.members.length, stacks: true }));
  const id = /^g?(\d+)$/.exec(x)?.[1];
  const goroutines = id ? T.all.filter((g) => String(g.id).startsWith(id)).map((g) => ({ id: g.id, lane: `go:${g.id}`, function: g.fn })) : [];
  const ts = T.tasks.filter((t) => t.name.includes(x) || String(t.id) === x);
  const regions = ["decode", "encode", "tick"].filter((r) => r.includes(x)).map((name) => ({ name, count: 2951 }));
  const logs = marks({ kind: "logs", limit: 1e9 }).rows.filter((r) => r.text.includes(x)).map((r) => ({ time: r.from, go: r.go, text: r.text }));
  const total = { functions: functions.length, goroutines: goroutines.length, tasks: ts.length, regions: regions.length, logs: logs.length };
  return { functions: functions.slice(0, n), goroutines: goroutines.slice(0, n), tasks: ts.slice(0, n), regions, logs: logs.slice(0, n), total };
}

function matches(q) {
  const states = q.state ? new Set(q.state.split(",").map(Number)) : null, strip = new Array(512).fill(0), rows = [];
  let total = 0;
  for (const s of allSpans) {
    if (states && !states.has(s.state)) continue;
    const d = s.to - s.from;
    if (q.min && d < +q.min) continue;
    if (q.max && d > +q.max) continue;
    if (q.function && !byId.get(s.go).fn.includes(q.function)) continue;
    if (q.label && !T.labels[s.label]?.includes(q.label)) continue;
    total++;
    strip[Math.min(511, Math.floor((s.from / D) * 512))]++;
    rows.push({ lane: `go:${s.go}`, go: s.go, from: s.from, to: s.to, state: s.state, label: s.label });
  }
  const limit = +(q.limit ?? 1000), first = rows.findIndex((r) => r.from >= +(q.from ?? 0)), end = rows.findIndex((r) => r.from >= +(q.until ?? q.to ?? Infinity));
  const to = end < 0 ? total : end, from = q.last ? Math.max(0, to - limit) : first < 0 ? total : first;
  return { total, rows: rows.slice(from, Math.min(to, from + limit)), before: from, strip };
}

/** Types of regions of the made-up trace: it has one. */
function regions() {
  return { total: 0, rows: [] };
}

function selection(q) {
  const from = +q.from, to = +q.to, sum = new Array(10).fill(0);
  const chosen = new Set((q.lanes ?? "").split(",").filter(Boolean));
  const functions = T.group.filter((g) => chosen.size === 0 || chosen.has(`group:${g.id}`)).map((g) => ({ function: g.function, group: g.id, count: g.members.filter((m) => m.created < to && (m.ended ?? D) > from).length, states: statesOf(groupSpans[g.id], from, to) }));
  for (const f of functions) f.states.forEach((x, i) => (sum[i] += x));
  const histogram = Array.from({ length: 28 }, (_, i) => ({ upto: 2 ** (i + 6), count: 0 }));
  for (const s of allSpans) if (s.state === 1 && s.to > from && s.from < to) histogram[Math.max(0, Math.min(27, Math.ceil(Math.log2(s.to - s.from)) - 6))].count++;
  functions.sort((a, b) => active(b.states) - active(a.states));
  return { states: sum, functions: functions.filter((f) => f.count), histogram, command: `gotrail goroutines --from ${from}ns --to ${to}ns trace.out` };
}

function flame(q) {
  if (q.type === "cpu" && q.group === "5") return { unit: "samples", total: 0, stacks: [] };
  const stacks = [];
  let total = 0;
  for (const g of T.group) {
    if (q.group && +q.group !== g.id) continue;
    const s = statesOf(groupSpans[g.id], +(q.from ?? 0), +(q.to ?? D));
    const parts = q.type === "sched" ? [[1, "runtime.schedule"]] : q.type === "cpu" ? [[0, "compute"]] : [[4, "sync.(*Mutex).Lock"], [5, "runtime.chanrecv1"], [6, "internal/poll.runtime_pollWait"], [7, "time.Sleep"]];
    for (const [state, leaf] of parts) {
      const value = q.type === "cpu" ? Math.round(s[state] / 1e7) : s[state];
      if (!value) continue;
      total += value;
      stacks.push({ frames: [g.function, `${g.function}.step`, leaf], value: Math.round(value * 0.7) }, { frames: [g.function, `${g.function}.flush`, "encoding/json.Marshal", leaf], value: value - Math.round(value * 0.7) });
    }
  }
  return { unit: q.type === "cpu" ? "samples" : "ns", total, stacks };
}

function answer(command, q) {
  const name = q.each ? `${command}-each` : q.show && q.show !== "summary" ? `${command}-${q.show}` : q.by ? `${command}-${q.by}` : command;
  const file = join(here, "answers", `${name}.ndjson`);
  if (!/^[a-z-]+$/.test(name) || !existsSync(file)) throw 404;
  return readFileSync(file, "utf8");
}

const groupsOf = () => T.group.map((g) => ({ id: g.id, lane: `group:${g.id}`, function: g.function, count: g.members.length, first: g.members[0]?.created ?? 0, last: D, states: statesOf(groupSpans[g.id]) })).sort((a, b) => active(b.states) - active(a.states));
let groups = null;
const API = {
  trace: info, members, tasks, plot, marks, span, arrows, critical, search, matches, regions, selection, flame,
  labels: (q) => ({ from: +(q.from ?? 0), labels: T.labels.slice(+(q.from ?? 0)) }),
  lanes: () => ({ revision: progress() >= 1 ? 2 : 1, groups: (groups ??= groupsOf()), procs: T.proc.map((p) => ({ id: p.id, lane: `proc:${p.id}` })), threads: T.threads.map((t) => ({ id: t.id, lane: `thread:${t.id}` })) }),
};
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

createServer((req, res) => {
  const url = new URL(req.url, "http://localhost"), q = Object.fromEntries(url.searchParams);
  const send = (status, type, body) => { res.writeHead(status, { "content-type": type, "content-security-policy": CSP, "cache-control": "no-store" }); res.end(body); };
  try {
    if (url.pathname === "/api/progress") {
      res.writeHead(200, { "content-type": "text/event-stream" });
      const tick = () => { res.write(`data: ${JSON.stringify(info())}\n\n`); if (progress() >= 1) { clearInterval(timer); res.end(); } };
      const timer = setInterval(tick, 100);
      req.on("close", () => clearInterval(timer));
      return tick();
    }
    if (url.pathname === "/api/tile") return process.env.CLUMSY ? setTimeout(() => send(200, "application/octet-stream", tile(q)), 400) : send(200, "application/octet-stream", tile(q));
    const m = /^\/api\/answer\/([a-z]+)$/.exec(url.pathname);
    if (m) return send(200, "application/x-ndjson", answer(m[1], q));
    const name = url.pathname.slice(5);
    if (url.pathname.startsWith("/api/") && Object.hasOwn(API, name)) return send(200, "application/json", JSON.stringify(API[name](q)));
    if (url.pathname.startsWith("/api/")) throw 404;
    const file = normalize(join(here, PAGE, url.pathname === "/" ? "index.html" : url.pathname));
    if (!file.startsWith(normalize(join(here, PAGE))) || !existsSync(file)) throw 404;
    send(200, TYPES[extname(file)] ?? "application/octet-stream", readFileSync(file));
  } catch (e) {
    if (e !== 404) console.error(e);
    send(e === 404 ? 404 : 500, "application/json", JSON.stringify({ error: e === 404 ? "there is no such thing in the made-up trace" : String(e) }));
  }
}).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}/`));
