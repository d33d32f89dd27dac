// The timeline in Canvas 2D, for browsers without WebGL2. The same picture, a few times slower.

import { STACKED, statesPacked, WORKING, type Theme } from "../palette.js";
import type { Entry } from "../tiles/cache.js";
import { BINS } from "../tiles/decode.js";
import { MODE_SHARES, MODE_WORKING, type Renderer } from "./render.js";

export class CanvasRenderer implements Renderer {
  readonly name = "Canvas 2D";
  private ctx: CanvasRenderingContext2D;
  private theme: Theme = "dark";
  private css = new Map<number, string>();
  private clipped = false;

  constructor(private canvas: HTMLCanvasElement) {
    this.ctx = canvas.getContext("2d")!;
  }

  begin(width: number, height: number, ratio: number, theme: Theme): void {
    const w = Math.max(1, Math.round(width * ratio));
    const h = Math.max(1, Math.round(height * ratio));
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.theme = theme;
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ctx.clearRect(0, 0, width, height);
  }

  clip(top: number, bottom: number): void {
    if (this.clipped) this.ctx.restore();
    this.ctx.save();
    this.ctx.beginPath();
    this.ctx.rect(0, top, 1e5, bottom - top);
    this.ctx.clip();
    this.clipped = true;
  }

  private style(colour: number): string {
    let s = this.css.get(colour);
    if (!s) {
      s = `rgba(${colour & 255},${(colour >> 8) & 255},${(colour >> 16) & 255},${((colour >>> 24) / 255).toFixed(2)})`;
      this.css.set(colour, s);
    }
    return s;
  }

  shares(entry: Entry, tileX: number, tileWidth: number, x0: number, x1: number, y: number, height: number, mode: number, gain: number): void {
    const tile = entry.tile;
    if (tile.kind !== "shares") return;
    const colours = statesPacked(this.theme);
    const bin = tileWidth / BINS;
    const first = Math.max(0, Math.floor((x0 - tileX) / bin));
    const last = Math.min(BINS - 1, Math.ceil((x1 - tileX) / bin) - 1);
    const most = mode === MODE_WORKING ? WORKING : STACKED.length;
    for (let k = 0; k < most; k++) {
      const s = STACKED[k]!;
      this.ctx.fillStyle = this.style(colours[s]!);
      for (let i = first; i <= last; i++) {
        const share = tile.shares[i * tile.states + s]!;
        if (share === 0) continue;
        let below = 0;
        for (let j = 0; j < k; j++) below += tile.shares[i * tile.states + STACKED[j]!]!;
        const full = (mode === MODE_SHARES ? Math.min(1, tile.counts[i]!) : tile.counts[i]! * gain) * height;
        const bottom = (below / 255) * full;
        const size = Math.min((share / 255) * full, height - bottom);
        if (size <= 0) continue;
        const left = Math.max(x0, tileX + i * bin);
        this.ctx.fillRect(left, y + height - bottom - size, Math.min(x1, tileX + (i + 1) * bin) - left, size);
      }
    }
  }

  rect(x0: number, x1: number, y: number, height: number, colour: number, hatch: boolean): void {
    const ctx = this.ctx;
    ctx.fillStyle = this.style(colour);
    const w = Math.max(x1 - x0, 0.3);
    ctx.fillRect(x0, y, w, height);
    if (hatch && w > 6) {
      ctx.fillStyle = "rgba(0,0,0,.2)";
      for (let x = Math.floor(x0 / 6) * 6; x < x1; x += 6) if (x >= x0) ctx.fillRect(x, y, 2, height);
    }
  }

  end(): void {
    if (this.clipped) this.ctx.restore();
    this.clipped = false;
  }

  forget(): void {}
}

