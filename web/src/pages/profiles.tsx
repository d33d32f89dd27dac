// Profiles as flame graphs: of CPU samples, and of every kind of waiting.

import { flameOf, type Flame } from "../api.js";
import { go } from "../history.js";
import { emptyFlame, FLAMES } from "../panels/selection.js";
import * as state from "../state.js";
import { count, cut, duration, percent } from "../time/format.js";
import { FlameGraph } from "../ui/flame.js";
import { Await, useLoaded } from "../ui/load.js";
import { Table, type Column } from "../ui/table.js";
import { PageBox } from "./common.js";

interface Fn { name: string; own: number; all: number }

/** For each function its own value, and that of all stacks that it is in, counted once where it recurses. */
export function functionsOf(f: Flame): Fn[] {
  const out = new Map<string, Fn>();
  for (const s of f.stacks) {
    s.frames.forEach((name, i) => {
      let fn = out.get(name);
      if (!fn) out.set(name, (fn = { name, own: 0, all: 0 }));
      if (s.frames.indexOf(name) === i) fn.all += s.value;
      if (i === s.frames.length - 1) fn.own += s.value;
    });
  }
  return [...out.values()];
}

export function ProfilesPage({ args }: { args: string[] }) {
  const chosen = FLAMES.some(([k]) => k === args[0]) ? args[0]! : null;
  const s = state.selection.value;
  const flame = useLoaded<Flame & { type: string }>(JSON.stringify([chosen, s, state.trace.value?.done]), async (signal) => {
    // Few traces have CPU samples: without a choice it begins with what there is.
    const type = chosen ?? "cpu";
    const range = { from: s?.from, to: s?.to };
    const f = await flameOf({ type, ...range }, signal);
    if (chosen === null && f.stacks.length === 0) return { ...(await flameOf({ type: "offcpu", ...range }, signal)), type: "offcpu" };
    return { ...f, type };
  });
  const type = chosen ?? flame.value?.type ?? null;
  return (
    <PageBox title="Profiles">
      <p class="choices" role="group" aria-label="Kind of profile">{FLAMES.map(([k, name]) => <button key={k} class={`small ${k === type ? "on" : ""}`} aria-pressed={k === type} onClick={() => go("profiles", k)}>{name}</button>)}</p>
      <Await of={flame} what="the profile">
        {(f) => {
          const value = (v: number) => (f.unit === "ns" ? duration(v) : count(v));
          const columns: Column<Fn>[] = [
            { key: "name", title: "function", wide: true, value: (r) => r.name, show: (r) => cut(r.name, 160), full: (r) => cut(r.name, 2000) },
            { key: "own", title: "own", hint: "Where it is the innermost frame", number: true, value: (r) => r.own, show: (r) => value(r.own), full: (r) => `${count(r.own)} ${f.unit}` },
            { key: "ownShare", title: "own, share", number: true, value: (r) => r.own / f.total, show: (r) => percent(r.own / f.total) },
            { key: "all", title: "with callees", number: true, value: (r) => r.all, show: (r) => value(r.all), full: (r) => `${count(r.all)} ${f.unit}` },
            { key: "allShare", title: "share", number: true, value: (r) => r.all / f.total, show: (r) => percent(r.all / f.total) },
          ];
          return (
            <>
              <section><FlameGraph flame={f} empty={emptyFlame(f.type)} /></section>
              {f.stacks.length > 0 && <section><Table name={`functions ${f.type}`} columns={columns} rows={functionsOf(f)} sort="-own" most={16} empty="" /></section>}
            </>
          );
        }}
      </Await>
    </PageBox>
  );
}
