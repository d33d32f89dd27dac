// The collector: figures, the heap, minimum mutator utilization, cycles, stops, assists.

import { useMemo } from "preact/hooks";
import type { Answer, Id } from "../api.js";
import { go } from "../history.js";
import { STATE } from "../palette.js";
import * as state from "../state.js";
import { bytes, count, cut, duration, exact, percent, plural, short } from "../time/format.js";
import { STW } from "../palette.js";
import { Await } from "../ui/load.js";
import { Plot, type Line } from "../ui/plot.js";
import { Table, type Column } from "../ui/table.js";
import { Command, PageBox, showRange, useAnswer } from "./common.js";

interface Summary { cycles: number; mark: number; stops: number; stopped: number; longest_stop: number; workers: number; cpu_share: number; assist: number; sweep: number; swept_bytes: number; reclaimed_bytes: number; heap_peak: number; heap_goal: number }
interface Cycle { number: number; after: number; mark: number; since_last: number | null }
interface Stop { reason: string; after: number; duration: number; goroutine: Id | null }
interface Reason { reason: string; count: number; total: number; mean: number; p50: number; p99: number; max: number }
interface Assist { goroutine: Id; function: string; assist: number; total: number; share: number }
interface Heap { after: number; allocated: number; goal: number }
/** `least` is the true minimum; `mmu` would be what `go tool trace` makes of it (docs/analyses.md). */
interface Mmu { flags: string; window: number; least: number }

const ns = <T,>(key: keyof T & string, title: string): Column<T> => ({ key, title, number: true, value: (r) => r[key] as number | null, show: (r) => duration(r[key] as number | null), full: (r) => exact(r[key] as number | null) });
const when = <T extends { after: number }>(): Column<T> => ({ key: "after", title: "from", number: true, value: (r) => r.after, show: (r) => state.moment(r.after, 1e4), full: (r) => state.momentFull(r.after) });

const cycles: Column<Cycle>[] = [{ key: "number", title: "cycle", number: true, value: (r) => r.number }, when<Cycle>(), ns<Cycle>("mark", "mark"), ns<Cycle>("since_last", "since the last")];
const stops: Column<Stop>[] = [when<Stop>(), ns<Stop>("duration", "stopped"), { key: "reason", title: "reason", wide: true, value: (r) => r.reason }, { key: "goroutine", title: "by", number: true, value: (r) => r.goroutine, show: (r) => (r.goroutine === null ? "–" : `G${r.goroutine}`) }];
const reasons: Column<Reason>[] = [{ key: "reason", title: "reason", wide: true, value: (r) => r.reason }, { key: "count", title: "stops", number: true, value: (r) => r.count, show: (r) => count(r.count) }, ns<Reason>("total", "total"), ns<Reason>("mean", "mean"), ns<Reason>("p50", "p50"), ns<Reason>("p99", "p99"), ns<Reason>("max", "max")];
const assists: Column<Assist>[] = [
  { key: "goroutine", title: "goroutine", number: true, value: (r) => r.goroutine, show: (r) => `G${r.goroutine}` },
  { key: "function", title: "start function", wide: true, value: (r) => r.function, show: (r) => short(r.function), full: (r) => cut(r.function, 1000) },
  ns<Assist>("assist", "assisting"), ns<Assist>("total", "of"), { key: "share", title: "share", number: true, value: (r) => r.share, show: (r) => percent(r.share) },
];

/** Lengths of windows from 10 µs to a second, eight to each power of ten. */
const WINDOWS = Array.from({ length: 41 }, (_, i) => `${Math.round(1e4 * 10 ** (i / 8))}ns`).join(",");
const LINES: Line[] = [
  { label: "stop the world", ...STW },
  { label: "and mark workers, assists", light: STATE[8]!.light, dark: STATE[8]!.dark },
  { label: "and sweeping", light: STATE[2]!.light, dark: STATE[2]!.dark, dash: [6, 4] },
  { label: "and of the worst proc", light: STATE[1]!.light, dark: STATE[1]!.dark, dash: [2, 3] },
];

export function GcPage() {
  const summary = useAnswer<Summary>("gc");
  const heap = useAnswer<Heap>("gc", { show: "heap" });
  const mmu = useAnswer<Mmu>("mmu", { window: WINDOWS });
  const byReason = useAnswer<Reason>("gc", { show: "reasons" });
  const allCycles = useAnswer<Cycle>("gc", { show: "cycles" });
  const allStops = useAnswer<Stop>("gc", { show: "stops" });
  const allAssists = useAnswer<Assist>("gc", { show: "assists" });
  return (
    <PageBox title="Garbage collection">
      <Await of={summary} what="the figures">
        {(a) => {
          const g = a.rows[0];
          if (!g || g.cycles === 0) return <p class="empty">The collector did not run in this time{g && g.stops > 0 ? `; the world was stopped ${plural(g.stops, "time", "times")} for other reasons` : ""}.</p>;
          return (
            <div class="cards">
              <Fact big={count(g.cycles)} text={g.cycles === 1 ? "cycle" : "cycles"} />
              <Fact big={percent(g.cpu_share)} text="of the procs' time: mark workers, assists, sweeping" />
              <Fact big={duration(g.stopped)} text={`stopped, in ${plural(g.stops, "stop", "stops")}`} full={exact(g.stopped)} />
              <Fact big={duration(g.longest_stop)} text="longest stop" full={exact(g.longest_stop)} />
              <Fact big={duration(g.assist)} text="goroutines assisted" full={exact(g.assist)} />
              <Fact big={bytes(g.heap_peak)} text="largest heap" full={`${count(g.heap_peak)} bytes`} />
              <Fact big={bytes(g.reclaimed_bytes)} text="reclaimed while sweeping" full={`${count(g.reclaimed_bytes)} bytes`} />
              <div class="card"><Command of={a} /></div>
              <p class="lead">Stops of the world are not in that share. The finding of the overview counts them too, and so has a greater one.</p>
            </div>
          );
        }}
      </Await>
      <section>
        <h3>Heap and goal <span class="faint">· drag to select a time</span></h3>
        <Await of={heap} what="the heap">{(a) => (a.rows.length < 2 ? <p class="empty">The trace has no figures of the heap in this time.</p> : <HeapPlot rows={a.rows} />)}</Await>
      </section>
      <section>
        <h3>Minimum mutator utilization</h3>
        <p class="lead">The least share of the procs that the program had in any window of a length. The lower at the left, the longer a request may stand still.</p>
        <Await of={mmu} what="the utilization">{(a) => (a.rows.length === 0 ? <p class="empty">Nothing was taken away from the program in this time.</p> : <MmuPlot of={a} />)}</Await>
      </section>
      <section><h3>Stops of the world, by reason</h3><Await of={byReason} what="the stops">{(a) => <Table name="stops by reason" columns={reasons} rows={a.rows} sort="-total" empty="The world was not stopped in this time." most={8} tools={<Command of={a} />} />}</Await></section>
      <section class="columns">
        <div class="grow"><h3>Cycles</h3><Await of={allCycles} what="the cycles">{(a) => <Table name="cycles" columns={cycles} rows={a.rows} sort="-mark" most={12} empty="There is no cycle in this time." onPick={(c) => showRange(c.after, c.after + c.mark)} pickHint="Show it in the timeline" />}</Await></div>
        <div class="grow"><h3>Stops</h3><Await of={allStops} what="the stops">{(a) => <Table name="stops" columns={stops} rows={a.rows} sort="-duration" most={12} empty="The world was not stopped in this time." onPick={(s) => showRange(s.after, s.after + s.duration)} pickHint="Show it in the timeline" />}</Await></div>
      </section>
      <section><h3>Who had to assist</h3><Await of={allAssists} what="the assists">{(a) => <Table name="assists" columns={assists} rows={a.rows} sort="-assist" most={12} empty="No goroutine had to help the collector in this time." onPick={(r) => go("goroutines", r.goroutine)} pickHint="All about this goroutine" />}</Await></section>
    </PageBox>
  );
}

function Fact({ big, text, full }: { big: string; text: string; full?: string }) {
  return <div class="card"><div class="big" title={full}>{big}</div><div class="small-text">{text}</div></div>;
}

function HeapPlot({ rows }: { rows: Heap[] }) {
  const x = useMemo(() => rows.map((r) => r.after), [rows]);
  const ys = useMemo(() => [rows.map((r) => r.allocated), rows.map((r) => r.goal)], [rows]);
  return <Plot what="Heap and goal over time" x={x} ys={ys} showX={(v) => state.moment(v, 1e6)} showY={bytes} binary height={200} onRange={(a, b) => showRange(a, b)}
    lines={[{ label: "allocated", light: STATE[0]!.light, dark: STATE[0]!.dark, fill: true, stepped: true }, { label: "goal", light: STATE[8]!.light, dark: STATE[8]!.dark, stepped: true }]} />;
}

function MmuPlot({ of }: { of: Answer<Mmu> }) {
  const flags = [...new Set(of.rows.map((r) => r.flags))];
  const x = useMemo(() => [...new Set(of.rows.map((r) => r.window))].sort((a, b) => a - b), [of]);
  const ys = useMemo(() => flags.map((f) => x.map((w) => of.rows.find((r) => r.flags === f && r.window === w)?.least ?? null)), [of]);
  const lines = flags.map((f, i): Line => ({ ...(LINES[i] ?? LINES[0]!), label: NAMES[f] ?? f }));
  return <><Plot what="Minimum mutator utilization by window" x={x} ys={ys} logX showX={duration} showY={percent} rangeY={[0, 1]} lines={lines} height={240} /><Command of={of} /></>;
}

const NAMES: Record<string, string> = {
  "stw": "stop the world", "stw+background+assist": "and mark workers, assists", "stw+background+assist+sweep": "and sweeping", "stw+background+assist+sweep+perproc": "and of the worst proc",
};
