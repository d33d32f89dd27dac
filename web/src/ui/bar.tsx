// Shares of time by state as one bar, and the legend of states.

import { functionColour, STACKED, STATE, stateColour } from "../palette.js";
import { go, step } from "../history.js";
import { tasksInView } from "../tasks.js";
import { colour, filter, labelsKnown, lanes, numberOf, theme } from "../state.js";
import { cut, duration, exact, percent, short } from "../time/format.js";

export function StateBar({ states, width = 160 }: { states: number[]; width?: number }) {
  const sum = states.reduce((a, b) => a + b, 0);
  if (sum <= 0) return <span class="faint">–</span>;
  const colours = STATE.map((s) => s[theme.value]);
  const text = STACKED.filter((s) => states[s]! > 0).map((s) => `${STATE[s]!.name} ${duration(states[s])} (${percent(states[s]! / sum)})`).join(", ");
  return (
    <span class="bar" role="img" aria-label={text} title={text} ref={(el) => { if (el) el.style.width = `${width}px`; }}>
      {STACKED.map((s) => states[s]! > 0 && (
        <i key={s} class={STATE[s]!.hatch ? "hatch" : ""} ref={(el) => { if (el) { el.style.width = `${(states[s]! / sum) * 100}%`; el.style.backgroundColor = colours[s]!; } }} />
      ))}
    </span>
  );
}

export function StateTable({ states, what }: { states: number[]; what: string }) {
  const sum = states.reduce((a, b) => a + b, 0);
  if (sum <= 0) return <p class="empty">No goroutine lived {what}.</p>;
  return (
    <table class="plain">
      <caption class="hide">Time of goroutines by state</caption>
      <thead><tr><th scope="col">state</th><th scope="col" class="num">time</th><th scope="col" class="num">share</th></tr></thead>
      <tbody>
        {STACKED.filter((s) => states[s]! > 0).map((s) => (
          <tr key={s}>
            <td><Chip state={s} /></td>
            <td class="num" title={exact(states[s])}>{duration(states[s])}</td>
            <td class="num">{percent(states[s]! / sum)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Chip({ state, text }: { state: number; text?: string }) {
  // Read here, not in the ref: what is read while rendering is followed.
  const colour = stateColour(state, theme.value);
  return (
    <span class="chip">
      <i class={`swatch ${STATE[state]?.hatch ? "hatch" : ""}`} ref={(el) => { if (el) el.style.backgroundColor = colour; }} />
      {text ?? STATE[state]?.name ?? "unknown"}
    </span>
  );
}

export function Legend() {
  if (colour.value === "function") return <FunctionLegend />;
  if (colour.value === "task") return <TaskLegend />;
  return (
    <div class="legend" role="group" aria-label="Colours of states">
      {STACKED.map((s) => <Chip key={s} state={s} />)}
    </div>
  );
}

/** The tasks that take the most of the view. */
function TaskLegend() {
  return (
    <div class="legend" role="group" aria-label="Colours of tasks">
      {tasksInView.value.map((t) => {
        const paint = functionColour(Number(t.id), theme.value);
        return (
          <button key={t.id} class="link chip" title={`All about task ${t.id} ${cut(t.name, 500)}`} onClick={() => go("tasks", t.id)}>
            <i class="swatch" ref={(el) => { if (el) el.style.backgroundColor = paint; }} />{t.id} {cut(t.name, 30)}
          </button>
        );
      })}
      <span>what was done for no task is pale; where spans are too many to be told apart, their states are shown</span>
    </div>
  );
}

/** The functions that were at work the most. */
function FunctionLegend() {
  void labelsKnown.value;
  const groups = (lanes.value?.groups ?? []).slice(0, 9);
  return (
    <div class="legend" role="group" aria-label="Colours of functions">
      {groups.map((g) => {
        const paint = functionColour(Math.max(0, numberOf(g.function)), theme.value);
        return (
          <button key={g.id} class="link chip" title={`Mark ${cut(g.function, 500)}`} onClick={() => step(() => (filter.value = { states: [], function: g.function, label: "", stack: "", min: null, max: null }))}>
            <i class="swatch" ref={(el) => { if (el) el.style.backgroundColor = paint; }} />{cut(short(g.function), 40)}
          </button>
        );
      })}
    </div>
  );
}
