// What colours are on the screen, for the legend.

import { slotOfTask } from "../hues.js";
import { STACKED } from "../palette.js";
import type { Used } from "./scene.js";

export interface OnScreen {
  groups: number[];
  /** Groups that have no room in the legend. */
  more: number;
  tasks: number[];
  /** States in their own colours, in the order of the legend. */
  states: number[];
  pale: boolean;
}

const MOST = 9;

function first(map: Map<number, number>, rank: (id: number) => number = () => 0): number[] {
  return [...map].filter(([id, area]) => id >= 0 && area > 0).sort((a, b) => rank(a[0]) - rank(b[0]) || b[1] - a[1] || a[0] - b[0]).map(([id]) => id);
}

/** `rank` is the place of a group among all: those with the most work have colours of their own. */
export function legendOf(used: Used, rank: (group: number) => number): OnScreen {
  const tasks = first(used.tasks).filter(((seen) => (id: number) => !seen.has(slotOfTask(id)) && seen.add(slotOfTask(id)))(new Set<number>()));
  const groups = first(used.groups, rank);
  return { groups: groups.slice(0, MOST), more: Math.max(0, groups.length - MOST), tasks: tasks.slice(0, MOST), states: STACKED.filter((s) => used.states[s]), pale: used.pale };
}
