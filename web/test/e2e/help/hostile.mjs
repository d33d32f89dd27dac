// Traces that nobody's program writes: names full of markup, ids at the limits of their types, names
// of a million characters, files that are cut or damaged. All are made of recorded ones.

import { readFileSync, writeFileSync } from "node:fs";
import { recorded, run, temporary } from "./gotrail.mjs";

export const NAMES = {
  function: "<script>document.title='pwned'</script><img src=x onerror=alert(1)>",
  task: "</td><svg onload=alert(2)>",
  region: "javascript:alert(3)//<b>bold</b>&lt;",
  log: "<style>*{display:none}</style>=HYPERLINK(\"http://evil\")",
  long: `${"long".repeat(250)}</h2>`,
};
export const GO = "9223372036854775807";
export const TASK = "9223372036854775806";

/** A trace of Go 1.26 with such names and ids: its text form is changed, and made a trace again. */
export function hostile() {
  const text = temporary("hostile.txt");
  const out = temporary("hostile.trace");
  run("convert", "--force", "-o", text, recorded("annotations"));
  let t = readFileSync(text, "utf8").replace(/^# widths.*\n/gm, "");
  const names = { "main.main.func2": NAMES.function, step: NAMES.task, outer: NAMES.region, order: NAMES.long };
  for (const [from, to] of Object.entries(names)) t = replace(t, `data=${JSON.stringify(from)}`, `data=${JSON.stringify(to)}`);
  // What a task of the third goroutine logs.
  const value = /task=5 key_string=\d+ value_string=(\d+)/.exec(t)[1];
  t = t.replace(new RegExp(`(String id=${value}\n\tdata=).*`), (_, head) => head + JSON.stringify(NAMES.log));
  t = replace(replace(t, /\b(new_g|g)=8\b/g, `$1=${GO}`), /\btask=5\b/g, `task=${TASK}`);
  writeFileSync(text, sized(t));
  run("convert", "--force", "-o", out, text);
  return out;
}

function replace(text, from, to) {
  const out = text.replaceAll(from, to);
  if (out === text) throw new Error(`the recorded trace has no ${from}`);
  return out;
}

/** Batches say how long they are: what stands in them has changed. */
function sized(text) {
  const lines = text.split("\n");
  let head = -1;
  let size = 0;
  const varint = (n) => {
    let bytes = 1;
    for (let rest = BigInt(n) >> 7n; rest > 0n; rest >>= 7n) bytes++;
    return bytes;
  };
  const close = () => head >= 0 && (lines[head] = lines[head].replace(/size=\d+/, `size=${size}`));
  lines.forEach((line, i) => {
    if (/^(EventBatch|EndOfGeneration)/.test(line)) {
      close();
      head = line.startsWith("EventBatch") ? i : -1;
      size = 0;
    } else if (line.startsWith("\tdata=")) {
      const n = Buffer.byteLength(JSON.parse(line.slice(6).replace(/\\x../g, "x")));
      size += varint(n) + n;
    } else if (head >= 0 && line !== "") {
      if (!line.startsWith("\t")) size++;
      for (const m of line.matchAll(/=(\d+)/g)) size += varint(m[1]);
    }
  });
  close();
  return lines.join("\n");
}

/** A trace of Go 1.21, whose strings may be of any length, with the name of a region a million characters long. */
export function endless() {
  const out = temporary("endless.trace");
  const old = readFileSync(recorded("annotations", "go1.21"));
  const at = old.indexOf("\x05outer", 0, "latin1");
  const n = 1_000_000;
  writeFileSync(out, Buffer.concat([old.subarray(0, at), Buffer.from([(n & 127) | 128, ((n >> 7) & 127) | 128, n >> 14]), Buffer.alloc(n, "<b>"), old.subarray(at + 6)]));
  return out;
}

/** The first part of a trace. */
export function cutShort(trace, part) {
  const out = temporary("cut.trace");
  const whole = readFileSync(trace);
  writeFileSync(out, whole.subarray(0, Math.floor(whole.length * part)));
  return out;
}

/** A trace with noise in the middle. */
export function damaged(trace) {
  const out = temporary("damaged.trace");
  const bytes = readFileSync(trace);
  bytes.fill(0xff, Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.5) + 400);
  writeFileSync(out, bytes);
  return out;
}
