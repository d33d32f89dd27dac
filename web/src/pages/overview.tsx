// Findings first, then numbers.

import type { Frame } from "../api.js";
import { go } from "../history.js";
import { follow } from "../keys.js";
import { functionColumns } from "../panels/selection.js";
import * as state from "../state.js";
import { bytes, count, cut, duration, exact, percent } from "../time/format.js";
import { StateTable } from "../ui/bar.js";
import { Await } from "../ui/load.js";
import { Stack } from "../ui/stack.js";
import { Table } from "../ui/table.js";
import type { Page } from "../url.js";
import { Command, PageBox, useAnswer } from "./common.js";

interface Finding {
  rule: string;
  what: string;
  evidence: Record<string, number | string | null>;
  stack: Frame[];
}

interface Gc { cycles: number; mark: number; stops: number; stopped: number; longest_stop: number; cpu_share: number; heap_peak: number }

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

const TIMES = new Set(["total", "mean", "max", "longest", "p50", "p90", "p99", "p999", "oldest", "age", "time", "duration"]);

export function evidence(e: Finding["evidence"]): { name: string; text: string; full: string }[] {
  return Object.entries(e).map(([k, v]) => {
    if (typeof v !== "number") return { name: k, text: cut(String(v ?? "–"), 100), full: String(v) };
    if (TIMES.has(k)) return { name: k, text: duration(v), full: exact(v) };
    if (k === "waiting") return { name: k, text: `${v.toPrecision(2)} goroutines on average`, full: String(v) };
    if (k === "share") return { name: k, text: percent(v), full: String(v) };
    return { name: k, text: Number.isInteger(v) ? count(v) : v.toPrecision(3), full: String(v) };
  });
}

export function OverviewPage() {
  const findings = useAnswer<Finding>("check", {}, false);
  const gc = useAnswer<Gc>("gc");
  const t = state.trace.value;
  const groups = state.lanes.value?.groups ?? [];
  const sum = groups.reduce<number[]>((a, g) => a.map((x, i) => x + (g.states[i] ?? 0)), new Array<number>(10).fill(0));
  const procTime = (t?.procs ?? 0) * (t?.duration ?? 0);
  return (
    <PageBox title="Overview">
      <section>
        <h3>Findings</h3>
        <Await of={findings} what="findings">
          {(a) => a.rows.length === 0 ? (
            <div class="finding fine">Nothing that the rules of <code>gotrail check</code> look for was found. <Command of={a} /></div>
          ) : (
            <>
              {a.rows.map((f, i) => <FindingBox key={i} f={f} />)}
              <Command of={a} />
            </>
          )}
        </Await>
      </section>
      <section>
        <h3>In numbers</h3>
        <div class="cards">
          <Card big={duration(t?.duration)} text="long" full={exact(t?.duration)} />
          <Card big={count(t?.events)} text="events" />
          <Card big={count(t?.goroutines)} text={`goroutines in ${count(groups.length)} groups`} to="goroutines" />
          <Card big={count(t?.procs)} text={`procs, ${percent(procTime > 0 ? (sum[0]! + sum[2]!) / procTime : null)} busy`} to="timeline" />
          <Card big={duration(sum[1])} text="waited for a proc, in all" full={exact(sum[1])} to="latency" />
          {gc.value?.rows[0] && <Card big={count(gc.value.rows[0].cycles)} text={`GC cycles, ${percent(gc.value.rows[0].cpu_share)} of the procs`} to="gc" />}
          {gc.value?.rows[0] && <Card big={duration(gc.value.rows[0].longest_stop)} text="longest stop of the world" to="gc" />}
          {gc.value?.rows[0] && <Card big={bytes(gc.value.rows[0].heap_peak)} text="largest heap" to="gc" />}
          <Card big={count(t?.tasks)} text="tasks" to="tasks" />
          <Card big={count(t?.regions)} text="regions" to="regions" />
        </div>
      </section>
      <section class="columns">
        <div class="narrow"><h3>Time of goroutines</h3><StateTable states={sum} what="in what was read so far" /></div>
        <div class="grow"><h3>Groups by time at work</h3>
          <Table name="groups" columns={functionColumns} rows={groups.map((g) => ({ ...g, group: g.id })).slice(0, 200)} sort="-running" most={10} empty="No goroutine was seen yet." onPick={(g) => g.group !== null && go("goroutines", "group", g.group)} pickHint="All about this group" />
        </div>
      </section>
    </PageBox>
  );
}

function Card({ big, text, full, to }: { big: string; text: string; full?: string; to?: Page }) {
  return <div class="card"><div class="big" title={full}>{to ? <button class="link" onClick={() => go(to)}>{big}</button> : big}</div><div class="small-text">{text}</div></div>;
}

function FindingBox({ f }: { f: Finding }) {
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
      <div>{evidence(f.evidence).map((e) => <span key={e.name} title={e.full}><span class="faint">{e.name}</span> {e.text}&ensp;</span>)}</div>
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
