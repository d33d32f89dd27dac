// What the server says (docs/api.md), with types.

export interface TraceInfo {
  name: string;
  path: string;
  /** None until the trace is open. */
  bytes: number | null;
  version: string | null;
  start_unix: number | string | null;
  duration: number;
  /** The trace's own clock at its first event: answers of commands have such times. */
  origin?: number;
  indexed: number;
  progress: number;
  done: boolean;
  events: number;
  generations: number;
  goroutines: number;
  procs: number;
  threads: number;
  tasks: number;
  regions: number;
  states: { id: number; name: string }[];
  labels: number;
  base_level: number;
  lost: { from: number; to: number; what: string }[];
  complete: boolean;
  error: string | null;
}

/** The name of the file; of standard input there is none. */
export function traceName(t: TraceInfo): string {
  return t.name === "-" || t.name === "" ? "standard input" : t.name.split(/[/\\]/).pop()!;
}

/** A head without a body: the one event of such a file says that it is a trace. */
export function hasNothing(t: Pick<TraceInfo, "events" | "goroutines">): boolean {
  return t.events <= 1 && t.goroutines === 0;
}

/** Of a goroutine, a task, a thread. Beyond 2^53 it is a string, so that no digit is lost. */
export type Id = number | string;

export interface Group { id: number; lane: string; function: string; count: number; first: number; last: number; states: number[] }
export interface Lanes { revision: number; groups: Group[]; procs: { id: number; lane: string }[]; threads: { id: number; lane: string }[] }
export interface Member { id: Id; lane: string; function: string; created: number | null; ended: number | null; creator: Id | null; states: number[] }
export interface Task { id: Id; lane: string; name: string; parent: Id | null; begin: number | null; end: number | null; goroutines: Id[]; regions: number; logs: number }
/** The regions of one type in a time: how many touch it, and their time in it. */
export interface RegionType { name: string; label: number; lane: string; count: number; time: number }
export interface Page<T> { total: number; rows: T[] }
export interface Frame { function: string; file: string; line: number }
export interface Other { go: Id; function: string; time?: number; stack?: Frame[]; lane?: string }
export interface Span {
  lane: string; go: Id | null; function: string | null; state: number; label: string | null; task: Id | null; from: number; to: number; open: boolean;
  proc: number | null; thread: number | null; stack: Frame[]; began: Other | null; ended: Other | null; creator: Other | null;
  previous: number | null; next: number | null; similar: { count: number; p50: number; p99: number; max: number; total: number } | null;
}
export interface Mark { from: number; to: number; go: Id | null; task: Id | null; text: string; lane: string | null }
/** `strip` is how many there are in equal parts of the time asked for, where the server says it. */
export interface Marks extends Page<Mark> { strip?: number[]; from?: number; to?: number }
export interface Plot { name: string; unit: string; t: number[]; min: number[]; max: number[]; last: number[] }
export interface Arrow { kind: "unblock" | "create"; time: number; from: Id; to: Id }
export interface Step { go: Id; function: string; from: number; to: number; kind: string; label: string | null }
export interface Critical { steps: Step[]; total: number; by_kind: Record<string, number>; go?: Id | null }
export interface Found {
  /** `stacks`: it is in stacks of spans. */
  functions: { label: number | null; function: string; group: number | null; count: number; stacks: boolean }[];
  goroutines: { id: Id; lane: string; function: string }[];
  tasks: { id: Id; name: string; begin: number | null; end: number | null }[];
  regions: { name: string; count: number }[];
  logs: { time: number; go: Id; text: string }[];
  total: Record<string, number>;
}
export interface Match { lane: string; go: Id; from: number; to: number; state: number; label: number | null }
/** `before`: how many matches come before the first row. */
export interface Matches { total: number; rows: Match[]; strip: number[]; before?: number }
export interface SelectionAnswer {
  states: number[];
  functions: { function: string; group: number | null; count: number; states: number[] }[];
  histogram: { upto: number; count: number }[];
  /** None says the same of some lanes. */
  command: string | null;
  /** Why there is no command. */
  no_command?: string | null;
}
/** `reason` says why there is nothing in it. */
export interface Flame { unit: "ns" | "samples"; total: number; stacks: { frames: string[]; value: number }[]; reason?: string | null }

export type Query = Record<string, string | number | boolean | null | undefined>;

export function urlOf(path: string, query: Query = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) {
    if (v === null || v === undefined || v === false || v === "") continue;
    q.set(k, v === true ? "true" : typeof v === "number" ? String(Math.round(v)) : v);
  }
  const s = q.toString();
  return `/api/${path}${s ? `?${s}` : ""}`;
}

async function answerOf(path: string, query: Query, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(urlOf(path, query), { signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error("The server does not answer. Is `gotrail view` still running?");
  }
  if (answer.ok) return answer;
  let message = `${answer.status} ${answer.statusText}`;
  try {
    message = ((await answer.json()) as { error: string }).error || message;
  } catch {
    // The status says enough.
  }
  throw new Error(message);
}

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return parseJson<T>(await (await answerOf(path, query, signal)).text());
}

export interface Answer<T> {
  rows: T[];
  command: string | null;
}

/** A flame graph. */
export function flameOf(query: Query, signal?: AbortSignal): Promise<Flame> {
  return get<Flame>("flame", query, signal);
}

/** The answer of a `gotrail` command: objects, one a line, or one object over many lines. */
export async function answer<T>(command: string, query: Query = {}, signal?: AbortSignal): Promise<Answer<T>> {
  const response = await answerOf(`answer/${command}`, query, signal);
  const rows = parseLines<T>(await response.text());
  // What a command could not look at is a row of its own.
  const failed = rows.map((row) => (row as { error?: unknown }).error).find((error) => typeof error === "string");
  if (failed !== undefined) throw new Error(String(failed));
  return { rows, command: response.headers.get("x-gotrail-command") };
}

/** Numbers beyond 2^53 become strings: `JSON.parse` would round them. */
export function parseJson<T>(text: string): T {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as T;
  return JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g, (t) => (/^-?\d{16,}$/.test(t) && !Number.isSafeInteger(Number(t)) ? `"${t}"` : t))) as T;
}

/** An id as `parseJson` would have it. */
export function idOf(text: string): Id {
  return Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

export function parseLines<T>(text: string): T[] {
  const lines = text.split("\n").filter((l) => l.trim() !== "");
  if (lines.length === 0) return [];
  try {
    return lines.map((l) => parseJson<T>(l));
  } catch {
    return [parseJson<T>(text)];
  }
}

/** Numbers beyond 2^53 lose digits in `JSON.parse`; the wall clock's start must not. */
export function startUnix(json: string): bigint | null {
  const m = /"start_unix"\s*:\s*"?(\d+)/.exec(json);
  return m ? BigInt(m[1]!) : null;
}
