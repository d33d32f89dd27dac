// Findings first, then numbers: of the selected time if there is one, and what is of the whole trace
// all the same says so.

import { answer, get, type Page as Rows, type SelectionAnswer, type Task } from "../api.js";
import { go } from "../history.js";
import { functionColumns } from "../panels/selection.js";
import * as state from "../state.js";
import { bytes, count, duration, exact, percent, plural } from "../time/format.js";
import { StateTable } from "../ui/bar.js";
import { Await, useLoaded, type Loaded } from "../ui/load.js";
import { Table } from "../ui/table.js";
import type { Page, Selection } from "../url.js";
import { Command, PageBox, useAnswer } from "./common.js";
import { FindingBox, type Finding } from "./findings.js";

interface Gc { cycles: number; longest_stop: number; cpu_share: number; heap_peak: number }
interface Region { count: number; incomplete: number }

/** What is shown in numbers, of the whole trace or of a part of it. */
interface Numbers {
  states: number[];
  functions: SelectionAnswer["functions"];
  goroutines: number;
  tasks: number;
  regions: number;
}

function useNumbers(s: Selection | null): Loaded<Numbers> {
  const t = state.trace.value;
  const part = useLoaded<Numbers>(s ? JSON.stringify([s.from, s.to, t?.done]) : null, async (signal) => {
    const range = { from: s!.from, to: s!.to };
    const [sums, tasks, regions] = await Promise.all([
      get<SelectionAnswer>("selection", range, signal),
      get<Rows<Task>>("tasks", { ...range, limit: 1 }, signal),
      answer<Region>("regions", { from: `${range.from}ns`, to: `${range.to}ns` }, signal),
    ]);
    const goroutines = sums.functions.reduce((n, f) => n + f.count, 0);
    return { states: sums.states, functions: sums.functions, goroutines, tasks: tasks.total, regions: regions.rows.reduce((n, r) => n + r.count + r.incomplete, 0) };
  });
  if (s) return part;
  const groups = state.lanes.value?.groups ?? [];
  const states = groups.reduce<number[]>((a, g) => a.map((x, i) => x + (g.states[i] ?? 0)), new Array<number>(10).fill(0));
  return { error: null, loading: false, value: { states, functions: groups.map((g) => ({ ...g, group: g.id })), goroutines: t?.goroutines ?? 0, tasks: t?.tasks ?? 0, regions: t?.regions ?? 0 } };
}

export function OverviewPage() {
  const s = state.selection.value;
  const findings = useAnswer<Finding>("check");
  const gc = useAnswer<Gc>("gc");
  const numbers = useNumbers(s);
  const t = state.trace.value;
  const length = s ? s.to - s.from : t?.duration ?? 0;
  const procTime = (t?.procs ?? 0) * length;
  const g = gc.value?.rows[0];
  return (
    <PageBox title={s ? "Overview of the selected time" : "Overview"}>
      <section>
        <h3>Findings</h3>
        <Await of={findings} what="findings">
          {(a) => a.rows.length === 0 ? (
            <div class="finding fine">Nothing that the rules of <code>gotrail check</code> look for was found{s ? " in this time" : ""}. <Command of={a} /></div>
          ) : (
            <>
              {a.rows.map((f, i) => <FindingBox key={i} f={f} />)}
              <Command of={a} />
            </>
          )}
        </Await>
      </section>
      <Await of={numbers} what="the numbers">
        {(n) => (
          <>
            <section>
              <h3>In numbers</h3>
              <div class="cards">
                <Card big={duration(length)} text={s ? `of ${duration(t?.duration)}` : "long"} full={exact(length)} />
                <Card big={count(n.goroutines)} text={`${n.goroutines === 1 ? "goroutine" : "goroutines"} in ${plural(n.functions.length, "group", "groups")}`} to="goroutines" />
                <Card big={count(t?.procs)} text={`procs, ${percent(procTime > 0 ? (n.states[0]! + n.states[2]!) / procTime : null)} busy`} to="timeline" />
                <Card big={duration(n.states[1])} text="waited for a proc, in all" full={exact(n.states[1])} to="latency" />
                {g && <Card big={count(g.cycles)} text={`${g.cycles === 1 ? "GC cycle" : "GC cycles"}, ${percent(g.cpu_share)} of the procs without stops`} to="gc" />}
                {g && <Card big={duration(g.longest_stop)} text="longest stop of the world" to="gc" />}
                {g && <Card big={bytes(g.heap_peak)} text="largest heap" to="gc" />}
                <Card big={count(n.tasks)} text={n.tasks === 1 ? "task" : "tasks"} to="tasks" />
                <Card big={count(n.regions)} text={n.regions === 1 ? "region" : "regions"} to="regions" />
                <Card big={count(t?.events)} text={s ? "events in the whole trace" : "events"} />
              </div>
            </section>
            <section class="columns">
              <div class="narrow"><h3>Time of goroutines</h3><StateTable states={n.states} what={s ? "in this time" : "in what was read so far"} /></div>
              <div class="grow"><h3>Groups by time at work</h3>
                <Table name="groups" columns={functionColumns} rows={n.functions.slice(0, 200)} sort="-running" most={10} empty="No goroutine was seen yet." onPick={(f) => f.group !== null && go("goroutines", "group", f.group)} pickHint="All about this group" />
              </div>
            </section>
          </>
        )}
      </Await>
    </PageBox>
  );
}

function Card({ big, text, full, to }: { big: string; text: string; full?: string; to?: Page }) {
  return <div class="card"><div class="big" title={full}>{to ? <button class="link" onClick={() => go(to)}>{big}</button> : big}</div><div class="small-text">{text}</div></div>;
}
