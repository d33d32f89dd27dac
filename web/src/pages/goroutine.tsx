// One goroutine: its life, its times, its longest waits, its regions.

import { go, linkTo, showSpan } from "../history.js";
import { follow } from "../keys.js";
import type { Frame, Id } from "../api.js";
import * as state from "../state.js";
import { count, cut, duration, exact, short } from "../time/format.js";
import { engine } from "../timeline/instance.js";
import { StateTable } from "../ui/bar.js";
import { Await } from "../ui/load.js";
import { Stack } from "../ui/stack.js";
import { Table, type Column } from "../ui/table.js";
import { Command, PageBox, showRange, useAnswer, useOrigin } from "./common.js";

export interface Times { running: number; runnable: number; syscall: number; syscall_blocked: number; blocked: Record<string, number>; blocked_total: number; ranges: Record<string, number>; total: number; unknown: number }
interface Wait { kind: string; from: number; until: number; nanos: number; stack: Frame[] | null; ended_by: unknown; ended_stack: Frame[] | null; meanwhile: { goroutine?: Id; function?: string } | null }
interface Region { name: string; start: number; end: number; total: number; exec: number; sched_wait: number; task: Id }
interface Life {
  id: Id; function: string; state: string; creation: number; start: number; end: number; creator: { goroutine: Id; function: string } | null;
  creation_stack: Frame[] | null; times: Times; waits: Wait[]; more_waits: number; regions: Region[];
}

/** Reasons of the tracer as states. */
export function statesOfTimes(t: Times): number[] {
  const s = new Array<number>(10).fill(0);
  s[0] = t.running;
  s[1] = t.runnable;
  s[2] = t.syscall;
  s[3] = t.syscall_blocked;
  for (const [reason, ns] of Object.entries(t.blocked)) {
    const r = reason.toLowerCase();
    const i = r.includes("chan") || r.includes("select") ? 5 : r.includes("sync") ? 4 : r.includes("network") ? 6 : r.includes("sleep") ? 7 : r.includes("gc") ? 8 : 9;
    s[i]! += ns;
  }
  s[9]! += t.unknown;
  return s;
}

export function endedBy(w: Wait): string {
  if (w.ended_by && typeof w.ended_by === "object") {
    const o = w.ended_by as { goroutine?: Id; function?: string };
    return o.goroutine !== undefined ? `G${o.goroutine} ${short(o.function ?? "")}` : JSON.stringify(w.ended_by);
  }
  if (w.ended_by === "goroutine" && w.meanwhile?.goroutine !== undefined) return `G${w.meanwhile.goroutine} ${short(w.meanwhile.function ?? "")}`;
  return w.ended_by ? cut(String(w.ended_by), 100) : "not known";
}

export function GoroutinePage({ id }: { id: string }) {
  const o = useOrigin();
  const life = useAnswer<Life>("goroutine", { id, waits: 50 });
  return (
    <PageBox title={`G${id}${life.value?.rows[0] ? ` ${life.value.rows[0].function}` : ""}`} crumbs={<a href={linkTo("goroutines")} onClick={(e) => (e.preventDefault(), go("goroutines"))}>‹ all groups</a>}>
      <Await of={life} what="its life">
        {(a) => {
          const g = a.rows[0];
          if (!g) return <p class="empty">There is no goroutine {id} in this trace, or not in the selected time.</p>;
          const rel = (t: number) => (t === 0 || o === null ? null : t - o);
          const waits: Column<Wait>[] = [
            { key: "from", title: "from", number: true, value: (w) => rel(w.from), show: (w) => state.moment(rel(w.from), 1e4), full: (w) => state.momentFull(rel(w.from)) },
            { key: "nanos", title: "time", number: true, value: (w) => w.nanos, show: (w) => duration(w.nanos), full: (w) => exact(w.nanos) },
            { key: "kind", title: "what", value: (w) => w.kind },
            { key: "where", title: "where", wide: true, value: (w) => place(w.stack), show: (w) => short(place(w.stack)) },
            { key: "ended", title: "ended by", value: (w) => endedBy(w) },
          ];
          const regions: Column<Region>[] = [
            { key: "start", title: "from", number: true, value: (r) => rel(r.start), show: (r) => state.moment(rel(r.start), 1e4), full: (r) => state.momentFull(rel(r.start)) },
            { key: "name", title: "region", wide: true, value: (r) => r.name, show: (r) => cut(r.name) || "(none)" },
            { key: "total", title: "time", number: true, value: (r) => r.total, show: (r) => duration(r.total), full: (r) => exact(r.total) },
            { key: "exec", title: "running", number: true, value: (r) => r.exec, show: (r) => duration(r.exec) },
            { key: "sched_wait", title: "runnable", number: true, value: (r) => r.sched_wait, show: (r) => duration(r.sched_wait) },
            { key: "task", title: "task", number: true, value: (r) => r.task || null },
          ];
          return (
            <>
              <section class="columns">
                <div class="facts">
                  <dl>
                    <dt>created</dt><dd title={state.momentFull(rel(g.creation))}>{g.creation ? state.moment(rel(g.creation), 1e3) : "before the trace"}{g.creator && <> by <a href={linkTo("goroutines", g.creator.goroutine)} onClick={(e) => (e.preventDefault(), go("goroutines", g.creator!.goroutine))}>G{g.creator.goroutine}</a> {short(g.creator.function)}</>}</dd>
                    <dt>first ran</dt><dd title={state.momentFull(rel(g.start))}>{g.start ? state.moment(rel(g.start), 1e3) : "never, in the trace"}</dd>
                    <dt>ended</dt><dd title={state.momentFull(rel(g.end))}>{g.end ? state.moment(rel(g.end), 1e3) : `not in the trace: ${g.state}`}</dd>
                    {Object.entries(g.times.ranges).map(([k, v]) => <><dt>{cut(k, 60)}</dt><dd>{duration(v)}</dd></>)}
                  </dl>
                  <div class="buttons">
                    <button onClick={() => { const from = rel(g.creation) ?? 0; const to = rel(g.end) ?? state.duration.value; showSpan(`go:${id}`, Math.floor(from), { from, to }); follow(`go:${id}`, Math.floor(Math.max(from, 0) + 1)); }}>show in the timeline</button>
                    <button onClick={() => { go("timeline"); state.criticalOf.value = { go: g.id }; engine.show(`go:${id}`); }}>critical path</button>
                    <Command of={a} />
                  </div>
                </div>
                <div><h3>time by state</h3><StateTable states={statesOfTimes(g.times)} what="in this time" /></div>
                <div><h3>where it was created</h3><Stack frames={g.creation_stack} none="It was there before the trace began, or the trace has no stack for it." /></div>
              </section>
              <section>
                <h3>Longest waits{g.more_waits > 0 ? `, of ${count(g.waits.length + g.more_waits)}` : ""}</h3>
                <Table name={`waits of G${id}`} columns={waits} rows={g.waits} sort="-nanos" most={12} empty="It never waited." onPick={(w) => o !== null && showRange(w.from - o, w.until - o, `go:${id}`)} pickHint="Show it in the timeline" />
              </section>
              <section>
                <h3>Regions</h3>
                <Table name={`regions of G${id}`} columns={regions} rows={g.regions} sort="-total" most={12} empty="It had no regions: a program marks them with trace.WithRegion or trace.StartRegion." onPick={(r) => o !== null && showRange(r.start - o, r.end - o, `go:${id}`)} pickHint="Show it in the timeline" />
              </section>
            </>
          );
        }}
      </Await>
    </PageBox>
  );
}

function place(stack: Frame[] | null): string {
  if (!stack || stack.length === 0) return "";
  const f = stack.find((x) => !/^(runtime|sync|time|internal)[./]/.test(x.function)) ?? stack[0]!;
  return `${f.function}:${f.line}`;
}
