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
