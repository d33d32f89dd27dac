// One task: who worked for it and when, its regions and logs, and what passed its time.

import type { Id } from "../api.js";
import { go, linkTo, step, toTimeline } from "../history.js";
import { stateOfKind } from "../palette.js";
import * as state from "../state.js";
import { count, cut, duration, exact, percent, short } from "../time/format.js";
import { Chip, StateBar } from "../ui/bar.js";
import { Await } from "../ui/load.js";
import { Table, type Column } from "../ui/table.js";
import { Waterfall, type WaterRegion } from "../ui/waterfall.js";
import { Command, PageBox, useAnswer, useOrigin } from "./common.js";
import { statesOfTimes, type Times } from "./goroutine.js";

interface Log { category: string; goroutine: Id; message: string; time: number }
interface TaskAnswer {
  id: Id; name: string; parent: Id | null; children: (Id | { id: Id })[]; creator: Id | null; start: number | null; end: number | null;
  goroutines: { id: Id; function: string; times: Times }[]; regions: WaterRegion[]; logs: Log[];
  why: { kinds: Record<string, number>; nanos: number; functions: { function: string; nanos: number }[] } | null;
}

export function TaskPage({ id }: { id: string }) {
  const o = useOrigin();
  const task = useAnswer<TaskAnswer>("task", { id }, false);
  return (
    <PageBox title={`Task ${id} ${task.value?.rows[0]?.name ?? ""}`} crumbs={<a href={linkTo("tasks")} onClick={(e) => (e.preventDefault(), go("tasks"))}>‹ all tasks</a>}>
      <Await of={task} what="the task">
        {(a) => {
          const t = a.rows[0];
          if (!t || o === null) return <p class="empty">{t ? "…" : `There is no task ${id} in this trace.`}</p>;
          const from = (t.start ?? o) - o;
          const to = t.end === null ? state.duration.value : t.end - o;
          const rows: Column<TaskAnswer["goroutines"][number]>[] = [
            { key: "id", title: "goroutine", number: true, value: (g) => g.id, show: (g) => `G${g.id}` },
            { key: "function", title: "start function", wide: true, value: (g) => g.function, show: (g) => short(g.function), full: (g) => cut(g.function, 1000) },
            { key: "total", title: "time", number: true, value: (g) => g.times.total, show: (g) => duration(g.times.total), full: (g) => exact(g.times.total) },
            { key: "running", title: "running", number: true, value: (g) => g.times.running, show: (g) => duration(g.times.running) },
            { key: "runnable", title: "runnable", number: true, value: (g) => g.times.runnable, show: (g) => duration(g.times.runnable) },
            { key: "blocked", title: "blocked", number: true, value: (g) => g.times.blocked_total, show: (g) => duration(g.times.blocked_total) },
            { key: "bar", title: "states", picture: true, value: () => null, show: (g) => <StateBar states={statesOfTimes(g.times)} /> },
          ];
          const logs: Column<Log>[] = [
            { key: "time", title: "when", number: true, value: (l) => l.time - o, show: (l) => `+${duration(l.time - o - from)}`, full: (l) => state.momentFull(l.time - o) },
            { key: "goroutine", title: "goroutine", number: true, value: (l) => l.goroutine, show: (l) => `G${l.goroutine}` },
            { key: "category", title: "category", value: (l) => l.category },
            { key: "message", title: "message", wide: true, value: (l) => l.message, show: (l) => cut(l.message, 300), full: (l) => cut(l.message, 3000) },
          ];
          return (
            <>
              <section>
                <p class="sums">
                  <span title={exact(to - from)}><b>{t.end === null ? "does not end in the trace" : duration(to - from)}</b></span>
                  <span class="faint" title={state.momentFull(from)}>from {state.moment(from, 1e4)}</span>
                  {t.creator !== null && <span>begun by <a href={linkTo("goroutines", t.creator)} onClick={(e) => (e.preventDefault(), go("goroutines", t.creator!))}>G{t.creator}</a></span>}
                  {t.parent ? <span>part of <a href={linkTo("tasks", t.parent)} onClick={(e) => (e.preventDefault(), go("tasks", t.parent!))}>task {t.parent}</a></span> : null}
                  {t.children.slice(0, 8).map((c) => { const n = typeof c === "object" ? c.id : c; return <a key={n} href={linkTo("tasks", n)} onClick={(e) => (e.preventDefault(), go("tasks", n))}>child {n}</a>; })}
                  {t.children.length > 8 && <span class="faint">and {count(t.children.length - 8)} more</span>}
                  <button class="small" onClick={() => step(() => { toTimeline(); state.pins.value = [`task:${t.id}`, ...t.goroutines.slice(0, 11).map((g) => `go:${g.id}`)]; state.fitRange(from, to); })}>show in the timeline</button>
                  <button class="small" onClick={() => step(() => { toTimeline(); state.criticalOf.value = { task: t.id }; state.pins.value = [`task:${t.id}`, ...t.goroutines.slice(0, 11).map((g) => `go:${g.id}`)]; state.fitRange(from, to); })}>critical path</button>
                  <Command of={a} />
                </p>
                {t.why && t.why.nanos > 0 && <p class="sums"><span class="faint">what passed the time:</span>{Object.entries(t.why.kinds).sort((x, y) => y[1] - x[1]).map(([k, v]) => <span key={k}><Chip state={stateOfKind(k)} text={k} /> {duration(v)} ({percent(v / t.why!.nanos)})</span>)}</p>}
              </section>
              <section><Waterfall from={from} to={to} origin={o} goroutines={t.goroutines} regions={t.regions} logs={t.logs} /></section>
              <section><h3>Logs</h3><Table name={`logs of task ${id}`} columns={logs} rows={t.logs} sort="time" most={10} empty="It logged nothing: a program does with trace.Log." /></section>
              <section><h3>Goroutines</h3><Table name={`goroutines of task ${id}`} columns={rows} rows={t.goroutines} sort="-total" most={12} empty="No goroutine is known to have worked for it." onPick={(g) => go("goroutines", g.id)} pickHint="All about this goroutine" /></section>
            </>
          );
        }}
      </Await>
    </PageBox>
  );
}
