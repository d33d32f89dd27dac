// Writes tiles as docs/api.md says: for the mock server, and for the tests of the decoder.

const BINS = 256, S = 10;
const pad8 = (n) => (n + 7) & ~7;

/** Lanes: `null`, `{counts, shares}` or `{spans: [{from, to, go, label, state}]}`. */
export function encodeTile(lanes, complete) {
  let size = 16;
  for (const l of lanes) {
    size += 8;
    if (l?.counts) size += pad8(4 * BINS) + pad8(S * BINS);
    else if (l?.spans) size += 24 * l.spans.length + pad8(4 * l.spans.length) + pad8(l.spans.length);
  }
  const buffer = new ArrayBuffer(size);
  const v = new DataView(buffer);
  v.setUint32(0, 0x31545447, true);
  v.setUint32(4, lanes.length, true);
  v.setUint32(8, complete ? 1 : 0, true);
  v.setUint32(12, S, true);
  let at = 16;
  for (const l of lanes) {
    const kind = l?.counts ? 1 : l?.spans ? 2 : 0;
    const n = kind === 1 ? BINS : kind === 2 ? l.spans.length : 0;
    v.setUint32(at, kind, true);
    v.setUint32(at + 4, n, true);
    at += 8;
    if (kind === 1) {
      for (let i = 0; i < BINS; i++) v.setFloat32(at + 4 * i, l.counts[i], true);
      at += pad8(4 * BINS);
      new Uint8Array(buffer, at, S * BINS).set(l.shares);
      at += pad8(S * BINS);
    } else if (kind === 2) {
      l.spans.forEach((s, i) => {
        v.setFloat64(at + 8 * i, s.from, true);
        v.setFloat64(at + 8 * (n + i), s.to, true);
        v.setFloat64(at + 8 * (2 * n + i), s.go, true);
        v.setUint32(at + 24 * n + 4 * i, s.label, true);
        v.setUint8(at + 24 * n + pad8(4 * n) + i, s.state);
      });
      at += 24 * n + pad8(4 * n) + pad8(n);
    }
  }
  return buffer;
}

const CHUNK = 2 ** 26;
/** Spans cut at even moments and sorted into drawers, so that sums of a short time are quick. */
export function chunked(spans) {
  const out = [];
  for (const s of spans) {
    for (let c = Math.floor(s.from / CHUNK); c * CHUNK < s.to; c++) {
      (out[c] ??= []).push({ from: Math.max(s.from, c * CHUNK), to: Math.min(s.to, (c + 1) * CHUNK), state: s.state });
    }
  }
  return out;
}

/** One lane of one tile from spans in the order of their beginning: spans if they are few, else shares. */
export function laneOf(spans, level, index, chunks = null, until = Infinity) {
  if (!spans) return null;
  const bin = 2 ** level, t0 = index * bin * BINS, t1 = t0 + bin * BINS;
  if (!chunks) {
    const few = [];
    for (const s of spans) {
      if (s.from >= t1) break;
      if (s.to > t0) few.push(s);
      if (few.length > 512) break;
    }
    if (few.length <= 512) return { spans: few };
  }
  const sums = new Float64Array(BINS * S);
  const some = chunks ? chunks.slice(Math.floor(t0 / CHUNK), Math.ceil(Math.min(t1, until) / CHUNK)).flat() : spans;
  for (const s of some) {
    if (!s || s.from >= t1 || s.to <= t0) continue;
    const a = Math.max(s.from, t0), b = Math.min(s.to, t1, until);
    if (a >= b) continue;
    for (let i = Math.floor((a - t0) / bin); i < BINS && t0 + i * bin < b; i++) {
      sums[i * S + s.state] += Math.min(b, t0 + (i + 1) * bin) - Math.max(a, t0 + i * bin);
    }
  }
  const counts = new Float32Array(BINS), shares = new Uint8Array(BINS * S);
  for (let i = 0; i < BINS; i++) {
    let sum = 0;
    for (let s = 0; s < S; s++) sum += sums[i * S + s];
    counts[i] = sum / bin;
    if (sum === 0) continue;
    // Largest remainders, so that the parts are 255 together.
    let left = 255;
    const rest = [];
    for (let s = 0; s < S; s++) {
      const x = (sums[i * S + s] / sum) * 255;
      shares[i * S + s] = Math.floor(x);
      left -= Math.floor(x);
      rest.push([x - Math.floor(x), s]);
    }
    rest.sort((p, q) => q[0] - p[0]);
    for (let k = 0; k < left; k++) shares[i * S + rest[k][1]]++;
  }
  return { counts, shares };
}
