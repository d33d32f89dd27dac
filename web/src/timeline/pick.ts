// Which lanes a drag over rows chooses.

/** What kinds of lanes can be added up: goroutines with groups of them, or procs with threads. */
function family(lane: string | null): "goroutines" | "procs" | "tasks" | null {
  const kind = lane?.includes(":") ? lane.split(":")[0] : null;
  if (kind === "go" || kind === "group" || kind === "regions") return "goroutines";
  if (kind === "proc" || kind === "thread") return "procs";
  return kind === "task" ? "tasks" : null;
}

/** The lanes of rows from where a drag began to where it is. What it began on says of what kind they
 * are: a time of a proc and one of a goroutine are not to be added. None means all: the drag began
 * on a plot, on the collector, on all goroutines. Tasks stand for who worked for them. */
export function chosenLanes(rows: (string | null)[], workers: (task: string) => string[]): string[] {
  const kind = family(rows[0] ?? null);
  if (kind === null) return [];
  const same = rows.filter((l): l is string => l !== null && family(l) === kind);
  return [...new Set(kind === "tasks" ? same.flatMap(workers) : same)];
}

/** Lanes in words, not more than a few: `G1, G2 and 5 more`. */
export function few(names: string[], most = 4): string {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, most - 1).join(", ")} and ${names.length - most + 1} more`;
}
