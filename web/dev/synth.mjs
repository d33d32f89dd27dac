// A made-up trace for working on the page without a server: a small simulation of a scheduler, so
// that running, runnable and blocked times fit together. Always the same for the same seed.

export const RUNNING = 0, RUNNABLE = 1, SYSCALL = 2, SYSCALL_NP = 3, SYNC = 4, CHANNEL = 5, NETWORK = 6, SLEEP = 7, GC = 8, OTHER = 9;
export const STATES = ["running", "runnable", "syscall", "syscall, no proc", "sync", "channel", "network", "sleep", "GC", "other"];

function rng(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Heap {
  constructor() { this.a = []; }
  push(t, v) {
    const a = this.a;
    a.push([t, v]);
    let i = a.length - 1;
    while (i > 0) {
      const p = (i - 1) >> 1;
      if (a[p][0] <= a[i][0]) break;
      [a[p], a[i]] = [a[i], a[p]];
      i = p;
    }
  }
  pop() {
    const a = this.a, top = a[0], last = a.pop();
    if (a.length) {
      a[0] = last;
      let i = 0;
      for (;;) {
        let c = 2 * i + 1;
        if (c >= a.length) break;
        if (c + 1 < a.length && a[c + 1][0] < a[c][0]) c++;
        if (a[i][0] <= a[c][0]) break;
        [a[i], a[c]] = [a[c], a[i]];
        i = c;
      }
    }
    return top;
  }
}

const NAMES = [
  "main.main", "main.worker", "net/http.(*conn).serve", "main.(*Ingest).run", "main.(*Cache).evict", "main.pipeline.func1",
  "github.com/example/warehouse/internal/replication.(*Follower).applyLoop.func2", "main.handler.func1", "runtime.gcBgMarkWorker",
  "database/sql.(*DB).connectionOpener", "net/http.(*connReader).backgroundRead", "main.mapShard[go.shape.string,go.shape.int]",
];

export function synth({ seed = 7, goroutines = 24000, groups = 40, procs = 8, duration = 11.4e9 } = {}) {
  const rand = rng(seed);
  const exp = (mean) => Math.max(60, Math.round(-Math.log(1 - rand()) * mean));
  const labels = [];
  const numbers = new Map();
  const label = (s) => { if (!numbers.has(s)) { numbers.set(s, labels.length); labels.push(s); } return numbers.get(s); };
  const reasons = {
    [SYNC]: label("sync.(*Mutex).Lock"), [CHANNEL]: label("chan receive"), [NETWORK]: label("network"), [SLEEP]: label("sleep"),
    [GC]: label("GC mark assist wait for work"), [SYSCALL]: label("syscall"), [OTHER]: label("select (no cases)"),
  };
  const group = [];
  for (let i = 0; i < groups; i++) {
    const fn = NAMES[i] ?? (i % 3 ? `main.(*Service${i}).loop` : `example.org/pkg${i}/queue.(*Consumer).poll.func${i}`);
    group.push({ id: i, function: fn, label: label(fn), members: [] });
  }
  const waits = [CHANNEL, CHANNEL, SYNC, NETWORK, SLEEP, SYSCALL];
  const all = [];
  const events = new Heap();
  const spawn = (g, at, life, rest, cpu, creator) => {
    const go = { id: all.length + 1, group: g, fn: group[g].function, label: group[g].label, created: at, ended: null, creator,
      life, rest, cpu, spans: [], state: RUNNABLE, since: at, woke: creator, wait: CHANNEL };
    all.push(go);
    group[g].members.push(go);
    events.push(at, ["ready", go, creator]);
    return go;
  };
  spawn(0, 1000, Infinity, 9e7, 3e5, 0);
  for (let g = 1; g < groups; g++) {
    const many = g === 1 ? 64 : g === 3 ? 12 : g < 12 ? 8 : 3;
    if (g === 2 || g === 7 || g === 10) continue;
    for (let i = 0; i < many; i++) spawn(g, 2000 + exp(4e6), Infinity, g === 1 ? 6e7 : 5e7, g === 1 ? 6e5 : 1.5e5, 1);
  }
  const requests = goroutines - all.length;
  let at = 1e6;
  for (let i = 0; i < requests; i++) {
    // Load comes in waves, so that there is something to see.
    const busy = 1 + 1.6 * Math.max(0, Math.sin((at / duration) * 19)) ** 4;
    at += exp((duration * 1.5) / requests / busy);
    if (at > duration * 0.97) at = 1e6 + rand() * duration * 0.95;
    events.push(at, ["spawn", i % 5 === 4 ? 7 : i % 5 === 3 ? 10 : 2]);
  }
  const ready = [], idle = [];
  let head = 0;
  const proc = [];
  for (let p = procs - 1; p >= 0; p--) idle.push(p);
  for (let p = 0; p < procs; p++) proc.push({ id: p, spans: [] });
  const gc = [], stw = [], heap = [[0, 4e6]], goal = [[0, 6e7]];
  let mem = 4e6, limit = 6e7, inGC = 0, stopped = 0;
  const close = (go, t, next) => {
    if (t > go.since) go.spans.push({ from: go.since, to: t, state: go.state, label: go.state === RUNNING || go.state === RUNNABLE ? go.label : reasons[go.wait] ?? go.label, go: go.id, proc: go.proc, woke: go.woke });
    go.since = t;
    go.state = next;
  };
  const start = (t) => {
    while (idle.length && head < ready.length) {
      const go = ready[head++];
      const p = idle.pop();
      const begin = Math.max(t, stopped) + 120;
      close(go, begin, RUNNING);
      go.proc = p;
      const slice = Math.min(exp(go.cpu * (inGC ? 1.6 : 1)), 1e7);
      events.push(begin + slice, ["stop", go, p]);
    }
  };
  while (events.a.length) {
    const [t, [what, x, y]] = events.pop();
    if (t >= duration) break;
    if (what === "spawn") {
      const conn = spawn(x, t, 2 + Math.floor(rand() * 6), 1.6e6, x === 2 ? 3.2e5 : 6e4, 1 + Math.floor(rand() * 20));
      conn.task = x === 2;
    } else if (what === "ready") {
      if (x.state !== RUNNABLE) { x.woke = y; close(x, t, RUNNABLE); }
      ready.push(x);
      start(t);
    } else if (what === "stop") {
      proc[y].spans.push({ from: x.since, to: t, state: RUNNING, label: x.label, go: x.id });
      mem += (t - x.since) * 0.09;
      if (mem > limit && !inGC) {
        const mark = 1.2e7 + exp(6e6);
        stw.push({ from: t, to: t + exp(6e4), state: GC, label: label("GC sweep termination"), go: x.id });
        stopped = stw.at(-1).to;
        gc.push({ from: stopped, to: stopped + mark, state: GC, label: NOLABEL, go: -1 });
        inGC = stopped + mark;
        events.push(inGC, ["gcend"]);
      }
      idle.push(y);
      if (--x.life <= 0) { close(x, t, -1); x.ended = t; }
      else if (rand() < 0.12) { close(x, t, RUNNABLE); ready.push(x); }
      else {
        x.wait = waits[Math.floor(rand() * waits.length)];
        if (x.wait === SYNC && rand() < 0.5) x.wait = CHANNEL;
        close(x, t, x.wait === SYSCALL && rand() < 0.3 ? SYSCALL_NP : x.wait);
        const until = t + exp(x.rest * (x.wait === SYSCALL ? 0.05 : 1));
        events.push(until, ["ready", x, 1 + Math.floor(rand() * Math.min(all.length, 90))]);
      }
      start(t);
    } else if (what === "gcend") {
      inGC = 0;
      stw.push({ from: t, to: t + exp(4e4), state: GC, label: label("GC mark termination"), go: 1 });
      heap.push([t - 1, mem]);
      mem = 2.4e7 + rand() * 9e6;
      limit = mem * 2.2 + 7e7 + rand() * 2e7;
      heap.push([t, mem]);
      goal.push([t, limit]);
    }
    if (heap.at(-1)[0] < t - 4e6) heap.push([t, mem]);
    if (head > 1e5) { ready.splice(0, head); head = 0; }
  }
  for (const go of all) if (go.ended === null && go.since < duration) close(go, duration, go.state);
  const tasks = all.filter((g) => g.task && g.ended).map((g, i) => ({
    id: i + 1, name: i % 7 ? "order" : "checkout", parent: i % 7 && i > 3 ? 1 + Math.floor(i / 7) : 0, begin: g.created + 500, end: g.ended, goroutines: [g.id], regions: 2, logs: 1,
  }));
  const threads = [];
  for (let i = 0; i < 31; i++) threads.push({ id: 4200 + i, spans: proc[i % procs].spans.filter((_, k) => k % 4 === Math.floor(i / procs)) });
  return { labels, numbers, group, all, proc, threads, gc, stw, heap, goal, tasks, duration, states: STATES };
}

const NOLABEL = 0xffffffff;
