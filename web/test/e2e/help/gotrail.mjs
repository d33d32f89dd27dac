// The program under test: its viewer, and its commands, whose figures the screen must show.
// GOTRAIL is its path.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

const root = new URL("../../../..", import.meta.url).pathname;
export const GOTRAIL = resolve(process.env.GOTRAIL ?? join(root, "target/debug/gotrail"));
if (!existsSync(GOTRAIL)) throw new Error(`there is no ${GOTRAIL}: build it, or set GOTRAIL to the path of gotrail`);

const made = mkdtempSync(join(tmpdir(), "gotrail-e2e-"));
process.on("exit", () => rmSync(made, { recursive: true, force: true }));

/** A place for a file that goes away with the tests. */
export function temporary(name) {
  return join(made, name);
}

/** A recorded trace of the project. */
export function recorded(name, release = "go1.27") {
  return join(root, "testdata/traces", release, `${name}.trace`);
}

/** What a command prints. Its status is 1 where it found something, or a trace is broken. */
export function run(...args) {
  const { status, stdout, stderr } = spawnSync(GOTRAIL, args, { maxBuffer: 1 << 29 });
  if (status !== 0 && !(status === 1 && stdout.length > 0)) throw new Error(`gotrail ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** The trace of a simulated program: the same arguments give the same bytes. */
export function synth(name, ...args) {
  const path = temporary(name);
  if (!existsSync(path)) run("synth", "-o", path, ...args);
  return path;
}

/** The trace that most tests look at: requests with tasks, regions and logs, coroutines, cgo, GC, CPU samples. */
export function mixed() {
  return synth("mixed.trace", "--profile", "mixed", "--events", "60000", "--generations", "3", "--goroutines", "60", "--seed", "7");
}

/** The JSON answer of a command, as an array of objects. */
export function ask(trace, command, ...args) {
  const text = run(command, ...args, "--json", trace).toString();
  const lines = text.split("\n").filter((l) => l.trim() !== "");
  try {
    return lines.map((l) => JSON.parse(l));
  } catch {
    return [JSON.parse(text)];
  }
}

/** `gotrail view`, and where it listens. `input` makes the stream for standard input. */
export async function view(trace, { args = [], input } = {}) {
  const child = spawn(GOTRAIL, ["view", "--no-open", ...args, basename(trace)], { cwd: trace === "-" ? "/" : dirname(trace), stdio: [input ? "pipe" : "ignore", "pipe", "pipe"], env: { ...process.env, XDG_CACHE_HOME: made } });
  const over = new Promise((done) => child.once("exit", done));
  let said = "";
  if (input) {
    input().pipe(child.stdin);
  }
  const url = await new Promise((done, reject) => {
    const look = (data) => {
      said += data;
      const m = /http:\/\/\S+/.exec(said);
      if (m) done(m[0]);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`gotrail view ended with ${code}: ${said}`)));
  });
  return {
    url,
    trace,
    /** An answer of the server's API. */
    api: async (path) => (await fetch(new URL(`api/${path}`, url))).json(),
    close: async () => {
      child.kill();
      await over;
    },
  };
}
