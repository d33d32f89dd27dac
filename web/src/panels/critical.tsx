// The critical path: what, on which goroutine, passed the time.

import { follow } from "../keys.js";
import { step } from "../history.js";
import { stateOfKind } from "../palette.js";
import * as state from "../state.js";
import { count, cut, duration, exact, percent, plural, short } from "../time/format.js";
import type { Step } from "../api.js";
import { Chip } from "../ui/bar.js";
import { useOption } from "../ui/option.js";
import { Table, type Column } from "../ui/table.js";
import { nameOf } from "../timeline/hit.js";
import { few } from "../timeline/pick.js";
import { laneTitle } from "../timeline/rows.js";
import { engine } from "../timeline/instance.js";
import { Causes } from "./causes.js";
import { Close } from "./details.js";
import { critical, criticalProblem } from "./span.js";

const NAME: Record<string, string> = { run: "running", sched: "runnable", block: "blocked", syscall: "syscall" };

const columns: Column<Step>[] = [
  { key: "from", title: "from", number: true, value: (s) => s.from, show: (s) => state.moment(s.from, 1e3), full: (s) => state.momentFull(s.from) },
  { key: "time", title: "time", number: true, value: (s) => s.to - s.from, show: (s) => duration(s.to - s.from), full: (s) => exact(s.to - s.from) },
  { key: "kind", title: "what", value: (s) => NAME[s.kind] ?? s.kind, show: (s) => <Chip state={stateOfKind(s.kind === "block" ? s.label ?? "" : s.kind)} text={`${NAME[s.kind] ?? s.kind}${s.label && s.kind === "block" ? `: ${cut(s.label, 60)}` : ""}`} /> },
  { key: "go", title: "goroutine", number: true, value: (s) => s.go, show: (s) => `G${s.go}` },
  { key: "function", title: "function", wide: true, value: (s) => s.function, show: (s) => short(s.function), full: (s) => cut(s.function, 1000) },
];

export function CriticalPanel() {
  const of = state.criticalOf.value!;
  const c = critical.value;
  const [tab, setTab] = useOption("critical", "path");
  const close = () => step(() => (state.criticalOf.value = null));
  const title = of.task !== undefined ? `task ${of.task}` : of.go !== undefined ? `G${of.go}` : of.lanes ? few(of.lanes.map((l) => cut(laneTitle(l, (x) => short(nameOf(x))), 80))) : "the selected time";
  const sum = c ? Object.values(c.by_kind).reduce((a, b) => a + b, 0) : 0;
  const pinAll = () => {
    const goes = [...new Set(c!.steps.map((s) => `go:${s.go}`))].slice(0, 12);
    state.pins.value = goes;
    engine.invalidate();
  };
  return (
    <>
      <Close onClose={close} />
      <h2>Critical path of {title}{of.from !== undefined && <span class="faint"> · {state.moment(of.from, 1e3)} to {state.moment(of.to, 1e3)}</span>}
        <span class="tabs" role="group" aria-label="Show">{(["path", "causes"] as const).map((k) => <button key={k} aria-pressed={tab === k} onClick={() => setTab(k)}>{k}</button>)}</span>
      </h2>
      {tab === "causes" && <Causes of={of} />}
      {tab === "path" && criticalProblem.value && <p class="failed" role="alert">{criticalProblem.value}</p>}
      {tab === "path" && !c && !criticalProblem.value && <p class="empty" role="status">Looking for who made it wait …</p>}
      {tab === "path" && c && (
        <>
          <p class="sums">
            {Object.entries(c.by_kind).sort((a, b) => b[1] - a[1]).map(([k, v]) => <span key={k}><Chip state={stateOfKind(k)} text={NAME[k] ?? k} /> {duration(v)} ({percent(v / sum)})</span>)}
            <button onClick={pinAll}>pin its {plural(new Set(c.steps.map((s) => s.go)).size, "goroutine", "goroutines")}</button>
          </p>
          {c.total > c.steps.length && <p class="faint" role="status">The longest {count(c.steps.length)} of {count(c.total)} steps. All: <code>gotrail why --path 0 --json</code></p>}
          <Table name="critical path" columns={columns} rows={c.steps} most={8} empty="The path is empty: nothing was going on in this time." onPick={(s) => follow(`go:${s.go}`, Math.floor((s.from + s.to) / 2))} pickHint="Show it in the timeline" />
        </>
      )}
    </>
  );
}
