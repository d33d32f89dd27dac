// What lies under the lanes: the span that was clicked, or the range that was selected.

import { useState } from "preact/hooks";
import { go, linkTo, step } from "../history.js";
import { follow } from "../keys.js";
import { STATE, STOPPED } from "../palette.js";
import * as state from "../state.js";
import { cut, duration, exact, plural, short } from "../time/format.js";
import type { Other, Span } from "../api.js";
import { Chip, Legend } from "../ui/bar.js";
import { copyText } from "../ui/copy.js";
import { Stack, stackText } from "../ui/stack.js";
import { CriticalPanel } from "./critical.js";
import { SelectionPanel } from "./selection.js";
import { spanLoading, spanOf, spanProblem } from "./span.js";
import { laneTitle } from "../timeline/rows.js";
import { engine } from "../timeline/instance.js";

export function Details() {
  const [height, setHeight] = useState(() => Number(localStorage.getItem("gotrail.details")) || 236);
  const focus = state.focus.value;
  const selection = state.selection.value;
  const critical = state.criticalOf.value;
  const something = focus || selection || critical;
  const grip = (e: PointerEvent) => {
    const el = e.currentTarget as HTMLElement;
    el.setPointerCapture(e.pointerId);
    const y = e.clientY;
    const move = (m: PointerEvent) => setHeight(Math.max(90, Math.min(innerHeight * 0.7, height + y - m.clientY)));
    const up = () => {
      el.removeEventListener("pointermove", move);
      el.removeEventListener("pointerup", up);
    };
    el.addEventListener("pointermove", move);
    el.addEventListener("pointerup", up);
  };
  if (!something) {
    return (
      <div class="footer">
        <Legend />
        <span class="faint hint">click a span · drag the ruler to select · <kbd>?</kbd> keys</span>
      </div>
    );
  }
  localStorage.setItem("gotrail.details", String(Math.round(height)));
  const resize = (e: KeyboardEvent) => {
    if (e.key === "ArrowUp" || e.key === "ArrowDown") setHeight(Math.max(90, height + (e.key === "ArrowUp" ? 24 : -24)));
  };
  return (
    <section class="details panel" aria-label="Details" ref={(el) => { if (el) el.style.height = `${height}px`; }}>
      <div class="grip" onPointerDown={grip} onKeyDown={resize} role="separator" aria-orientation="horizontal" aria-label="Height of the details" aria-valuenow={Math.round(height)} aria-valuemin={90} aria-valuemax={900} tabIndex={0} />
      {critical ? <CriticalPanel /> : focus ? <SpanPanel /> : <SelectionPanel />}
    </section>
  );
}

export function Close({ onClose }: { onClose: () => void }) {
  return <button class="close" onClick={onClose} title="Close (Esc)"><span aria-hidden="true">×</span><span class="hide">Close</span></button>;
}

function sentence(s: Span): string {
  const name = STATE[s.state]?.name ?? "unknown";
  if (s.lane.startsWith("proc") || s.lane.startsWith("thread")) return s.go !== null && Number(s.go) >= 0 ? `ran G${s.go}` : name;
  if (s.state >= 4) return `blocked on ${s.label ?? name}`;
  if (s.state === 1) return "runnable, waited for a proc";
  return s.label && s.state !== 0 ? `${name}: ${s.label}` : name;
}

/** Lanes of states: of a goroutine, or of what it ran on. */
const ofStates = (lane: string) => /^(go|proc|thread):/.test(lane);

/** What lasted on a lane that is not of states. */
function lasting(s: Span): string {
  const name = cut(s.label ?? "", 200);
  if (s.lane === "gc") return "GC mark phase";
  if (s.lane === "stw") return `Stop the world: ${name || "no reason given"}`;
  if (/^tasks?\b/.test(s.lane)) return `Task ${taskOf(s)} ${name}`.trimEnd();
  return `Region ${name}${s.go !== null ? ` on G${s.go}` : ""}`;
}

/** The id of its task, or "". */
function taskOf(s: Span): string {
  return s.lane.startsWith("task:") ? s.lane.slice(5) : String(s.task ?? "");
}

function SpanPanel() {
  const s = spanOf.value;
  const close = () => step(() => (state.focus.value = null));
  if (spanProblem.value) return <><Close onClose={close} /><p class="failed" role="alert">{spanProblem.value}</p></>;
  if (!s) return <><Close onClose={close} /><p class="empty" role="status">{spanLoading.value ? "…" : "Nothing was going on here at this time."}</p></>;
  // Ids beyond 2^53 are whole only in the names of lanes.
  const id = s.lane.startsWith("go:") ? s.lane.slice(3) : s.go !== null ? String(s.go) : "";
  const title = s.lane.startsWith("go:") ? `G${id}` : s.lane.startsWith("proc:") ? `P${s.lane.slice(5)}` : s.lane.startsWith("thread:") ? `M${s.lane.slice(7)}` : "";
  const states = ofStates(s.lane);
  const task = taskOf(s);
  return (
    <>
      <Close onClose={close} />
      <h2 aria-live="polite">
        {states ? <Chip state={s.state} text={`${title} ${sentence(s)}`} /> : s.lane === "stw" || s.lane === "gc" ? <Chip state={s.lane === "stw" ? STOPPED : s.state} text={lasting(s)} /> : lasting(s)} · <span title={exact(s.to - s.from)}>{duration(s.to - s.from)}{s.open ? ", and goes on at the end of the trace" : ""}</span>
        {s.stack[0] && <span class="faint"> · {cut(s.stack.find((f) => !f.function.startsWith("runtime."))?.file.split("/").pop() ?? s.stack[0].file, 60)}:{(s.stack.find((f) => !f.function.startsWith("runtime.")) ?? s.stack[0]).line}</span>}
        {s.ended && <span class="faint"> · ended by <Ref other={s.ended} at={Math.max(0, (s.ended.time ?? s.to) - 1)} /></span>}
      </h2>
      <div class="columns">
        <div class="facts">
          <dl>
            {s.go !== null && Number(s.go) >= 0 && <><dt>goroutine</dt><dd><a href={linkTo("goroutines", id)} onClick={(e) => (e.preventDefault(), go("goroutines", id))}>G{id}</a> <span title={cut(s.function ?? "", 1000)}>{short(s.function ?? "")}</span></dd></>}
            {task !== "" && <><dt>task</dt><dd><a href={linkTo("tasks", task)} onClick={(e) => (e.preventDefault(), go("tasks", task))}>Task {task}</a></dd></>}
            <dt>from</dt><dd title={state.momentFull(s.from)}>{state.moment(s.from, 100)}</dd>
            <dt>to</dt><dd title={state.momentFull(s.to)}>{s.open ? "the end of the trace" : state.moment(s.to, 100)}</dd>
            {s.proc !== null && <><dt>proc</dt><dd><button class="link" onClick={() => follow(`proc:${s.proc}`, s.from)}>P{s.proc}</button>{s.thread !== null && <> on <button class="link" onClick={() => follow(`thread:${s.thread}`, s.from)}>M{s.thread}</button></>}</dd></>}
            {s.began && <><dt>{states ? "made so by" : "begun by"}</dt><dd><Ref other={s.began} at={s.from} /></dd></>}
            {s.ended && <><dt>ended by</dt><dd><Ref other={s.ended} at={Math.max(0, (s.ended.time ?? s.to) - 1)} /> <kbd>u</kbd></dd></>}
            {s.creator && <><dt>created by</dt><dd><Ref other={s.creator} at={s.creator.time ?? s.from} /></dd></>}
            {s.similar && s.similar.count > 0 && <><dt>same place</dt><dd>{plural(s.similar.count, "span", "spans")}, p50 {duration(s.similar.p50)}, p99 {duration(s.similar.p99)}, max {duration(s.similar.max)}{" "}
              <button class="link" onClick={() => step(() => (state.filter.value = { states: [s.state], function: s.function ?? "", label: s.state >= 2 ? s.label ?? "" : "", stack: "", min: null, max: null }))}>mark them</button></dd></>}
          </dl>
          <div class="buttons">
            <button disabled={s.previous === null} onClick={() => jump(s.lane, s.previous!)}>‹ previous <kbd>[</kbd></button>
            <button disabled={s.next === null} onClick={() => jump(s.lane, s.next!)}>next › <kbd>]</kbd></button>
            <button onClick={() => step(() => state.fitRange(s.from, s.to))}>fit <kbd>f</kbd></button>
            <button onClick={() => step(() => { state.selection.value = { from: Math.floor(s.from), to: Math.ceil(s.to), lanes: [] }; state.focus.value = null; })}>select its time</button>
            {(states || s.lane.startsWith("region")) && s.go !== null && Number(s.go) >= 0 && <button title="What passed the time of this span, over all goroutines" onClick={() => step(() => (state.criticalOf.value = { go: s.go!, from: Math.floor(s.from), to: Math.ceil(s.to) }))}>critical path</button>}
            {s.go !== null && !s.lane.startsWith("go:") && Number(s.go) >= 0 && <button onClick={() => follow(`go:${s.go}`, s.from)}>to its lane</button>}
            <button onClick={() => copyText(asText(s), "Span copied.")}>copy</button>
          </div>
        </div>
        {states && <div>
          <h3>{s.state >= 4 ? "where it waited" : s.state === 0 ? "where it stopped" : "stack"}</h3>
          <Stack frames={s.stack} none="The trace has no stack for this." />
        </div>}
        {states && s.ended && (
          <div>
            <h3>what ended it: G{s.ended.go}</h3>
            <Stack frames={s.ended.stack} none="The trace has no stack for this: a timer, the network or the runtime may have done it." />
          </div>
        )}
        {s.creator && (
          <div>
            <h3>where it was created</h3>
            <Stack frames={s.creator.stack} none="It was there before the trace began, or the trace has no stack for it." />
          </div>
        )}
      </div>
    </>
  );
}

function jump(lane: string, time: number): void {
  step(() => {
    state.focus.value = { lane, time };
    state.revealTime(time);
  });
  engine.show(lane);
}

function Ref({ other, at }: { other: Other; at: number }) {
  return <button class="link" title={cut(other.function, 1000)} onClick={() => follow(other.lane ?? `go:${other.go}`, at)}>G{other.go} {short(cut(other.function, 80))}</button>;
}

function asText(s: Span): string {
  const lines = [
    `${ofStates(s.lane) ? `${cut(laneTitle(s.lane, () => ""), 200)} ${sentence(s)}` : lasting(s)}: ${exact(s.to - s.from)}`,
    `from ${state.momentFull(s.from)}`,
    `to   ${state.momentFull(s.to)}`,
    s.go !== null ? `goroutine ${s.go} ${s.function ?? ""}` : "",
    s.ended ? `ended by goroutine ${s.ended.go} ${s.ended.function}` : "",
    s.creator ? `created by goroutine ${s.creator.go} ${s.creator.function}` : "",
    s.stack.length > 0 ? `\n${stackText(s.stack)}` : "",
  ];
  return lines.filter(Boolean).join("\n") + "\n";
}
