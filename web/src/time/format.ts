// Times and other numbers as people read them. Three significant digits on the screen, everything
// in tooltips and copies.

const UNITS: [string, number][] = [
  ["ns", 1],
  ["µs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
];

function digits3(x: number): string {
  const a = Math.abs(x);
  if (a >= 100 || a === 0) return x.toFixed(0);
  if (a >= 10) return x.toFixed(1);
  return x.toFixed(2);
}

/** A length of time with three significant digits: `4.21 ms`. Minutes and hours as `3m 12s`. */
export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined || !Number.isFinite(ns)) return "–";
  const a = Math.abs(ns);
  if (a >= 6e10) {
    const s = Math.round(a / 1e9);
    const h = Math.floor(s / 3600);
    const m = Math.floor((s % 3600) / 60);
    const text = h > 0 ? `${h}h ${m}m` : `${m}m ${s % 60}s`;
    return ns < 0 ? `−${text}` : text;
  }
  if (a < 999.5) return `${Math.round(ns)} ns`;
  // The unit is chosen after rounding, so that 999,999 ns is 1.00 ms and not 1000 µs.
  let u = 1;
  while (u < UNITS.length - 1 && a / UNITS[u]![1] >= 999.5) u++;
  const [name, size] = UNITS[u]!;
  return `${digits3(ns / size)} ${name}`;
}

/** Every digit: `4,210,388 ns`. */
export function exact(ns: number | null | undefined): string {
  return ns === null || ns === undefined ? "unknown" : `${count(ns)} ns`;
}

/** A whole number in groups of three. */
export function count(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  const s = Math.round(Math.abs(n)).toString();
  let out = "";
  for (let i = 0; i < s.length; i++) {
    if (i > 0 && (s.length - i) % 3 === 0) out += ",";
    out += s[i];
  }
  return n < 0 ? `−${out}` : out;
}

/** `1 span`, `2,951 spans`. */
export function plural(n: number, one: string, many: string): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A share of one as per cent. */
export function percent(x: number | null | undefined): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  const p = x * 100;
  if (p === 0) return "0 %";
  if (Math.abs(p) < 0.1) return "<0.1 %";
  return `${p.toFixed(Math.abs(p) < 10 ? 1 : 0)} %`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let u = 0;
  while (u < names.length - 1 && Math.abs(n) >= 1023.5) {
    n /= 1024;
    u++;
  }
  return u === 0 ? `${n} B` : `${digits3(n)} ${names[u]}`;
}

/** The distance between ticks for which at most `most` fit in `span`: 1, 2 or 5 times a power of ten. */
export function tickStep(span: number, most: number): number {
  const raw = Math.max(span / Math.max(1, most), 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  for (const m of [1, 2, 5, 10]) if (m * power >= raw * (1 - 1e-9)) return m * power;
  return 10 * power;
}

/** A moment after the start, with just the digits that tell ticks `step` ns apart from each other. */
export function offset(t: number, step: number): string {
  const sign = t < 0 ? "−" : "";
  t = Math.abs(t);
  if (step >= 1e9 || (t >= 6e10 && step >= 1e6)) {
    const s = t / 1e9;
    if (t < 6e10) return `${sign}${s.toFixed(0)} s`;
    const m = Math.floor(s / 60);
    const decimals = Math.max(0, Math.ceil(9 - Math.log10(step) - 1e-9));
    return `${sign}${m}m ${(s - m * 60).toFixed(Math.min(9, decimals))}s`;
  }
  let u = UNITS.length - 1;
  // The largest unit in which the time is at least one, so that a deep zoom far from the start
  // still says where it is.
  while (u > 0 && t < UNITS[u]![1]) u--;
  const [name, size] = UNITS[u]!;
  const decimals = Math.max(0, Math.min(9, Math.ceil(Math.log10(size / step) - 1e-9)));
  return `${sign}${(t / size).toFixed(decimals)} ${name}`;
}

/** The same as wall-clock time. `startUnix` is a decimal string: it is beyond 2^53. */
export function clock(t: number, startUnix: bigint, step: number): string {
  const at = startUnix + BigInt(Math.round(t));
  const second = at / 1_000_000_000n;
  const nanos = at % 1_000_000_000n;
  const iso = new Date(Number(second) * 1000).toISOString();
  const hms = iso.slice(11, 19);
  const decimals = Math.max(0, Math.min(9, Math.ceil(9 - Math.log10(Math.max(step, 1)) - 1e-9)));
  return decimals === 0 ? hms : `${hms}.${nanos.toString().padStart(9, "0").slice(0, decimals)}`;
}

/** The full wall-clock time, as RFC 3339. */
export function clockFull(t: number, startUnix: bigint): string {
  const at = startUnix + BigInt(Math.round(t));
  const iso = new Date(Number(at / 1_000_000_000n) * 1000).toISOString();
  return `${iso.slice(0, 19)}.${(at % 1_000_000_000n).toString().padStart(9, "0")}Z`;
}

const SIZES: Record<string, number> = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };

/** Reads `1.5s`, `20ms`, `1m3s`, `100` (ns). `null` if it is none of these. */
export function parseDuration(text: string): number | null {
  text = text.trim();
  if (/^\d+$/.test(text)) return Number(text);
  let total = 0;
  let rest = text;
  while (rest) {
    const m = /^(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|m|h)\s*/.exec(rest);
    if (!m) return null;
    total += Number(m[1]) * SIZES[m[2]!]!;
    rest = rest.slice(m[0].length);
  }
  return text === "" ? null : Math.round(total);
}

/** Long names lose their middle: both ends of a Go symbol say something. */
export function cut(text: string, most = 200): string {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) * 0.5);
  const tail = most - 1 - head;
  return `${text.slice(0, head)}…${text.slice(text.length - tail)}`;
}

/** A function without the path of its package: `net/http.(*conn).serve` is `http.(*conn).serve`. */
export function short(name: string): string {
  const bracket = name.indexOf("[");
  const head = bracket < 0 ? name : name.slice(0, bracket);
  const slash = head.lastIndexOf("/");
  return cut(slash < 0 ? name : name.slice(slash + 1), 120);
}
