// What `gotrail check` found, in words: what it is, how much of it, what to do, where to look.

import type { Frame } from "../api.js";
import { go } from "../history.js";
import { follow } from "../keys.js";
import * as state from "../state.js";
import { count, cut, duration, exact, percent, plural } from "../time/format.js";
import { Stack } from "../ui/stack.js";
import type { Page } from "../url.js";

export interface Finding {
  rule: string;
  what: string;
  evidence: Record<string, number | string | null>;
  stack: Frame[];
}

/** What a rule found, what to do about it (docs/analyses.md), and where to look. */
const RULES: Record<string, { title: string; advice: string; page: Page }> = {
  "goroutine-leak": { title: "Goroutines that never end", advice: "Let them end: close the channel, cancel the context.", page: "goroutines" },
  "long-stw": { title: "The world was stopped for long", advice: "Look for what keeps a goroutine from stopping: long loops without calls, page faults; too few processors.", page: "gc" },
  "sched-latency": { title: "Long waits for a proc", advice: "Fewer goroutines at once, more GOMAXPROCS, or a container limit that throttles.", page: "latency" },
  "lock-contention": { title: "Waits for a lock", advice: "Shorter critical sections, more locks for less data.", page: "latency" },
  "busy-wakeups": { title: "Woken without work", advice: "Wake when there is work; batch.", page: "goroutines" },
  "idle-while-runnable": { title: "Procs idle while goroutines waited", advice: "Many short bursts of work, or a host that takes processors away.", page: "timeline" },
  "gc-assist": { title: "Goroutines had to help the collector", advice: "Allocate less, or more GOGC or GOMEMLIMIT.", page: "gc" },
  "long-syscall": { title: "System calls held their proc", advice: "The runtime takes procs back only now and then: fewer or shorter calls.", page: "latency" },
  "thundering-herd": { title: "Many goroutines woken at once", advice: "Wake one instead of all.", page: "latency" },
  "gc-share": { title: "The collector took much of the procs", advice: "Allocate less, or more GOGC or GOMEMLIMIT.", page: "gc" },
  "waiting-throughout": { title: "Goroutines that waited all the time", advice: "Fine for those that wait for work that may never come; look at the others for what should have woken them.", page: "goroutines" },
  "unfinished-task": { title: "Tasks that did not end", advice: "defer task.End()", page: "tasks" },
  "misused-annotations": { title: "Misused annotations", advice: "End regions where they began, on the same goroutine.", page: "health" },
};

/** What a rule counts, one and many of them. */
const COUNTED: Record<string, [string, string]> = {
  "long-stw": ["stop", "stops"], "sched-latency": ["wait", "waits"], "lock-contention": ["wait", "waits"], "busy-wakeups": ["short run", "short runs"], "long-syscall": ["call", "calls"],
  "goroutine-leak": ["goroutine", "goroutines"], "waiting-throughout": ["goroutine", "goroutines"], "unfinished-task": ["task", "tasks"],
};
/** What a share is a share of. */
const OF: Record<string, string> = { "busy-wakeups": "of all its runs" };
/** Lengths of time, and what they say. */
const TIMES: Record<string, string> = {
  longest: "longest", max: "longest", p99: "99 % are shorter than", p50: "half are shorter than", mean: "on average", total: "in all", age: "oldest", lost_there: "of it at this stack", long_total: "long ones in all",
};
const ORDER = ["share", "background", "assist", "stopped", "utilization", "rate", "size", "bursts", "count", "long_count", "goroutines", "runs", "cycles", "longest", "max", "age", "p99", "p50", "mean", "total", "lost_there", "long_total", "waiting"];
const rank = (key: string) => (ORDER.indexOf(key) + ORDER.length + 1) % (ORDER.length + 1);

/** The figures of a finding, in words and with units; a name that is not known here stays as it is. */
export function evidence(rule: string, e: Finding["evidence"]): { text: string; full: string }[] {
  return Object.entries(e).sort((a, b) => rank(a[0]) - rank(b[0])).map(([k, v]) => {
    const name = k.replaceAll("_", " ");
    if (typeof v !== "number") return { text: `${name} ${cut(String(v ?? "–"), 100)}`, full: String(v) };
    const nanos = TIMES[k] !== undefined || (k === "waiting" && /^(goroutine-leak|waiting-throughout)$/.test(rule));
    return { text: words(rule, k, v, name), full: nanos ? exact(v) : String(v) };
  });
}

function words(rule: string, key: string, v: number, name: string): string {
  switch (key) {
    case "count": return plural(v, ...(COUNTED[rule] ?? ["time", "times"]));
    case "long_count": return `${count(v)} long ones`;
    case "share": if (rule === "gc-share") return `${percent(v)} of the procs’ time, stops included`;
      return `${percent(v)} ${OF[rule] ?? "of the procs’ time"}`;
    case "background": return `mark workers ${percent(v)}`;
    case "assist": return `assists ${percent(v)}`;
    case "stopped": return `stops of the world ${percent(v)}`;
    case "utilization": return `procs were taken ${percent(v)} of the time`;
    case "rate": return `${v >= 100 ? count(v) : v.toPrecision(3)} times a second`;
    case "size": return `up to ${count(v)} at once`;
    case "bursts": return plural(v, "burst", "bursts");
    case "goroutines": return plural(v, "goroutine", "goroutines");
    case "runs": return `of ${plural(v, "run", "runs")}`;
    case "cycles": return plural(v, "GC cycle", "GC cycles");
    case "waiting":
      if (rule === "goroutine-leak" || rule === "waiting-throughout") return `each for at least ${duration(v)}`;
      return `${v.toPrecision(2)} goroutines waiting, on average`;
    case "total": return rule === "gc-share" ? `${duration(v)} of each proc, on average` : `${duration(v)} in all`;
    case "mean": return `${duration(v)} on average`;
    case "lost_there": return `${duration(v)} of it at this stack`;
  }
  if (TIMES[key] !== undefined) return `${TIMES[key]} ${duration(v)}`;
  return `${name} ${Number.isInteger(v) ? count(v) : v.toPrecision(3)}`;
}

export function FindingBox({ f }: { f: Finding }) {
  const rule = RULES[f.rule];
  const place = f.stack.find((x) => !/^(sync|runtime|internal)[./]/.test(x.function));
  const mark = () => {
    go("timeline");
    state.filter.value = f.rule === "sched-latency"
      ? { states: [1], function: "", label: "", stack: "", min: 1e6, max: null }
      : { states: f.rule === "lock-contention" ? [4] : f.rule === "long-syscall" ? [2, 3] : [], function: "", label: "", stack: place ? place.function : "", min: null, max: null };
  };
  return (
    <div class="finding parts">
      <div>
      <strong>{rule?.title ?? cut(f.rule, 80)}</strong> <span>{cut(f.what, 300)}</span>
      <div>{evidence(f.rule, f.evidence).map((e, i) => <span key={i}>{i > 0 && <span class="faint"> · </span>}<span title={e.full}>{e.text}</span></span>)}</div>
      {rule && <div class="faint">{rule.advice}</div>}
      <div class="buttons">
        {rule && rule.page !== "timeline" && <button class="small" onClick={() => go(rule.page)}>figures</button>}
        {f.rule === "long-stw" ? <button class="small" onClick={() => follow("stw", 0)}>show in the timeline</button>
          : (place || f.rule === "sched-latency") && <button class="small" onClick={mark}>mark in the timeline</button>}
      </div>
      </div>
      {f.stack.length > 0 && <Stack frames={f.stack.slice(0, 8)} none="" />}
    </div>
  );
}
