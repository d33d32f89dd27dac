// The pixels of a screenshot. Browsers write 8-bit RGB or RGBA, not interlaced: nothing else is read.

import { inflateSync } from "node:zlib";

export function decodePng(file) {
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const n = { 2: 3, 6: 4 }[file[25]];
  if (file[24] !== 8 || !n) throw new Error("not a screenshot");
  const parts = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * n;
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= n ? out[y * stride + x - n] : 0;
      const up = y > 0 ? out[(y - 1) * stride + x] : 0;
      const corner = x >= n && y > 0 ? out[(y - 1) * stride + x - n] : 0;
      const p = left + up - corner;
      const paeth = Math.abs(p - left) <= Math.abs(p - up) && Math.abs(p - left) <= Math.abs(p - corner) ? left : Math.abs(p - up) <= Math.abs(p - corner) ? up : corner;
      out[y * stride + x] = raw[y * (stride + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth][filter];
    }
  }
  return { width, height, at: (x, y) => [...out.subarray(y * stride + x * n, y * stride + x * n + 3)] };
}
