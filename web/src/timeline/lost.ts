// Where parts of the trace are missing, as boxes on an axis of time. What is lost may have no length,
// as the rest of a file that was cut off has none: it is seen all the same.

import { LOST, type Theme } from "../palette.js";

export const LEAST = 10;

export interface LossBox {
  x0: number;
  x1: number;
  /** Too short to be seen as long as it is: a cap stands for it. */
  cap: boolean;
  /** The trace ends with it. */
  end: boolean;
}

/** The box of a loss; `x` is where a moment is. A cap keeps within the trace. */
export function lossBox(loss: { from: number; to: number }, duration: number, x: (t: number) => number): LossBox {
  const end = loss.to >= duration - 1;
  const x0 = x(loss.from);
  const x1 = x(loss.to);
  if (x1 - x0 >= LEAST) return { x0, x1, cap: false, end };
  const most = Math.max(x(duration) - LEAST, x(0));
  const a = Math.min(Math.max((x0 + x1 - LEAST) / 2, x(0)), most);
  return { x0: a, x1: a + LEAST, cap: true, end };
}

/** Hatched, so that it is no lane's colour, from top to bottom. */
export function drawLoss(ctx: CanvasRenderingContext2D, box: LossBox, width: number, height: number, theme: Theme): void {
  const a = Math.max(0, box.x0);
  const b = Math.min(width, box.x1);
  if (b <= a) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(Math.floor(a), 0, Math.ceil(b - a) + 1, height);
  ctx.clip();
  ctx.fillStyle = ctx.strokeStyle = LOST[theme];
  ctx.globalAlpha = box.cap ? 0.22 : 0.1;
  ctx.fillRect(a, 0, b - a, height);
  ctx.globalAlpha = box.cap ? 1 : 0.55;
  ctx.lineWidth = box.cap ? 2 : 1.5;
  const gap = box.cap ? 7 : 12;
  ctx.beginPath();
  // The stripes hang on the loss, not on the canvas: they move with it.
  for (let y = -(b - a) - gap; y < height + gap; y += gap) {
    ctx.moveTo(a, y + (b - a));
    ctx.lineTo(b, y);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
  // On whole pixels, or the edges would be pale.
  if (box.x0 >= 0) ctx.fillRect(Math.round(a), 0, 2, height);
  if (box.x1 <= width) ctx.fillRect(Math.round(b) - 2, 0, 2, height);
  ctx.restore();
}
