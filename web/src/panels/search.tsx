// One box for everything that has a name, and for moments and ids. Suggestions as one types.

import { useRef, useState } from "preact/hooks";
import { get, idOf, type Found, type Id, type Member, type Page } from "../api.js";
import { go, showSpan, step, toTimeline } from "../history.js";
import { follow } from "../keys.js";
import * as state from "../state.js";
import { count, cut, plural, parseDuration, short } from "../time/format.js";
import { engine } from "../timeline/instance.js";
import type { Filter } from "../url.js";

// The types of the library want a datalist of every combobox; ours has a list of its own.
const COMBOBOX = { role: "combobox" } as object;

interface Item {
  kind: string;
  text: string;
  note: string;
  run: () => void;
}

function itemsOf(q: string, f: Found | null): Item[] {
  const out: Item[] = [];
  const id = /^g\s*(\d{1,19})$/i.exec(q) ?? /^(\d{1,19})$/.exec(q);
  if (id) {
    const n = id[1]!;
    out.push({ kind: "go to", text: `G${n}`, note: "goroutine", run: () => toGoroutine(idOf(n)) });
  }
  const t = parseDuration(q.replace(/^[@t]\s*/, ""));
  if (t !== null && t <= state.duration.value && /[a-zµ@]/.test(q)) out.push({ kind: "go to", text: state.moment(t, 1), note: "moment after the start", run: () => step(() => { toTimeline(); const v = state.view.value; const w = Math.min(v.to - v.from, state.duration.value / 20); state.setView({ from: t - w / 2, to: t + w / 2 }); }) });
  if (!f) return out;
  for (const x of f.functions) {
    const name = x.function;
    // Those that goroutines began with have a group; those in stacks have spans, which can be marked.
    if (x.group !== null) out.push({ kind: "function", text: name, note: plural(x.count, "goroutine", "goroutines"), run: () => openGroup(x.group!) });
    if (x.stacks) out.push({ kind: "in stacks", text: name, note: "mark spans with this in their stack", run: () => mark({ stack: name }) });
  }
  for (const x of f.goroutines) out.push({ kind: "goroutine", text: `G${x.id}`, note: short(x.function), run: () => toGoroutine(x.id) });
  for (const x of f.tasks) out.push({ kind: "task", text: `${x.id} ${x.name}`, note: "", run: () => go("tasks", x.id) });
  for (const x of f.regions) out.push({ kind: "region", text: x.name, note: plural(x.count, "time", "times"), run: () => go("regions", x.name.slice(0, 300)) });
  for (const x of f.logs) out.push({ kind: "log", text: x.text, note: `G${x.go} at ${state.moment(x.time, 1e5)}`, run: () => follow(`go:${x.go}`, x.time) });
  if (q.length > 1) out.push({ kind: "filter", text: `mark spans of goroutines of functions with “${cut(q, 60)}”`, note: "n, N", run: () => mark({ function: q }) });
  return out;
}

function toGoroutine(id: Id): void {
  // The view may lie where it did not live: show what there is of it.
  get<Page<Member>>("members", { q: `G${id}`, sort: "id", limit: 20 }).then((p) => {
    const m = p.rows.find((r) => r.id === id);
    if (!m) return state.say(`There is no G${id} in this trace.`);
    const from = m.created ?? 0;
    const to = m.ended ?? state.duration.value;
    const v = state.view.value;
    const beside = to < v.from || from > v.to;
    showSpan(m.lane, Math.round(Math.min(Math.max((v.from + v.to) / 2, from), to - 1)), beside ? { from, to } : undefined);
    engine.show(m.lane);
  }, (e: Error) => state.say(`Search: ${e.message}`));
}

function openGroup(group: number): void {
  step(() => {
    toTimeline();
    if (!state.toggled.value.includes(`group:${group}`)) state.toggle(`group:${group}`);
  });
  requestAnimationFrame(() => {
    const s = engine.layout.value.sections.find((x) => x.lane === `group:${group}`);
    if (s) engine.scrollTo(Math.max(0, s.y - 60));
  });
}

function mark(what: Partial<Filter>): void {
  step(() => (state.filter.value = { states: [], function: "", label: "", stack: "", min: null, max: null, ...what }));
}

export function Search() {
  const [q, setQ] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const timer = useRef(0);
  const abort = useRef<AbortController | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const type = (text: string) => {
    setQ(text);
    setOpen(true);
    setAt(0);
    clearTimeout(timer.current);
    abort.current?.abort();
    if (text.trim() === "") return setFound(null);
    timer.current = setTimeout(() => {
      const a = (abort.current = new AbortController());
      get<Found>("search", { q: text.trim().slice(0, 200), limit: 8 }, a.signal).then(setFound, (e: Error) => {
        if (!a.signal.aborted) state.say(`Search: ${e.message}`);
      });
    }, 90) as unknown as number;
  };
  const items = q.trim() === "" ? [] : itemsOf(q.trim(), found);
  const pick = (i: Item | undefined) => {
    if (!i) return;
    setOpen(false);
    input.current?.blur();
    i.run();
  };
  const onKey = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown") setAt(Math.min(items.length - 1, at + 1));
    else if (e.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (e.key === "Enter") pick(items[at]);
    else if (e.key === "Escape") setOpen(false);
    else return;
    e.preventDefault();
  };
  const rest = found ? Object.entries(found.total).filter(([k, n]) => n > ((found[k as keyof Found] as unknown[])?.length ?? 0)) : [];
  return (
    <div class="search">
      <input id="search" ref={input} type="search" placeholder="/  function, G17, task, region, log, 1.5s" aria-label="Search functions, goroutines, tasks, regions, logs, or go to a moment"
        {...COMBOBOX} aria-expanded={open && items.length > 0} aria-controls="found" aria-activedescendant={open && items.length > 0 ? `found-${at}` : undefined} autocomplete="off" spellcheck={false}
        value={q} onInput={(e) => type(e.currentTarget.value)} onFocus={() => setOpen(true)} onBlur={() => setTimeout(() => document.activeElement !== input.current && setOpen(false), 150)} onKeyDown={onKey} />
      {open && q.trim() !== "" && (
        <ul id="found" role="listbox" aria-label="Found">
          {items.map((it, i) => (
            <li key={i} id={`found-${i}`} role="option" aria-selected={i === at} class={i === at ? "at" : ""} onPointerDown={(e) => (e.preventDefault(), pick(it))} onPointerMove={() => setAt(i)}>
              <span class="kind">{it.kind}</span> <span class="cut" title={cut(it.text, 2000)}>{cut(it.text, 120)}</span> <span class="faint">{it.note}</span>
            </li>
          ))}
          {found && items.every((i) => i.kind === "filter") && <li class="none" role="presentation">Nothing has this in its name.</li>}
          {rest.length > 0 && <li class="none" role="presentation">and more: {rest.map(([k, n]) => `${count(n)} ${k}`).join(", ")}</li>}
        </ul>
      )}
    </div>
  );
}
