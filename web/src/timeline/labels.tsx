// The names of the rows, to the left of the lanes: only those on the screen exist.

import { go, linkTo, step } from "../history.js";
import * as state from "../state.js";
import { count, cut, duration, plural, short } from "../time/format.js";
import { engine } from "./instance.js";
import { nameOf } from "./hit.js";
import { laneTitle, type Row } from "./rows.js";
import { PIN_HEIGHT } from "./engine.js";

export function Labels() {
  void engine.arrived.value;
  return (
    <>
      {engine.rows.value.map((row) => (
        <RowLabel key={`${row.section.key}/${row.index}`} row={row} />
      ))}
    </>
  );
}

function RowLabel({ row }: { row: Row }) {
  const s = row.section;
  const place = (el: HTMLDivElement | null) => {
    if (!el) return;
    el.style.top = `${row.y}px`;
    el.style.height = `${row.height}px`;
  };
  if (s.kind === "members" || s.kind === "tasks" || s.kind === "regions") return <ItemLabel row={row} place={place} />;
  const openable = s.open !== null;
  const focused = state.focus.value?.lane === s.lane && s.lane !== null && s.lane !== "all";
  return (
    <div ref={place} class={`label ${s.kind === "header" ? "header" : ""} d${s.depth} ${focused ? "focused" : ""}`}>
      {openable ? (
        <button class="name" aria-expanded={s.open!} onClick={() => state.toggle(s.key)} title={cut(s.full, 2000)}>
          <span class={`arrow ${s.open ? "open" : ""}`} aria-hidden="true" />
          <span class="cut">{s.title}</span>
        </button>
      ) : (
        s.lane && s.kind === "lane" ? (
          <button class="name plain" title={`${cut(s.full, 2000)}: what it does in the middle of the view`} onClick={() => focusMiddle(s.lane!)}><span class="cut">{s.title}</span></button>
        ) : <span class="name plain" title={cut(s.full, 2000)}><span class="cut">{s.title}</span></span>
      )}
      {s.group !== null && (
        <a class="act" href={linkTo("goroutines", "group", s.group)} title="All about this group" onClick={(e) => (e.preventDefault(), go("goroutines", "group", s.group!))}>more</a>
      )}
      {s.lane && s.lane !== "all" && <Pin lane={s.lane} />}
      <span class="note">{s.note}</span>
    </div>
  );
}

/** The way to a span without a pointer. */
function focusMiddle(lane: string): void {
  const v = state.view.value;
  step(() => (state.focus.value = { lane, time: Math.max(0, Math.round((v.from + v.to) / 2)) }));
}

function Pin({ lane }: { lane: string }) {
  const on = state.pins.value.includes(lane);
  return (
    <button class={`pin ${on ? "on" : ""}`} aria-pressed={on} title={on ? "Unpin (p)" : "Pin to the top (p)"} onClick={() => state.togglePin(lane)}>
      <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true"><path d="M4 1h4l-.6 3.6L9.5 7h-3v4h-1V7h-3l2.1-2.4z" fill="currentColor" /></svg>
      <span class="hide">{on ? "Unpin" : "Pin"}</span>
    </button>
  );
}

function ItemLabel({ row, place }: { row: Row; place: (el: HTMLDivElement | null) => void }) {
  const s = row.section;
  if (s.kind === "tasks") {
    const t = engine.data.tasks.value?.rows[row.index];
    const more = row.index === row.section.rows - 1 ? (engine.data.tasks.value?.total ?? 0) - row.section.rows : 0;
    return (
      <div ref={place} class="label item d1">
        {t ? (
          <>
            <a class="name plain" href={linkTo("tasks", t.lane.slice(5))} title={cut(t.name, 2000)} onClick={(e) => (e.preventDefault(), go("tasks", t.lane.slice(5)))}>
              <span class="cut">{t.lane.slice(5)} {cut(t.name, 80)}</span>
            </a>
            <Pin lane={t.lane} />
            <span class="note">{more > 0 && <a href={linkTo("tasks")} title="All tasks under way in this time" onClick={(e) => (e.preventDefault(), go("tasks"))}>+{count(more)}</a>} {t.end !== null && t.begin !== null ? duration(t.end - t.begin) : "open"}</span>
          </>
        ) : <span class="name plain faint">{engine.data.tasks.value ? (row.index === 0 ? "no task in this time" : "") : "…"}</span>}
      </div>
    );
  }
  if (s.kind === "regions") {
    const r = engine.data.regions.value?.rows[row.index];
    return (
      <div ref={place} class="label item d1">
        {r ? (
          <>
            <a class="name plain" href={linkTo("regions", r.name.slice(0, 300))} title={cut(r.name, 2000)} onClick={(e) => (e.preventDefault(), go("regions", r.name.slice(0, 300)))}><span class="cut">{cut(r.name, 80)}</span></a>
            <Pin lane={r.lane} />
            <span class="note" title={`${plural(r.count, "region", "regions")} in this time, ${duration(r.time)} in all`}>{duration(r.time)}</span>
          </>
        ) : <span class="name plain faint">{engine.data.regions.value ? (row.index === 0 ? "no region in this time" : "") : "…"}</span>}
      </div>
    );
  }
  const m = engine.data.members(s.group!).at(row.index);
  const focused = m && state.focus.value?.lane === m.lane;
  return (
    <div ref={place} class={`label item d2 ${focused ? "focused" : ""}`}>
      {m ? (
        <>
          <a class="name plain" href={linkTo("goroutines", m.lane.slice(3))} title={`All about G${m.lane.slice(3)}`} onClick={(e) => (e.preventDefault(), go("goroutines", m.lane.slice(3)))}>
            <span class="cut">G{m.lane.slice(3)}</span>
          </a>
          <Pin lane={m.lane} />
          <span class="note">{sortValue(m)}</span>
        </>
      ) : <span class="name plain faint">…</span>}
    </div>
  );
}

function sortValue(m: { states: number[]; created: number | null }): string {
  const s = m.states;
  switch (state.memberSort.value) {
    case "runnable": return duration(s[1]);
    case "running": return duration(s[0]);
    case "syscall": return duration(s[2]! + s[3]!);
    case "blocked": return duration(s[4]! + s[5]! + s[6]! + s[7]! + s[8]! + s[9]!);
    case "start": return m.created === null ? "before" : state.moment(m.created, 1e6);
    case "total": return duration(s.reduce((a, b) => a + b, 0));
    default: return count(null);
  }
}

export function PinLabels() {
  void [engine.arrived.value, state.labelsKnown.value];
  const pins = state.pins.value.slice(0, Math.floor(engine.pinned / PIN_HEIGHT));
  return (
    <>
      {pins.map((lane, i) => {
        const title = laneTitle(lane, (l) => short(nameOf(l)));
        return (
          <div key={lane} class={`label pinned ${state.focus.value?.lane === lane ? "focused" : ""}`} ref={(el) => { if (el) { el.style.top = `${i * PIN_HEIGHT}px`; el.style.height = `${PIN_HEIGHT}px`; } }}>
            <button class="name plain" title={`${cut(title, 2000)}: what it does in the middle of the view`} onClick={() => focusMiddle(lane)}><span class="cut">{cut(title, 80)}</span></button>
            {lane.startsWith("go:") && !state.pins.value.includes(`regions:${lane.slice(3)}`) && (
              <button class="act" title="Show the regions of this goroutine" onClick={() => (state.pins.value = state.pins.value.flatMap((l) => (l === lane ? [l, `regions:${lane.slice(3)}`] : [l])))}>regions</button>
            )}
            <Pin lane={lane} />
          </div>
        );
      })}
    </>
  );
}
