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

/** A field for text: what is being typed stays when something else is drawn anew, until it counts. */
function Text({ name, placeholder, value, onChange }: { name: string; placeholder?: string; value: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label class="field">{name} <input type="text" placeholder={placeholder} value={typed ?? value} onInput={(e) => setTyped(e.currentTarget.value)} onChange={(e) => { onChange(e.currentTarget.value); setTyped(null); }} /></label>
  );
}

function FilterForm({ onClose }: { onClose: () => void }) {
  const f = state.filter.value ?? NONE;
  // What is drawn may not have the last change yet.
  const now = () => state.filter.value ?? NONE;
  const set = (change: Partial<Filter>) => {
    const next = { ...now(), ...change };
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
            <label key={i}><input type="checkbox" checked={f.states.includes(i)} onChange={(e) => set({ states: e.currentTarget.checked ? [...now().states, i] : now().states.filter((x) => x !== i) })} /><Chip state={i} text={s.name} /></label>
          ))}
        </div>
      </fieldset>
      <div class="two">
        <label class="field">at least <input type="text" placeholder="10ms" defaultValue={f.min === null ? "" : duration(f.min).replace(" ", "")} onChange={(e) => length("min", e.currentTarget.value)} /></label>
        <label class="field">at most <input type="text" placeholder="1s" defaultValue={f.max === null ? "" : duration(f.max).replace(" ", "")} onChange={(e) => length("max", e.currentTarget.value)} /></label>
      </div>
      {bad && <p class="failed" role="alert">{bad}</p>}
      <Text name="function has" value={f.function} onChange={(text) => set({ function: text })} />
      <Text name="reason has" placeholder="chan receive" value={f.label} onChange={(text) => set({ label: text })} />
      <Text name="stack has" placeholder="main.go:88 or a function" value={f.stack} onChange={(text) => set({ stack: text })} />
      <p class="faint">{state.filter.value ? (total ? `${total.total === 1 ? "1 span matches" : `${count(total.total)} spans match`}: n and N go from one to the next.` : "Looking …") : "Spans that match stay bright, others fade; marks on the strip show where they are."}</p>
      <div class="buttons"><button onClick={() => step(() => (state.filter.value = null))}>clear</button><button onClick={onClose}>done</button></div>
    </div>
  );
}
