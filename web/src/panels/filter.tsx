// Which spans to mark: by state, length, function, reason, stack. Others fade.

import { useState } from "preact/hooks";
import { step } from "../history.js";
import { nextMatch } from "../matches.js";
import { STATE } from "../palette.js";
import * as state from "../state.js";
import { count, duration, parseDuration } from "../time/format.js";
import { isEmpty, type Filter } from "../url.js";
import { Chip } from "../ui/bar.js";

const NONE: Filter = { states: [], function: "", label: "", stack: "", min: null, max: null };

export function FilterButton() {
  const [open, setOpen] = useState(false);
  const f = state.filter.value;
  const m = state.matches.value;
  return (
    <div class="filter">
      <button class={f ? "on" : ""} aria-expanded={open} onClick={() => setOpen(!open)} title="Mark spans by state, length, function, reason, stack">Filter</button>
      {f && (
        <span class="matches" role="status">
          {m ? `${state.matchAt.value ? `${count(state.matchAt.value.number + 1)} of ` : ""}${count(m.total)}` : "…"}
          <button class="small" title="Previous match (N)" onClick={() => nextMatch(-1)}>‹</button>
          <button class="small" title="Next match (n)" onClick={() => nextMatch(1)}>›</button>
          <button class="small" title="No filter" onClick={() => step(() => (state.filter.value = null))}>×</button>
        </span>
      )}
      {open && <FilterForm onClose={() => setOpen(false)} />}
    </div>
  );
}

function FilterForm({ onClose }: { onClose: () => void }) {
  const f = state.filter.value ?? NONE;
  const set = (change: Partial<Filter>) => {
    const next = { ...f, ...change };
    step(() => (state.filter.value = isEmpty(next) ? null : next));
  };
  const [bad, setBad] = useState("");
  const length = (key: "min" | "max", text: string) => {
    const n = text.trim() === "" ? null : parseDuration(text);
    setBad(text.trim() !== "" && n === null ? `“${text}” is no length of time: write 20ms, 1.5s, 300us.` : "");
    if (text.trim() === "" || n !== null) set({ [key]: n });
  };
  const total = state.matches.value;
  return (
    <div class="popover" role="dialog" aria-label="Filter" onKeyDown={(e) => { if (e.key === "Escape") { e.stopPropagation(); onClose(); } }}>
      <fieldset>
        <legend>state</legend>
        <div class="states">
          {STATE.map((s, i) => (
            <label key={i}><input type="checkbox" checked={f.states.includes(i)} onChange={(e) => set({ states: e.currentTarget.checked ? [...f.states, i] : f.states.filter((x) => x !== i) })} /><Chip state={i} text={s.name} /></label>
          ))}
        </div>
      </fieldset>
      <div class="two">
        <label class="field">at least <input type="text" placeholder="10ms" defaultValue={f.min === null ? "" : duration(f.min).replace(" ", "")} onChange={(e) => length("min", e.currentTarget.value)} /></label>
        <label class="field">at most <input type="text" placeholder="1s" defaultValue={f.max === null ? "" : duration(f.max).replace(" ", "")} onChange={(e) => length("max", e.currentTarget.value)} /></label>
      </div>
      {bad && <p class="failed" role="alert">{bad}</p>}
      <label class="field">function has <input type="text" value={f.function} onChange={(e) => set({ function: e.currentTarget.value })} /></label>
      <label class="field">reason has <input type="text" placeholder="chan receive" value={f.label} onChange={(e) => set({ label: e.currentTarget.value })} /></label>
      <label class="field">stack has <input type="text" placeholder="main.go:88 or a function" value={f.stack} onChange={(e) => set({ stack: e.currentTarget.value })} /></label>
      <p class="faint">{state.filter.value ? (total ? `${total.total === 1 ? "1 span matches" : `${count(total.total)} spans match`}: n and N go from one to the next.` : "Looking …") : "Spans that match stay bright, others fade; marks on the strip show where they are."}</p>
      <div class="buttons"><button onClick={() => step(() => (state.filter.value = null))}>clear</button><button onClick={onClose}>done</button></div>
    </div>
  );
}
