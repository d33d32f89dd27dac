// One set of colours for states, on tracks, plots, tables and legends. Hues are told apart by people
// who are colour-blind (after Okabe and Ito); what waits is pale, what runs is strong, and runnable,
// time that the scheduler took, is the one warm, bright colour. Hatch is a second cue.

export interface StateStyle {
  name: string;
  /** As `#rrggbb`. */
  light: string;
  dark: string;
  hatch: boolean;
  /** Waits are drawn lower than work. */
  waits: boolean;
}

export const STATE: StateStyle[] = [
  { name: "running", light: "#1f9d78", dark: "#2fae86", hatch: false, waits: false },
  { name: "runnable", light: "#f07c12", dark: "#ff9f1c", hatch: true, waits: false },
  { name: "syscall", light: "#3f97dd", dark: "#4aa3e6", hatch: false, waits: false },
  { name: "syscall, no proc", light: "#2a64a8", dark: "#3472bd", hatch: true, waits: false },
  { name: "sync", light: "#d9aed0", dark: "#85587c", hatch: false, waits: true },
  { name: "channel", light: "#b9bce4", dark: "#50568c", hatch: false, waits: true },
  { name: "network", light: "#a5d3dc", dark: "#346b77", hatch: false, waits: true },
  { name: "sleep", light: "#dde1e8", dark: "#363d4a", hatch: false, waits: true },
  { name: "GC", light: "#dfc42c", dark: "#d6c24a", hatch: false, waits: true },
  { name: "other", light: "#cdc8bc", dark: "#5a534b", hatch: false, waits: true },
];
export const STATES = STATE.length;

/** Where the world is stopped. It is no state of a goroutine, but has a colour like one. */
export const STW = { light: "#d6336c", dark: "#f0517f" };
export const STOPPED = STATES;

/** What could not be read. No state, no function and no task is red. */
export const LOST = { light: "#d1242f", dark: "#ff5263" };

/** From the bottom of a stack upwards: work first, so that its height can be read. */
export const STACKED = [0, 1, 2, 3, 8, 4, 5, 6, 7, 9];
/** How many of `STACKED` are no waits. */
export const WORKING = 4;

/** Twelve that are told apart, of functions and of tasks. None is the orange of runnable or the red of losses. */
const FUNCTIONS_LIGHT = ["#4c7fe0", "#2fa58e", "#b85cc4", "#93992c", "#2f9fc6", "#c46a8d", "#8468dd", "#58a54c", "#a07650", "#6c7d96", "#d184c9", "#55b7b0"];
const FUNCTIONS_DARK = ["#5b8def", "#35ad95", "#b565c6", "#939a34", "#3aa4cc", "#c66d92", "#8d74e6", "#5aa552", "#a17b57", "#74859d", "#cf8cc9", "#4fa9a3"];
export const FUNCTION_COLOURS = FUNCTIONS_LIGHT.length;
/** What the pale colours are mixed with. */
const GROUND: Record<Theme, string> = { light: "#ffffff", dark: "#12161d" };

export type Theme = "light" | "dark";

/** `#rrggbb` as 0xAABBGGRR, as bytes lie in memory. */
export function packed(hex: string): number {
  const n = parseInt(hex.slice(1), 16);
  return (0xff000000 | ((n & 0xff) << 16) | (n & 0xff00) | (n >> 16)) >>> 0;
}

const cache = new Map<string, Uint32Array>();
export function statesPacked(theme: Theme): Uint32Array {
  let a = cache.get(`s${theme}`);
  if (!a) cache.set(`s${theme}`, (a = Uint32Array.from(STATE, (s) => packed(s[theme]))));
  return a;
}

export function functionsPacked(theme: Theme): Uint32Array {
  let a = cache.get(`f${theme}`);
  if (!a) cache.set(`f${theme}`, (a = Uint32Array.from(theme === "dark" ? FUNCTIONS_DARK : FUNCTIONS_LIGHT, packed)));
  return a;
}

/** The colour of a numbered thing: neighbours in number are far apart in hue. */
export function slotOf(n: number): number {
  return ((n * 2654435761) >>> 0) % FUNCTIONS_DARK.length;
}

export function functionColour(n: number, theme: Theme): string {
  return slotColour(slotOf(n), theme);
}

export function slotColour(slot: number, theme: Theme): string {
  return (theme === "dark" ? FUNCTIONS_DARK : FUNCTIONS_LIGHT)[slot % FUNCTION_COLOURS]!;
}

/** `part` of one colour and the rest of another. */
export function mix(a: string, b: string, part: number): string {
  const of = (hex: string, i: number) => parseInt(hex.slice(i, i + 2), 16);
  return `#${[1, 3, 5].map((i) => Math.round(of(a, i) * part + of(b, i) * (1 - part)).toString(16).padStart(2, "0")).join("")}`;
}

/** Colours of states for a lane, in the order of `STACKED`, as 0xAABBGGRR. */
export type Paint = Uint32Array;
export const FADED = 0x38;
export const PALE = 0x60;

const paints = new Map<string, Paint>();
/** The colours of states; with a slot those of a function: its work in its hue, its waits in a pale
 * one. Runnable keeps its own, it must catch the eye. `keep` has a bit for each state that is not
 * faded, and `fade` is how much of the others is left. The same question has the same array. */
export function paint(theme: Theme, slot: number | null, keep = 0xffff, fade = FADED): Paint {
  const key = `${theme} ${slot} ${keep} ${fade}`;
  let p = paints.get(key);
  if (!p) {
    const hue = slot === null ? null : slotColour(slot, theme);
    p = Uint32Array.from(STACKED, (s) => {
      const colour = hue === null || s === 1 ? stateColour(s, theme) : s === 0 ? hue : mix(hue, GROUND[theme], STATE[s]!.waits ? 0.26 : 0.7);
      const alpha = (keep >> s) & 1 ? 0xff : fade;
      return ((packed(colour) & 0xffffff) | (alpha << 24)) >>> 0;
    });
    paints.set(key, p);
  }
  return p;
}

/** Where a state is in `STACKED`. */
export const STACK_PLACE = STACKED.map((_, s) => STACKED.indexOf(s));

export function stateColour(state: number, theme: Theme): string {
  return (state === STOPPED ? STW : STATE[state] ?? STATE[9]!)[theme];
}

/** The state that a kind of time is, as commands name it: `blocked: chan receive`, `sched`. */
export function stateOfKind(kind: string): number {
  if (kind.includes("stop-the-world")) return STOPPED;
  if (/^run(ning)?$/.test(kind)) return 0;
  if (/^(runnable|sched|preempted)/.test(kind)) return 1;
  if (kind.startsWith("syscall")) return 2;
  if (/chan|select/.test(kind)) return 5;
  if (/sync/.test(kind)) return 4;
  if (/network/.test(kind)) return 6;
  if (/sleep/.test(kind)) return 7;
  return kind.includes("GC") ? 8 : 9;
}

/** Black or white, whichever can be read on a colour. */
export function inkOn(colour: number): string {
  const r = colour & 255;
  const g = (colour >> 8) & 255;
  const b = (colour >> 16) & 255;
  return 0.299 * r + 0.587 * g + 0.114 * b > 120 ? "#0c0f14" : "#f4f6fa";
}
