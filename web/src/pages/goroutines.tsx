// Groups of goroutines → one group → one goroutine.

import { useMemo } from "preact/hooks";
import { flameOf, get, type Flame, type Member, type Page, type SelectionAnswer } from "../api.js";
import { go, linkTo, showSpan } from "../history.js";
import { functionColumns, emptyFlame } from "../panels/selection.js";
import * as state from "../state.js";
import { count, duration, exact, plural, short } from "../time/format.js";
import { StateBar, StateTable } from "../ui/bar.js";
import { FlameGraph } from "../ui/flame.js";
import { buckets, Histogram } from "../ui/histogram.js";
import { Await, useLoaded } from "../ui/load.js";
import { Table, type Column } from "../ui/table.js";
import { useOption, useRangeOption } from "../ui/option.js";
import { PageBox } from "./common.js";
import { GoroutinePage } from "./goroutine.js";

export function GoroutinesPage({ args }: { args: string[] }) {
  if (args[0] === "group" && /^\d+$/.test(args[1] ?? "")) return <GroupPage key={args[1]} id={Number(args[1])} />;
  if (/^\d+$/.test(args[0] ?? "")) return <GoroutinePage key={args[0]} id={args[0]!} />;
  return <GroupsPage />;
}

function GroupsPage() {
  const s = state.selection.value;
  const range = useLoaded<SelectionAnswer>(s ? JSON.stringify([s, state.trace.value?.done]) : null, (signal) => get("selection", { from: s!.from, to: s!.to }, signal));
  const rows = s ? range.value?.functions ?? [] : (state.lanes.value?.groups ?? []).map((g) => ({ ...g, group: g.id }));
  return (
    <PageBox title="Goroutines by start function">
      {range.error && <p class="failed" role="alert">{range.error}</p>}
      {s && range.loading && !range.value ? <p class="empty" role="status">Working out the selected time …</p> : (
        <Table name="goroutine groups" columns={functionColumns} rows={rows} sort="-running" most={34}
          empty={s ? "No goroutine lived in the selected time." : "No goroutine was seen yet."}
          onPick={(g) => g.group !== null && go("goroutines", "group", g.group)} pickHint="All about this group" />
      )}
    </PageBox>
  );
}

const blocked = (s: number[]) => s.slice(4).reduce((a, b) => a + b, 0);
const total = (s: number[]) => s.reduce((a, b) => a + b, 0);
const FIGURES: Record<string, (m: Member) => number> = {
  running: (m) => m.states[0]!, runnable: (m) => m.states[1]!, syscall: (m) => m.states[2]! + m.states[3]!, blocked: (m) => blocked(m.states), total: (m) => total(m.states),
};

const memberColumns: Column<Member>[] = [
  { key: "id", title: "goroutine", number: true, value: (m) => m.id, show: (m) => <a href={linkTo("goroutines", m.lane.slice(3))} onClick={(e) => (e.preventDefault(), go("goroutines", m.lane.slice(3)))}>G{m.lane.slice(3)}</a> },
  { key: "created", title: "created", number: true, value: (m) => m.created, show: (m) => (m.created === null ? "before" : state.moment(m.created, 1e5)), full: (m) => state.momentFull(m.created) },
  { key: "ended", title: "ended", number: true, value: (m) => m.ended, show: (m) => (m.ended === null ? "–" : state.moment(m.ended, 1e5)), full: (m) => state.momentFull(m.ended) },
  ...Object.entries(FIGURES).map(([key, f]): Column<Member> => ({ key, title: key, number: true, value: f, show: (m) => duration(f(m)), full: (m) => exact(f(m)) })),
  { key: "bar", title: "states", picture: true, value: () => null, show: (m) => <StateBar states={m.states} width={150} /> },
];

const MOST = 200_000;

async function allMembers(group: number, signal: AbortSignal): Promise<Page<Member>> {
  const rows: Member[] = [];
  let n = 1;
  while (rows.length < n && rows.length < MOST) {
    const page = await get<Page<Member>>("members", { group, sort: "id", offset: rows.length, limit: 5000 }, signal);
    if (page.rows.length === 0) break;
    rows.push(...page.rows);
    n = page.total;
  }
  return { total: n, rows };
}

function GroupPage({ id }: { id: number }) {
  const group = state.lanes.value?.groups.find((g) => g.id === id);
  const members = useLoaded(`${id} ${state.trace.value?.done}`, (signal) => allMembers(id, signal));
  const [chosen, setFigure] = useOption("figure", "blocked");
  const figure = chosen in FIGURES ? chosen : "blocked";
  const [range, setRange] = useRangeOption("range");
  const [type, setType] = useOption("flame", "wall");
  const s = state.selection.value;
  const flame = useLoaded<Flame>(JSON.stringify([id, type, s, state.trace.value?.done]), (signal) => flameOf({ type, group: id, from: s?.from, to: s?.to }, signal));
  const value = FIGURES[figure]!;
  const rows = members.value?.rows ?? [];
  const h = useMemo(() => buckets(rows.map(value)), [members.value, figure]);
  const shown = useMemo(() => (range ? rows.filter((m) => value(m) >= range[0] && value(m) < range[1]) : rows), [members.value, range?.[0], range?.[1], figure]);
  const order = useMemo(() => rows.map(value).sort((a, b) => a - b), [members.value, figure]);
  const q = (p: number) => order[Math.min(order.length - 1, Math.floor(order.length * p))];
  return (
    <PageBox title={group ? group.function || "(unknown function)" : `Group ${id}`} crumbs={<a href={linkTo("goroutines")} onClick={(e) => (e.preventDefault(), go("goroutines"))}>‹ all groups</a>}>
      {!group && state.lanes.value && <p class="failed">There is no group {id} in this trace.</p>}
      {group && (
        <section class="columns">
          <div class="narrow"><h3>{plural(group.count, "goroutine", "goroutines")}, together</h3><StateTable states={group.states} what="" /></div>
          <div class="grow">
            <p class="choices" role="group" aria-label="Distribution of">{Object.keys(FIGURES).map((k) => <button key={k} class={`small ${k === figure ? "on" : ""}`} aria-pressed={k === figure} onClick={() => (setRange(null), setFigure(k))}>{k}</button>)}</p>
            <Await of={members} what="the goroutines">{() => (
              <>
                <Histogram buckets={h} what={`${figure} time of one goroutine: drag to filter`} chosen={range} onBrush={setRange} height={110} />
                <p class="faint">p50 {duration(q(0.5))} · p90 {duration(q(0.9))} · p99 {duration(q(0.99))} · max {duration(order[order.length - 1])}{range && <> · <button class="link" onClick={() => setRange(null)}>only {duration(range[0])} to {duration(range[1])}: {count(shown.length)} of {count(rows.length)} ×</button></>}</p>
              </>
            )}</Await>
          </div>
        </section>
      )}
      {group && (
        <section>
          <Await of={members} what="the goroutines">{(m) => (
            <>
              <Table name={`goroutines of ${short(group.function)}`} columns={memberColumns} rows={shown} sort={`-${figure}`} most={14} empty="No goroutine of this group is in the chosen range."
                onPick={(x) => showSpan(x.lane, x.created ?? 0, { from: x.created ?? 0, to: x.ended ?? state.duration.value })} pickHint="Show it in the timeline" />
              {m.rows.length < m.total && <p class="faint">The first {count(m.rows.length)} of {count(m.total)}.</p>}
            </>
          )}</Await>
        </section>
      )}
      {group && (
        <section>
          <h3>Where its time went</h3>
          <p class="choices">{[["wall", "all time"], ["cpu", "CPU samples"], ["offcpu", "off CPU"], ["sched", "waiting for a proc"]].map(([k, name]) => <button key={k} class={`small ${type === k ? "on" : ""}`} aria-pressed={type === k} onClick={() => setType(k!)}>{name}</button>)}</p>
          <Await of={flame} what="the flame graph">{(f) => <FlameGraph flame={f} empty={emptyFlame(type)} />}</Await>
        </section>
      )}
    </PageBox>
  );
}
