// Which task a goroutine worked for, for colouring by task: asked for once, when someone wants it.

import { effect } from "@preact/signals";
import { get, type Id, type Page, type Task } from "./api.js";
import { colour, labelsKnown, trace } from "./state.js";

interface Piece {
  task: Id;
  from: number;
  to: number;
}

const byGo = new Map<Id, Piece[]>();
const names = new Map<number, string>();
const MOST = 50_000;
let asked = false;

export function taskOf(go: Id, time: number): Id {
  const pieces = byGo.get(go);
  if (!pieces) return -1;
  // The innermost that was going on: tasks nest, and the later one is the inner one.
  for (let i = pieces.length - 1; i >= 0; i--) if (pieces[i]!.from <= time && pieces[i]!.to >= time) return pieces[i]!.task;
  return -1;
}

export function taskName(id: number): string {
  return names.get(id) ?? "";
}

effect(() => {
  if (colour.value !== "task" || asked || !trace.value?.done) return;
  asked = true;
  void loadTasks();
});

async function loadTasks(): Promise<void> {
  const end = trace.value?.duration ?? Infinity;
  try {
    for (let offset = 0; offset < MOST; ) {
      const page = await get<Page<Task>>("tasks", { sort: "begin", offset, limit: 5000 });
      for (const t of page.rows) {
        names.set(Number(t.id), t.name);
        for (const go of t.goroutines) {
          let list = byGo.get(go);
          if (!list) byGo.set(go, (list = []));
          list.push({ task: t.id, from: t.begin ?? 0, to: t.end ?? end });
        }
      }
      offset += page.rows.length;
      if (page.rows.length === 0 || offset >= page.total) break;
    }
  } catch {
    asked = false;
  }
  labelsKnown.value = labelsKnown.value + 0.001; // Something to draw anew for.
}
