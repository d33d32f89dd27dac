// How long goroutines waited: by state, by reason, by place.

import { useRef } from "preact/hooks";
import { step, toTimeline } from "../history.js";
import * as state from "../state.js";
import { count, cut, duration, exact } from "../time/format.js";
import { Chip } from "../ui/bar.js";
import { Await } from "../ui/load.js";
import { useOption } from "../ui/option.js";
import { Table, type Column } from "../ui/table.js";
import { Command, PageBox, useAnswer } from "./common.js";

interface Row { state: string; reason: string | null; count: number; total: number; mean: number; p50?: number; p90?: number; p99?: number; p999?: number; max: number; open: number; stack?: string }

const NAMES: Record<string, string> = { sched: "runnable", block: "blocked", syscall: "syscall" };
const ID: Record<string, number> = { sched: 1, syscall: 2 };
function idOf(r: Row): number {
  const x = r.reason ?? "";
  return ID[r.state] ?? (/chan|select/.test(x) ? 5 : /sync/.test(x) ? 4 : /network/.test(x) ? 6 : /sleep/.test(x) ? 7 : /GC/.test(x) ? 8 : 9);
}
const time = (key: "total" | "mean" | "p50" | "p90" | "p99" | "p999" | "max"): Column<Row> => ({ key, title: key, number: true, value: (r) => r[key], show: (r) => duration(r[key]), full: (r) => exact(r[key]) });
const base: Column<Row>[] = [
  { key: "state", title: "state", value: (r) => NAMES[r.state] ?? r.state, show: (r) => <Chip state={idOf(r)} text={NAMES[r.state] ?? r.state} /> },
  { key: "reason", title: "reason", value: (r) => r.reason, show: (r) => (r.reason ? cut(r.reason, 80) : <span class="faint">–</span>) },
  { key: "count", title: "waits", number: true, value: (r) => r.count, show: (r) => count(r.count) },
];
const byReason = [...base, time("total"), time("mean"), time("p50"), time("p90"), time("p99"), time("p999"), time("max"), { key: "open", title: "open", hint: "Waits that go on at the end", number: true, value: (r: Row) => r.open, show: (r: Row) => count(r.open) }];
const byStack = [...base, { key: "stack", title: "where, innermost first", wide: true, value: (r: Row) => r.stack, full: (r: Row) => cut(r.stack ?? "", 2000), show: (r: Row) => cut(r.stack ?? "", 160) }, time("total"), time("mean"), time("max")];

export function LatencyPage() {
  const [chosen, setBy] = useOption("by", "reason");
  const by = chosen === "stack" || chosen === "state" ? chosen : "reason";
  const answer = useAnswer<Row>("latency", { by: by === "reason" ? undefined : by, top: by === "stack" ? 500 : undefined });
  // The rows that are shown stay until others are there: they are called what they are.
  const shown = useRef(by);
  if (!answer.loading) shown.current = by;
  const is = shown.current;
  const mark = (r: Row) => {
    const frame = r.stack?.split(" < ").find((f) => !/^(runtime|sync|internal)[./]/.test(f)) ?? r.stack?.split(" < ")[0];
    step(() => {
      toTimeline();
      state.filter.value = { states: [idOf(r)], function: "", label: r.state === "block" ? r.reason ?? "" : "", stack: frame ? frame.replace(/:\d+$/, "") : "", min: is === "reason" ? Math.floor(r.p99 ?? 0) || null : null, max: null };
    });
  };
  return (
    <PageBox title="Latency">
      <p class="lead">How long goroutines waited for a proc (runnable), for each other or the world (blocked), and in system calls. A row marks its spans in the timeline{by === "reason" ? ", those beyond the 99th percentile" : ""}.</p>
      <Await of={answer} what="the waits">
        {(a) => (
          <Table name={`latency by ${is}`} columns={is === "stack" ? byStack : byReason} rows={a.rows} sort="-total" most={30}
            tools={<><span class="tabs" role="group" aria-label="A row is">{(["state", "reason", "stack"] as const).map((k) => <button key={k} aria-pressed={k === by} onClick={() => setBy(k)}>by {k}</button>)}</span><Command of={a} /></>}
            empty="Nothing waited in this time." onPick={mark} pickHint="Mark these spans in the timeline" />
        )}
      </Await>
    </PageBox>
  );
}
