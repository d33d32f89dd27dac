// The chain of causes: each wait, who ended it, and what that one did meanwhile. The links go to
// the spans.

import type { Frame, Id } from "../api.js";
import { follow } from "../keys.js";
import { stateOfKind } from "../palette.js";
import { useAnswer, useOrigin } from "../pages/common.js";
import { cut, duration, exact, plural, short } from "../time/format.js";
import { Chip } from "../ui/bar.js";
import { Await } from "../ui/load.js";

interface Wait { kind: string; from: number; until: number; nanos: number; ended_by: string; stack: Frame[] | null; ended_stack: Frame[] | null; meanwhile: Cause | null }
interface Cause { goroutine: Id; function: string; from: number; until: number; own: Record<string, number>; waits: Wait[]; more_waits: number; more_waits_nanos: number }
interface Why { causes: Cause; subject: string }

interface Props { of: { go?: Id; task?: Id; lanes?: string[]; from?: number; to?: number } }

export function Causes({ of }: Props) {
  const origin = useOrigin();
  const range = of.from !== undefined ? { from: `${Math.floor(of.from)}ns`, to: `${Math.ceil(of.to ?? of.from)}ns` } : {};
  const why = useAnswer<Why>("why", { goroutine: of.go, task: of.task, lanes: of.lanes?.join(","), ...range }, false);
  return (
    <Await of={why} what="the causes">
      {(a) => {
        const w = a.rows[0];
        if (!w || origin === null) return <p class="empty">{w ? "…" : "The trace does not say what passed this time."}</p>;
        return <div class="causes"><p class="faint">{cut(w.subject, 300)}</p><Branch cause={w.causes} origin={origin} depth={0} /></div>;
      }}
    </Await>
  );
}

function Branch({ cause, origin, depth }: { cause: Cause; origin: number; depth: number }) {
  const own = Object.entries(cause.own).sort((a, b) => b[1] - a[1]);
  return (
    <ul>
      <li>
        <button class="link" title={cut(cause.function, 1000)} onClick={() => follow(`go:${cause.goroutine}`, Math.max(0, cause.from - origin))}>G{cause.goroutine} {short(cause.function)}</button>{" "}
        {own.map(([k, v]) => <span key={k}><Chip state={stateOfKind(k)} text={k} /> {duration(v)}&ensp;</span>)}
        {cause.waits.map((w, i) => (
          <details key={i} open={depth < 2 && i === 0}>
            <summary>
              <Chip state={stateOfKind(w.kind)} text={cut(w.kind, 80)} /> <span title={exact(w.nanos)}>{duration(w.nanos)}</span>{" "}
              <span class="faint">{where(w.stack)} · ended by {w.ended_by === "goroutine" && w.meanwhile ? `G${w.meanwhile.goroutine}` : cut(w.ended_by, 80)}{w.ended_stack ? ` at ${where(w.ended_stack)}` : ""}</span>
            </summary>
            {w.meanwhile ? <Branch cause={w.meanwhile} origin={origin} depth={depth + 1} /> : <p class="faint">Nobody in the program: {cut(w.ended_by, 80)}.</p>}
          </details>
        ))}
        {cause.more_waits > 0 && <p class="faint">and {plural(cause.more_waits, "more wait", "more waits")}, {duration(cause.more_waits_nanos)}</p>}
      </li>
    </ul>
  );
}

function where(stack: Frame[] | null): string {
  const f = stack?.find((x) => !/^(runtime|sync|time|internal)[./]/.test(x.function)) ?? stack?.[0];
  return f ? `${short(f.function)}:${f.line}` : "";
}
