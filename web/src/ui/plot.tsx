// uPlot as a component.

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../state.js";

export interface Line {
  label: string;
  light: string;
  dark: string;
  dash?: number[];
  fill?: boolean;
  stepped?: boolean;
}

const POWERS = Array.from({ length: 50 }, (_, i) => 2 ** i);

interface Props {
  x: number[];
  ys: (number | null)[][];
  lines: Line[];
  height?: number;
  logX?: boolean;
  showX: (v: number) => string;
  showY: (v: number) => string;
  rangeY?: [number, number];
  /** Ticks at powers of two: the axis has bytes. */
  binary?: boolean;
  what: string;
  onRange?: (from: number, to: number) => void;
}

export function Plot({ x, ys, lines, height = 220, logX, showX, showY, rangeY, binary, what, onRange }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const el = box.current!;
    let plot: uPlot | null = null;
    const make = () => {
      plot?.destroy();
      const dark = theme.value === "dark";
      const ink = dark ? "#93a0b2" : "#5c6673";
      const grid = { stroke: dark ? "#232a35" : "#e6eaef", width: 1 };
      const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font: "11px ui-sans-serif, system-ui, sans-serif" };
      plot = new uPlot({
        width: Math.max(200, el.clientWidth),
        height,
        scales: { x: { time: false, ...(logX ? { distr: 3, log: 10 } : {}) }, y: rangeY ? { range: () => rangeY } : { range: (_u, _min, max) => [0, max > 0 ? max * 1.05 : 1] } },
        axes: [
          // A tick of a logarithmic axis without a name has the value null.
          { ...axis, size: 28, values: (_u, v) => v.map((n) => (n === null ? "" : showX(n))) },
          { ...axis, size: 62, ...(binary ? { incrs: POWERS } : {}), values: (_u, v) => v.map((n) => (n === null ? "" : showY(n))) },
        ],
        series: [
          { label: "at", value: (_u, v) => (v === null ? "–" : showX(v)) },
          ...lines.map((l) => ({
            label: l.label, stroke: dark ? l.dark : l.light, width: 1.5, dash: l.dash, fill: l.fill ? `${dark ? l.dark : l.light}2a` : undefined, points: { show: false },
            paths: l.stepped ? uPlot.paths.stepped!({ align: 1 }) : undefined, value: (_u: uPlot, v: number | null) => (v === null ? "–" : showY(v)), spanGaps: true,
          } as uPlot.Series)),
        ],
        cursor: { drag: { x: onRange !== undefined, y: false, setScale: false } },
        hooks: {
          setSelect: [(u) => {
            if (u.select.width > 3) onRange?.(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          }],
        },
      }, [x, ...ys] as uPlot.AlignedData, el);
    };
    const stop = effect(make);
    const size = new ResizeObserver(() => plot?.setSize({ width: Math.max(200, el.clientWidth), height }));
    size.observe(el);
    return () => {
      stop();
      size.disconnect();
      plot?.destroy();
    };
  }, [x, ys, height]);
  return <div class="plot" ref={box} role="img" aria-label={what} />;
}
