// Shares of time by state as one bar, and the legend of states.

import { slotOfGroup, slotOfTask } from "../hues.js";
import { slotColour, STACKED, STATE, stateColour } from "../palette.js";
import { go, step } from "../history.js";
import { taskName } from "../tasks.js";
import { engine } from "../timeline/instance.js";
import { colour, filter, lanes, theme } from "../state.js";
import { cut, duration, exact, percent, plural, short } from "../time/format.js";

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

/** What the colours on the screen mean. States keep their names as long as they have their colours. */
export function Legend() {
  const on = engine.onScreen.value;
  const by = colour.value;
  if (by === "state") return <div class="legend" role="group" aria-label="Colours of states">{STACKED.map((s) => <Chip key={s} state={s} />)}</div>;
  return (
    <div class="legend" role="group" aria-label={by === "task" ? "Colours of tasks and states" : "Colours of functions and states"}>
      {by === "function" && on.groups.map((g) => <FunctionChip key={g} group={g} />)}
      {by === "function" && on.more > 0 && <span>and {plural(on.more, "other", "others")}</span>}
      {by === "function" && on.groups.length > 0 && <span>waits are pale</span>}
      {by === "task" && on.tasks.map((t) => <TaskChip key={t} id={t} />)}
      {by === "task" && on.tasks.length === 0 && <span>no task can be told apart here: open a group, or zoom in</span>}
      {on.states.map((s) => <Chip key={`s${s}`} state={s} />)}
      {by === "task" && on.pale && <span>pale: of no task, or too fine to be told apart</span>}
    </div>
  );
}

function ColourChip({ paint, text, title, onClick }: { paint: string; text: string; title: string; onClick: () => void }) {
  return (
    <button class="link chip" title={title} onClick={onClick}>
      <i class="swatch" ref={(el) => { if (el) el.style.backgroundColor = paint; }} />{text}
    </button>
  );
}

function TaskChip({ id }: { id: number }) {
  const name = taskName(id);
  return <ColourChip paint={slotColour(slotOfTask(id), theme.value)} text={`${id} ${cut(name, 30)}`} title={`All about task ${id} ${cut(name, 500)}`} onClick={() => go("tasks", id)} />;
}

function FunctionChip({ group }: { group: number }) {
  const name = lanes.value?.groups.find((g) => g.id === group)?.function ?? "";
  return (
    <ColourChip paint={slotColour(slotOfGroup(group), theme.value)} text={cut(short(name) || "(unknown)", 40)} title={`Mark ${cut(name, 500)}`}
      onClick={() => step(() => (filter.value = { states: [], function: name, label: "", stack: "", min: null, max: null }))} />
  );
}
