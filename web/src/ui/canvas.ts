// A canvas of its own pixels, however many the screen has for one of the page's.

/** Makes a canvas this large in the page's pixels, and returns what draws text of the page's kind on it. */
export function prepare(el: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1;
  el.width = Math.round(width * ratio);
  el.height = Math.round(height * ratio);
  el.style.height = `${height}px`;
  const ctx = el.getContext("2d")!;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.font = "11px ui-sans-serif, system-ui, sans-serif";
  ctx.textBaseline = "middle";
  return ctx;
}

let pattern: CanvasPattern | null = null;

/** The hatch of states that are told apart by more than a colour, to be drawn over it. */
export function stripes(ctx: CanvasRenderingContext2D): CanvasPattern {
  if (pattern) return pattern;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const t = tile.getContext("2d")!;
  t.fillStyle = "rgba(0,0,0,.22)";
  for (let y = 0; y < 6; y++) for (let x = 0; x < 6; x++) if ((x + y) % 6 > 3) t.fillRect(x, y, 1, 1);
  return (pattern = ctx.createPattern(tile, "repeat")!);
}
