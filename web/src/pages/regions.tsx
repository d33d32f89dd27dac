// Regions by type, and the single regions of one type.

import type { Id } from "../api.js";
import { go, linkTo } from "../history.js";
import * as state from "../state.js";
import { count, cut, duration, exact } from "../time/format.js";
import { buckets, Histogram } from "../ui/histogram.js";
import { Await } from "../ui/load.js";
import { Table, type Column } from "../ui/table.js";
import { useRangeOption } from "../ui/option.js";
import { Command, escapeRegex, PageBox, showRange, useAnswer } from "./common.js";

interface Type { type: string; count: number; total: number; mean: number; p50: number; p90: number; p99: number; max: number; incomplete: number; running: number; runnable: number; syscall: number; blocked_total: number }
interface One { type: string; goroutine: Id; function: string; task: Id | null; start: number; after: number; duration: number; running: number; runnable: number; blocked_total: number }

function time<T>(key: keyof T & string, title: string, hint?: string): Column<T> {
  const value = (r: T) => r[key] as number | null;
  return { key, title, number: true, hint, value, show: (r) => duration(value(r)), full: (r) => exact(value(r)) };
}

const types: Column<Type>[] = [
  { key: "type", title: "type", wide: true, value: (r) => r.type, show: (r) => cut(r.type) || "(no name)", full: (r) => cut(r.type, 1000) },
  { key: "count", title: "count", number: true, value: (r) => r.count, show: (r) => count(r.count) },
  time("total", "total"), time("mean", "mean"), time("p50", "p50"), time("p90", "p90"), time("p99", "p99"), time("max", "max"), time("running", "running"), time("runnable", "runnable"), time("blocked_total", "blocked"),
  { key: "incomplete", title: "open", number: true, hint: "How many begin or end outside of the trace", value: (r) => r.incomplete, show: (r) => count(r.incomplete) },
];
const singles: Column<One>[] = [
  { key: "after", title: "from", number: true, value: (r) => r.after, show: (r) => state.moment(r.after, 1e4), full: (r) => state.momentFull(r.after) },
  time("duration", "time"), time("running", "running"), time("runnable", "runnable"), time("blocked_total", "blocked"),
  { key: "goroutine", title: "goroutine", number: true, value: (r) => r.goroutine, show: (r) => `G${r.goroutine}` },
  { key: "function", title: "function", wide: true, value: (r) => r.function },
  { key: "task", title: "task", number: true, value: (r) => r.task },
];

export function RegionsPage({ args }: { args: string[] }) {
  const all = useAnswer<Type>("regions");
  if (args[0] !== undefined) return <OneType key={args[0]} type={args[0]} />;
  return (
    <PageBox title="Regions">
      <Await of={all} what="the regions">
        {(a) => <Table name="regions" columns={types} rows={a.rows} sort="-total" most={30} tools={<Command of={a} />} onPick={(r) => go("regions", r.type.slice(0, LONGEST))} pickHint="Its single regions"
          empty="There are no regions in this time. A program marks them with trace.WithRegion or trace.StartRegion (runtime/trace)." />}
      </Await>
    </PageBox>
  );
}

/** A name can be longer than any address: of such ones this much is enough. */
const LONGEST = 300;

function OneType({ type }: { type: string }) {
  const each = useAnswer<One>("regions", { each: true, region: `^${escapeRegex(type)}${type.length < LONGEST ? "$" : ""}`, sort: "duration", top: 20000 });
  const [range, setRange] = useRangeOption("range");
  return (
    <PageBox title={`Regions ${type}`} crumbs={<a href={linkTo("regions")} onClick={(e) => (e.preventDefault(), go("regions"))}>‹ all regions</a>}>
      <Await of={each} what="the regions">
        {(a) => {
          const rows = range ? a.rows.filter((r) => r.duration >= range[0] && r.duration < range[1]) : a.rows;
          return (
            <>
              <section><Histogram buckets={buckets(a.rows.map((r) => r.duration))} what="how long they took: drag to filter" chosen={range} onBrush={setRange} /></section>
              <Table name={`regions ${type}`} columns={singles} rows={rows} sort="-duration" most={24} tools={<Command of={a} />} empty="There is none in this time." onPick={(r) => showRange(r.after, r.after + r.duration, `go:${r.goroutine}`)} pickHint="Show it in the timeline" />
            </>
          );
        }}
      </Await>
    </PageBox>
  );
}
