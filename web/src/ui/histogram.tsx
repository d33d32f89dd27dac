// A histogram over powers of two. With `onBrush` a range of it can be chosen by dragging, or with
// the arrow keys.

import { useRef, useState } from "preact/hooks";
import { count, duration } from "../time/format.js";

export interface Bucket {
  /** The first value that is no longer in it. */
  upto: number;
  from: number;
  count: number;
}

/** Buckets from values: by half powers of two if they differ much, and else of equal width. */
export function buckets(values: number[]): Bucket[] {
  if (values.length === 0) return [];
  let min = Infinity;
  let max = -Infinity;
  for (const v of values) {
    min = Math.min(min, v);
    max = Math.max(max, v);
  }
  if (max < Math.max(1, min) * 12) return even(values, Math.floor(min), Math.floor(max) + 1, Math.min(40, Math.max(1, Math.floor(max) - Math.floor(min) + 1)));
  const index = (v: number) => (v < 1 ? 0 : Math.floor(Math.log2(v) * 2) + 1);
  const first = index(min);
  const out: Bucket[] = [];
  for (let i = first; i <= index(max); i++) out.push({ from: i === 0 ? 0 : 2 ** ((i - 1) / 2), upto: 2 ** (i / 2), count: 0 });
  for (const v of values) out[index(v) - first]!.count++;
  return closed(out);
}

/** What is next to nothing, and then for long nothing: the empty buckets between would take all the room. */
export function closed(buckets: Bucket[]): Bucket[] {
  const next = buckets.findIndex((b, i) => i > 0 && b.count > 0);
  if (next <= 2 || buckets[0]!.from > 0) return buckets;
  return [{ ...buckets[0]!, upto: buckets[next - 1]!.from }, ...buckets.slice(next - 1)];
}

function even(values: number[], from: number, upto: number, n: number): Bucket[] {
  const width = (upto - from) / n;
  const out = Array.from({ length: n }, (_, i): Bucket => ({ from: from + i * width, upto: from + (i + 1) * width, count: 0 }));
  for (const v of values) out[Math.min(n - 1, Math.floor((v - from) / width))]!.count++;
  return out;
}

interface Props {
  buckets: Bucket[];
  what: string;
  chosen?: [number, number] | null;
  onBrush?: (range: [number, number] | null) => void;
  height?: number;
}

export function Histogram({ buckets, what, chosen, onBrush, height = 84 }: Props) {
  const box = useRef<SVGSVGElement>(null);
  const [start, setStart] = useState<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  if (buckets.length === 0) return <p class="empty">Nothing to count.</p>;
  const n = buckets.length;
  const most = Math.max(1, ...buckets.map((b) => b.count));
  const W = 100 / n;
  const at = (e: PointerEvent) => {
    const b = box.current!.getBoundingClientRect();
    return Math.max(0, Math.min(n - 1, Math.floor(((e.clientX - b.left) / b.width) * n)));
  };
  const inside = (b: Bucket) => !chosen || (b.from < chosen[1] && b.upto > chosen[0]);
  const brush = (a: number, b: number) => onBrush?.([buckets[Math.min(a, b)]!.from, buckets[Math.max(a, b)]!.upto]);
  const say = hover === null ? null : buckets[hover]!;
  const onKey = (e: KeyboardEvent) => {
    if (!onBrush) return;
    const i = chosen ? buckets.findIndex((b) => b.upto > chosen[0]) : -1;
    if (e.key === "Escape") onBrush(null);
    else if (e.key === "ArrowRight") brush(Math.min(n - 1, i + 1), n - 1);
    else if (e.key === "ArrowLeft") brush(Math.max(0, i - 1), n - 1);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="histogram">
      <svg ref={box} viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" height={height} tabIndex={onBrush ? 0 : undefined} role="img"
        aria-label={`${what}, from ${duration(buckets[0]!.from)} to ${duration(buckets[n - 1]!.upto)}${onBrush ? ". Arrows move the lower bound, Escape takes it away" : ""}`}
        onKeyDown={onKey}
        onPointerDown={(e) => { if (onBrush) { e.currentTarget.setPointerCapture(e.pointerId); setStart(at(e)); brush(at(e), at(e)); } }}
        onPointerMove={(e) => { setHover(at(e)); if (start !== null) brush(start, at(e)); }}
        onPointerUp={() => setStart(null)}
        onPointerLeave={() => setHover(null)}
        onDblClick={() => onBrush?.(null)}>
        {buckets.map((b, i) => {
          // Square roots: a few slow ones are what is looked for among thousands of fast ones.
          const h = b.count === 0 ? 0 : Math.max(1.5, Math.sqrt(b.count / most) * (height - 4));
          return <rect key={i} class={`${inside(b) ? "in" : "out"} ${hover === i ? "hover" : ""}`} x={i * W + W * 0.06} width={W * 0.88} y={height - h} height={h} />;
        })}
      </svg>
      <div class="scale"><span>{duration(buckets[0]!.from)}</span><span class="middle">{say ? `${count(say.count)} from ${duration(say.from)} to ${duration(say.upto)}` : what}</span><span>{duration(buckets[n - 1]!.upto)}</span></div>
    </div>
  );
}
