// The pixels of a screenshot, and a smaller file of the same. Browsers write 8-bit RGB or RGBA, not interlaced: nothing else is read.

import { crc32, deflateSync, inflateSync } from "node:zlib";

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
  return { width, height, bytes: n === 3 ? out : Buffer.from(out.filter((_, i) => i % 4 < 3)), at: (x, y) => [...out.subarray(y * stride + x * n, y * stride + x * n + 3)] };
}

/** Packed as well as can be: browsers hurry. Flat colours pack best without a filter, and edges of
 * letters with 32 levels of each colour. */
export function encodePng({ width, height, bytes }) {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width * 3; x++) rows[y * (width * 3 + 1) + 1 + x] = Math.round(Math.round((bytes[y * width * 3 + x] * 31) / 255) * (255 / 31));
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
