// All tasks → one task, as a waterfall over the goroutines that worked for it.

import { useMemo } from "preact/hooks";
import { get, type Page, type Task } from "../api.js";
import { go } from "../history.js";
import * as state from "../state.js";
import { count, cut, duration, exact } from "../time/format.js";
import { buckets, Histogram } from "../ui/histogram.js";
import { Await, useLoaded } from "../ui/load.js";
import { Table, type Column } from "../ui/table.js";
import { useRangeOption } from "../ui/option.js";
import { PageBox } from "./common.js";
import { TaskPage } from "./task.js";

const MOST = 100_000;

async function allTasks(signal: AbortSignal): Promise<Page<Task>> {
  const rows: Task[] = [];
  let n = 1;
  while (rows.length < n && rows.length < MOST) {
    const page = await get<Page<Task>>("tasks", { sort: "begin", offset: rows.length, limit: 5000 }, signal);
    if (page.rows.length === 0) break;
    rows.push(...page.rows);
    n = page.total;
  }
  return { total: n, rows };
}

const length = (t: Task) => (t.begin === null || t.end === null ? null : t.end - t.begin);
const columns: Column<Task>[] = [
  { key: "id", title: "task", number: true, value: (t) => t.id, show: (t) => t.lane.slice(5) },
  { key: "name", title: "type", wide: true, value: (t) => t.name, show: (t) => cut(t.name, 120) || "(no name)", full: (t) => cut(t.name, 1000) },
  { key: "begin", title: "began", number: true, value: (t) => t.begin, show: (t) => (t.begin === null ? "before" : state.moment(t.begin, 1e5)), full: (t) => state.momentFull(t.begin) },
  { key: "duration", title: "time", number: true, value: length, show: (t) => (length(t) === null ? "open" : duration(length(t))), full: (t) => exact(length(t)) },
  { key: "goroutines", title: "goroutines", hint: "Who began it, had regions of it, or wrote logs for it", number: true, value: (t) => t.goroutines.length, show: (t) => count(t.goroutines.length) },
  { key: "regions", title: "regions", number: true, value: (t) => t.regions, show: (t) => count(t.regions) },
  { key: "logs", title: "logs", number: true, value: (t) => t.logs, show: (t) => count(t.logs) },
  { key: "parent", title: "parent", number: true, value: (t) => t.parent || null },
];

export function TasksPage({ args }: { args: string[] }) {
  if (/^\d+$/.test(args[0] ?? "")) return <TaskPage key={args[0]} id={args[0]!} />;
  return <TaskList />;
}

function TaskList() {
  const tasks = useLoaded(`${state.trace.value?.done}`, allTasks);
  const [range, setRange] = useRangeOption("range");
  const s = state.selection.value;
  const inTime = useMemo(() => (tasks.value?.rows ?? []).filter((t) => !s || ((t.begin ?? 0) < s.to && (t.end ?? Infinity) > s.from)), [tasks.value, s]);
  const shown = useMemo(() => (range ? inTime.filter((t) => length(t) !== null && length(t)! >= range[0] && length(t)! < range[1]) : inTime), [inTime, range?.[0], range?.[1]]);
  const h = useMemo(() => buckets(inTime.map(length).filter((x): x is number => x !== null)), [inTime]);
  return (
    <PageBox title="Tasks">
      <Await of={tasks} what="the tasks">
        {(all) => (
          <>
            {h.length > 0 && <section><Histogram buckets={h} what="how long they took: drag to filter" chosen={range} onBrush={setRange} /></section>}
            <Table name="tasks" columns={columns} rows={shown} sort="-duration" most={26} onPick={(t) => go("tasks", t.lane.slice(5))} pickHint="Its goroutines, regions and logs"
              empty={all.rows.length > 0 ? "No task was going on in the chosen range." : "There are no tasks. A program marks them with trace.NewTask (runtime/trace)."} />
            {all.rows.length >= MOST && all.rows.length < all.total && <p class="faint">The first {count(all.rows.length)} of {count(all.total)}.</p>}
          </>
        )}
      </Await>
    </PageBox>
  );
}
