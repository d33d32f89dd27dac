// The one timeline of the page: it keeps its tiles while other pages are looked at.

import { signal } from "@preact/signals";
import { Engine } from "./engine.js";

export const engine = new Engine();

export interface Tip {
  x: number;
  y: number;
  title: string;
  lines: { colour: string | null; text: string }[];
}
export const tip = signal<Tip | null>(null);

// For tests and measurements: where rows are, and how long frames took.
Object.assign(globalThis, { gotrailTimeline: engine });
