// What went on in a range of time: states, functions, waits for a proc, a flame graph, the command.

import { Fragment } from "preact";
import { flameOf, get, idOf, type Flame, type SelectionAnswer } from "../api.js";
import { go, step } from "../history.js";
import * as state from "../state.js";
import { count, cut, duration, exact, short } from "../time/format.js";
import { StateBar, StateTable } from "../ui/bar.js";
import { nameOf } from "../timeline/hit.js";
import { few } from "../timeline/pick.js";
import { laneTitle } from "../timeline/rows.js";
import { copyText } from "../ui/copy.js";
import { FlameGraph } from "../ui/flame.js";
import { closed, Histogram } from "../ui/histogram.js";
import { Await, useLoaded } from "../ui/load.js";
import { useOption } from "../ui/option.js";
import { Table, type Column } from "../ui/table.js";
import { Close } from "./details.js";

type Fn = SelectionAnswer["functions"][number];
const work = (f: Fn) => f.states[0]!;
export const functionColumns: Column<Fn>[] = [
  { key: "function", title: "start function", wide: true, value: (f) => f.function, show: (f) => short(f.function) || "(unknown)", full: (f) => cut(f.function, 1000) },
  { key: "count", title: "goroutines", number: true, value: (f) => f.count, show: (f) => count(f.count) },
  { key: "running", title: "running", number: true, value: work, show: (f) => duration(work(f)), full: (f) => exact(work(f)) },
  { key: "runnable", title: "runnable", number: true, value: (f) => f.states[1]!, show: (f) => duration(f.states[1]), full: (f) => exact(f.states[1]) },
  { key: "blocked", title: "blocked", number: true, value: (f) => f.states.slice(4).reduce((a, b) => a + b, 0), show: (f) => duration(f.states.slice(4).reduce((a, b) => a + b, 0)) },
  { key: "bar", title: "states", picture: true, value: () => null, show: (f) => <StateBar states={f.states} width={110} /> },
];

const TABS = ["breakdown", "flame graph"] as const;
export const FLAMES: [string, string][] = [["cpu", "CPU samples"], ["offcpu", "off CPU"], ["sched", "waiting for a proc"], ["sync", "channels and locks"], ["net", "network"], ["syscall", "system calls"], ["wall", "all time"]];

export function SelectionPanel() {
  const [tab, setTab] = useOption("tab", "breakdown");
  const [type, setType] = useOption("flame", "offcpu");
  const s = state.selection.value!;
  const range = { from: s.from, to: s.to };
  const key = JSON.stringify([range, s.lanes, state.trace.value?.done]);
  const answer = useLoaded<SelectionAnswer>(key, (signal) => get("selection", { ...range, lanes: s.lanes.join(",") }, signal));
  const names = s.lanes.map((l) => cut(laneTitle(l, (x) => short(nameOf(x))), 80));
  const goroutines = s.lanes.filter((l) => /^(go|group|regions):/.test(l));
  // Waits are not on a proc, which the answer says.
  const onProcs = s.lanes.some((l) => /^(proc|thread):/.test(l));
  const only = s.lanes.length === 1 && s.lanes[0]!.startsWith("go:") ? idOf(s.lanes[0]!.slice(3)) : undefined;
  const why = only !== undefined ? { go: only } : goroutines.length > 0 ? { lanes: goroutines } : {};
  const flame = useLoaded<Flame>(tab === "flame graph" ? `${key}${type}` : null, (signal) => flameOf({ ...range, type, lanes: s.lanes.join(",") }, signal));
  return (
    <>
      <Close onClose={() => step(() => (state.selection.value = null))} />
      <h2>
        <span title={exact(s.to - s.from)}>{duration(s.to - s.from)}</span> selected <span class="faint">· {state.moment(s.from, 1e3)} to {state.moment(s.to, 1e3)}{names.length > 0 && <span title={names.join("\n")}> · only {few(names)}</span>}</span>
        <span class="tabs small-tabs" role="tablist">
          {TABS.map((t) => <button key={t} role="tab" aria-selected={tab === t} onClick={() => setTab(t)}>{t}</button>)}
        </span>
        <button class="small" onClick={() => step(() => state.fitRange(s.from, s.to))}>fit <kbd>f</kbd></button>
        <button class="small" title={only !== undefined ? `What passed this time of G${only}` : goroutines.length > 0 ? `What passed this time, on that of ${few(names)} which was last to do something in it` : "What passed this time, on the goroutine that was last to do something in it"} onClick={() => step(() => (state.criticalOf.value = { ...why, from: s.from, to: s.to }))}>critical path</button>
        {answer.value?.command && <button class="small" title={answer.value.command} onClick={() => copyText(answer.value!.command!, "Command copied.")}>copy as gotrail command</button>}
      </h2>
      {tab === "breakdown" ? (
        <Await of={answer} what="the selection">
          {(a) => (
            <div class="columns">
              <div class="narrow"><StateTable states={a.states} what="in this time" /></div>
              <div class="grow"><Table name="functions" columns={functionColumns} rows={a.functions} sort="-running" most={7} empty="No goroutine lived in this time." onPick={(f) => f.group !== null && go("goroutines", "group", f.group)} pickHint="All about this group" /></div>
              <div class="narrow">
                <h3>waits for a proc</h3>
                {a.histogram.some((b) => b.count > 0) ? <Histogram what="runnable, by length" buckets={withFrom(a.histogram)} /> : <p class="empty">No goroutine waited for a proc in this time.</p>}
                {a.command === null ? <p class="faint">{a.no_command ?? "No command says this of these lanes alone."}</p>
                  : <code class="command">{cut(a.command, 300).split(" ").map((w, i) => <Fragment key={i}>{i > 0 && " "}<span class={w.length < 24 ? "word" : ""}>{w}</span></Fragment>)}</code>}
              </div>
            </div>
          )}
        </Await>
      ) : (
        <>
          <p class="choices" role="group" aria-label="What the flame graph shows">{FLAMES.map(([k, name]) => <button key={k} class={`small ${type === k ? "on" : ""}`} aria-pressed={type === k} onClick={() => setType(k)}>{name}</button>)}</p>
          <Await of={flame} what="the flame graph">{(f) => <FlameGraph flame={f} empty={onProcs && f.reason ? f.reason : emptyFlame(type)} />}</Await>
        </>
      )}
    </>
  );
}

export function withFrom(h: { upto: number; count: number }[]) {
  const out = h.map((b, i) => ({ ...b, from: i === 0 ? 0 : h[i - 1]!.upto }));
  let a = 0;
  let b = out.length;
  while (a < b - 1 && out[a]!.count === 0) a++;
  while (b > a + 1 && out[b - 1]!.count === 0) b--;
  return closed(out.slice(a, b));
}

export function emptyFlame(type: string): string {
  if (type === "cpu") return "There are no CPU samples here. A trace has them if the program also made a CPU profile (runtime/pprof) while it was traced.";
  return "No goroutine spent time like this here. Choose another kind above, or a longer time.";
}
