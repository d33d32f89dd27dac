// Which colour a function has, wherever it is on the screen. The groups with the most work get one
// each, so that what is seen together is told apart; after these the colours come again.

import { effect } from "@preact/signals";
import type { Group } from "./api.js";
import { FUNCTION_COLOURS, slotOf } from "./palette.js";
import * as state from "./state.js";

/** Places in the list of colours, by group. Who has one keeps it while the trace is read. */
export function assign(groups: Pick<Group, "id">[], had: Map<number, number>): Map<number, number> {
  const out = new Map(had);
  for (const g of groups) if (!out.has(g.id)) out.set(g.id, out.size % FUNCTION_COLOURS);
  return out;
}

let slots = new Map<number, number>();
let groupOf = new Map<string, number>();
let final = false;

effect(() => {
  const groups = state.lanes.value?.groups ?? [];
  const done = state.trace.value?.done ?? false;
  // Once all is known the order of groups is, too: the same trace has the same colours.
  slots = assign(groups, done && !final ? new Map() : slots);
  final = done && groups.length > 0;
  groupOf = new Map(groups.map((g) => [g.function, g.id]));
});

export function slotOfGroup(group: number): number {
  return slots.get(group) ?? group % FUNCTION_COLOURS;
}

/** The group of a function by its name, or -1. */
export function groupOfName(name: string): number {
  return groupOf.get(name) ?? -1;
}

/** Of a function by the number of its name. */
export function slotOfLabel(label: number): number {
  const group = groupOf.get(state.label(label));
  return group === undefined ? slotOf(label) : slotOfGroup(group);
}

/** Of a task: those that are under way together have numbers near each other. */
export function slotOfTask(id: number | string): number {
  return Number(BigInt(id) % BigInt(FUNCTION_COLOURS));
}
