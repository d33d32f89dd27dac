// How the timeline is shown: colour, order, legend. Where the window is narrow these are behind one
// button, together with what else has no room in the head of the page.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import * as state from "../state.js";
import { bytes, clockFull, count, duration, exact } from "../time/format.js";
import { Legend } from "../ui/bar.js";
import { MEMBER_SORTS, type Colour, type MemberSort } from "../url.js";

export function Controls() {
  return (
    <>
      <label>colour{" "}
        <select value={state.colour.value} onChange={(e) => (state.colour.value = e.currentTarget.value as Colour)}>
          <option value="state">state</option>
          <option value="function">function</option>
          <option value="task">task</option>
        </select>
      </label>
      <label title="What order the goroutines of an open group are in">sort{" "}
        <select value={state.memberSort.value} onChange={(e) => (state.memberSort.value = e.currentTarget.value as MemberSort)}>
          {MEMBER_SORTS.map((s) => <option key={s} value={s}>{s}</option>)}
        </select>
      </label>
      <button class={`small ${state.activeOnly.value ? "on" : ""}`} aria-pressed={state.activeOnly.value} title="Groups: only goroutines at work, by number; blocked ones are left out (b)" onClick={() => (state.activeOnly.value = !state.activeOnly.value)}>active</button>
    </>
  );
}

export function ViewMenu() {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  // As soon as it is there: a click that comes at once must close it, too.
  useLayoutEffect(() => {
    if (!open) return;
    const away = (e: PointerEvent) => !box.current?.contains(e.target as Node) && setOpen(false);
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [open]);
  const key = (e: KeyboardEvent) => {
    if (e.key !== "Escape" || !open) return;
    e.stopPropagation();
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  return (
    <div class="view-menu" ref={box} onKeyDown={key}>
      <button class={`tool ${open ? "on" : ""}`} aria-expanded={open} title="How the timeline is shown, and what the trace is" onClick={() => setOpen(!open)}>View</button>
      {open && (
        <div class="popover" role="dialog" aria-label="View">
          {state.page.value === "timeline" && (
            <div class="controls">
              <Controls />
              {state.start.value !== null && <button class="small" aria-pressed={state.clockMode.value} onClick={() => (state.clockMode.value = !state.clockMode.value)}>wall clock</button>}
            </div>
          )}
          {state.page.value === "timeline" && <Legend />}
          <Facts />
        </div>
      )}
    </div>
  );
}

function Facts() {
  const t = state.trace.value;
  const wall = state.start.value;
  if (!t) return null;
  return (
    <dl class="figures">
      <dt>length</dt><dd title={exact(t.duration)}>{duration(t.duration)}</dd>
      {wall !== null && <><dt>began</dt><dd>{clockFull(0, wall).slice(0, 19).replace("T", " ")}Z</dd></>}
      {t.version !== null && <><dt>written by</dt><dd>Go {t.version}</dd></>}
      {t.bytes !== null && <><dt>size</dt><dd title={`${count(t.bytes)} bytes`}>{bytes(t.bytes)}</dd></>}
      <dt>events</dt><dd>{count(t.events)}</dd>
      <dt>goroutines</dt><dd>{count(t.goroutines)}</dd>
      <dt>procs, threads</dt><dd>{count(t.procs)}, {count(t.threads)}</dd>
      <dt>tasks, regions</dt><dd>{count(t.tasks)}, {count(t.regions)}</dd>
    </dl>
  );
}
