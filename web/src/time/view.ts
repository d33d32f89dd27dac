// What part of the trace is on the screen, and how it moves. Pure functions of plain numbers.

export interface View {
  from: number;
  to: number;
}

/** The narrowest view: below this, a nanosecond is wider than anyone needs. */
export const NARROWEST = 50;

/** Keeps a view inside the trace, with a little air at both ends, and its width between limits. */
export function clamp(v: View, duration: number): View {
  const widest = Math.max(duration, NARROWEST) * 1.1;
  const air = 0.5;
  let width = Math.min(Math.max(v.to - v.from, NARROWEST), widest);
  if (!Number.isFinite(width)) width = widest;
  let from = v.from + (v.to - v.from - width) / 2;
  if (!Number.isFinite(from)) from = 0;
  // At least half of the view stays over the trace.
  from = Math.min(Math.max(from, -width * air), duration - width * (1 - air));
  if (width >= duration) from = Math.min(Math.max(from, duration - width), 0);
  return { from, to: from + width };
}

/** The view as `clamp` has it, if it is not so yet; `outside` if it has nothing of the trace. */
export function within(v: View, duration: number): View | "outside" | null {
  if (v.to <= 0 || v.from >= duration) return "outside";
  const c = clamp(v, duration);
  return Math.abs(c.from - v.from) < 1 && Math.abs(c.to - v.to) < 1 ? null : c;
}

/** Zooms by `factor` (below one: closer) and keeps the moment at `anchor` where it is. */
export function zoom(v: View, factor: number, anchor: number, duration: number): View {
  const width = v.to - v.from;
  const wanted = Math.min(Math.max(width * factor, NARROWEST), Math.max(duration, NARROWEST) * 1.1);
  const k = wanted / width;
  return clamp({ from: anchor - (anchor - v.from) * k, to: anchor + (v.to - anchor) * k }, duration);
}

export function pan(v: View, by: number, duration: number): View {
  return clamp({ from: v.from + by, to: v.to + by }, duration);
}

/** A view of an interval with air around it. */
export function fit(from: number, to: number, duration: number, air = 0.1): View {
  const width = Math.max(to - from, NARROWEST / 2);
  return clamp({ from: from - width * air, to: from + width * (1 + air) }, duration);
}

/** The whole trace, edge to edge. */
export function whole(duration: number): View {
  return { from: 0, to: Math.max(duration, NARROWEST) };
}

/** Moves the view as little as possible so that the interval is seen; zooms only if it would be
 * invisible or does not fit. */
export function reveal(v: View, from: number, to: number, duration: number): View {
  const width = v.to - v.from;
  const length = to - from;
  if (length > width || length < width / 200) return fit(from, to, duration, 1);
  if (from >= v.from && to <= v.to) return v;
  const middle = (from + to) / 2;
  return clamp({ from: middle - width / 2, to: middle + width / 2 }, duration);
}

/** Moves the view, without zooming, so that a moment is seen and not at the very edge. */
export function revealMoment(v: View, t: number, duration: number): View {
  const width = v.to - v.from;
  if (t >= v.from + width * 0.02 && t <= v.to - width * 0.02) return v;
  return clamp({ from: t - width / 2, to: t + width / 2 }, duration);
}

/** The view between two, for animation: widths change by ratio, so that zooming looks even. */
export function between(a: View, b: View, k: number): View {
  const wa = a.to - a.from;
  const wb = b.to - b.from;
  const w = wa * (wb / wa) ** k;
  // The share of the way that the middle has gone follows the width, or it would seem to swerve.
  const p = Math.abs(wb - wa) < wa * 1e-6 ? k : (w - wa) / (wb - wa);
  const ma = a.from + wa / 2;
  const mb = b.from + wb / 2;
  const m = ma + (mb - ma) * p;
  return { from: m - w / 2, to: m + w / 2 };
}
