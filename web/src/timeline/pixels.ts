// The timeline without a graphics card: pixels are computed here, and put into a 2D canvas at once.
// Software that imitates WebGL takes ten times as long, and so does Canvas 2D, rectangle by rectangle.

import { paint, STACKED, STATE, STATES, WORKING, type Paint, type Theme } from "../palette.js";
import type { Entry } from "../tiles/cache.js";
import { BINS } from "../tiles/decode.js";
import { MODE_SHARES, MODE_WORKING, type Renderer } from "./render.js";

const HATCH = 6;

/** A colour 22% darker, for the stripes of a hatch. */
export function darker(c: number): number {
  return ((c & 0xff000000) | (((c >> 16) & 255) * 0.78) << 16 | (((c >> 8) & 255) * 0.78) << 8 | ((c & 255) * 0.78)) >>> 0;
}

/** `c` over what is there, covering it by `a` of 255. Colours are 0xAABBGGRR, not premultiplied. */
export function over(under: number, c: number, a: number): number {
  const ua = under >>> 24;
  if (ua === 0) return ((c & 0xffffff) | (a << 24)) >>> 0;
  const b = 255 - a;
  const r = ((c & 255) * a + (under & 255) * b) / 255;
  const g = (((c >> 8) & 255) * a + ((under >> 8) & 255) * b) / 255;
  const l = (((c >> 16) & 255) * a + ((under >> 16) & 255) * b) / 255;
  return ((Math.max(ua, a) << 24) | (l << 16) | (g << 8) | r) >>> 0;
}

export class PixelRenderer implements Renderer {
  readonly name = "pixels in a 2D canvas, as there is no fast WebGL2";
  private ctx: CanvasRenderingContext2D;
  private image: ImageData | null = null;
  private px = new Uint32Array(0);
  private w = 1;
  private h = 1;
  private ratio = 1;
  private top = 0;
  private bottom = 0;
  private colours = new Uint32Array(STATES);
  private dark = new Uint32Array(STATES);
  private painted: Paint | null = null;
  private edges = new Int32Array(STATES + 1);

  constructor(private canvas: HTMLCanvasElement) {
    this.ctx = canvas.getContext("2d", { willReadFrequently: true })!;
  }

  begin(width: number, height: number, ratio: number, theme: Theme): void {
    const w = Math.max(1, Math.round(width * ratio));
    const h = Math.max(1, Math.round(height * ratio));
    if (!this.image || this.w !== w || this.h !== h) {
      this.canvas.width = this.w = w;
      this.canvas.height = this.h = h;
      this.image = this.ctx.createImageData(w, h);
      this.px = new Uint32Array(this.image.data.buffer);
    }
    this.ratio = ratio;
    this.px.fill(0);
    this.top = 0;
    this.bottom = h;
    this.paint(paint(theme, null));
  }

  paint(p: Paint): void {
    if (p === this.painted) return;
    this.painted = p;
    for (let k = 0; k < STATES; k++) {
      this.colours[k] = p[k]!;
      this.dark[k] = STATE[STACKED[k]!]!.hatch ? darker(p[k]!) : p[k]!;
    }
  }

  clip(top: number, bottom: number): void {
    this.top = Math.max(0, Math.round(top * this.ratio));
    this.bottom = Math.min(this.h, Math.round(bottom * this.ratio));
  }

  shares(entry: Entry, tileX: number, tileWidth: number, x0: number, x1: number, y: number, height: number, mode: number, gain: number): void {
    const tile = entry.tile;
    if (tile.kind !== "shares") return;
    const { shares, counts, states } = tile;
    const r = this.ratio;
    const left = Math.max(0, Math.round(x0 * r));
    const right = Math.min(this.w, Math.round(x1 * r));
    const base = Math.round((y + height) * r);
    const full = Math.round(height * r);
    const most = mode === MODE_WORKING ? WORKING : STATES;
    const { px, w, edges, colours, dark } = this;
    let last = -1;
    let drawn = 0;
    for (let x = left; x < right; x++) {
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor((((x + 0.5) / r - tileX) / tileWidth) * BINS)));
      if (bin !== last) {
        last = bin;
        const scale = ((mode === MODE_SHARES ? Math.min(1, counts[bin]!) : counts[bin]! * gain) * full) / 255;
        let sum = 0;
        drawn = 0;
        for (let k = 0; k < most; k++) {
          sum += shares[bin * states + STACKED[k]!]!;
          const edge = Math.min(full, Math.round(sum * scale));
          edges[k] = edge;
          if (edge > 0) drawn = k + 1;
        }
      }
      let from = 0;
      for (let k = 0; k < drawn; k++) {
        const to = edges[k]!;
        if (to <= from) continue;
        const c = colours[k]!;
        const d = dark[k]!;
        const end = Math.max(this.top, base - to);
        for (let row = Math.min(base - from, this.bottom) - 1; row >= end; row--) px[row * w + x] = d !== c && (x + row) % HATCH > 3 ? d : c;
        from = to;
      }
    }
  }

  rect(x0: number, x1: number, y: number, height: number, colour: number, hatch: boolean): void {
    const r = this.ratio;
    const a = Math.max(0, x0 * r);
    const b = Math.min(this.w, x1 * r);
    const y0 = Math.max(this.top, Math.round(y * r));
    const y1 = Math.min(this.bottom, Math.round((y + height) * r));
    if (y1 <= y0 || a >= this.w || b < 0) return;
    const alpha = colour >>> 24;
    const first = Math.floor(a);
    const last = Math.max(first, Math.ceil(b) - 1);
    if (first === last) return this.column(first, y0, y1, colour, alpha * Math.max(0.3, Math.min(1, b - a)));
    this.column(first, y0, y1, colour, alpha * Math.max(0.3, first + 1 - a));
    this.column(last, y0, y1, colour, alpha * Math.max(0.3, b - last));
    if (last - first < 2) return;
    const { px, w } = this;
    if (alpha === 255) {
      const d = hatch ? darker(colour) : colour;
      for (let row = y0; row < y1; row++) {
        if (hatch) for (let x = first + 1; x < last; x++) px[row * w + x] = (x + row) % HATCH > 3 ? d : colour;
        else px.fill(colour, row * w + first + 1, row * w + last);
      }
    } else {
      for (let row = y0; row < y1; row++) for (let i = row * w + first + 1; i < row * w + last; i++) px[i] = over(px[i]!, colour, alpha);
    }
  }

  private column(x: number, y0: number, y1: number, colour: number, alpha: number): void {
    if (x >= this.w) return;
    const a = Math.round(Math.min(255, alpha));
    for (let row = y0; row < y1; row++) this.px[row * this.w + x] = over(this.px[row * this.w + x]!, colour, a);
  }

  end(): void {
    this.ctx.putImageData(this.image!, 0, 0);
  }

  forget(): void {}

  dispose(): void {}
}
