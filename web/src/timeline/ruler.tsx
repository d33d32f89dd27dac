// The time axis over the lanes. Dragging on it selects a range.

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import * as state from "../state.js";
import { duration, tickStep } from "../time/format.js";
import { listen } from "./input.js";

export function Ruler() {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current!;
    let frame = 0;
    const draw = () => {
      frame = 0;
      const { width, height } = canvas.getBoundingClientRect();
      const ratio = devicePixelRatio || 1;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      const ctx = canvas.getContext("2d")!;
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      const dark = state.theme.value === "dark";
      const v = state.view.value;
      const span = v.to - v.from;
      const stepNs = tickStep(span, width / (state.clockMode.value ? 130 : 105));
      // On the wall clock, ticks are at its even moments.
      const start = state.start.value;
      const phase = state.clockMode.value && start !== null ? Number(start % BigInt(Math.round(stepNs))) : 0;
      const x = (t: number) => ((t - v.from) / span) * width;
      ctx.font = "11px ui-sans-serif, system-ui, -apple-system, 'Segoe UI', sans-serif";
      ctx.textBaseline = "middle";
      const s = state.selection.value;
      if (s) {
        ctx.fillStyle = dark ? "rgba(90,162,255,.25)" : "rgba(11,98,214,.16)";
        ctx.fillRect(x(s.from), 0, x(s.to) - x(s.from), height);
      }
      ctx.fillStyle = dark ? "#3a4454" : "#c3cad4";
      for (let t = Math.floor((v.from + phase) / stepNs) * stepNs - phase; t <= v.to; t += stepNs / 5) if (t >= 0) ctx.fillRect(Math.round(x(t)), height - 4, 1, 4);
      for (let t = Math.ceil((v.from + phase) / stepNs) * stepNs - phase; t <= v.to; t += stepNs) {
        const px = Math.round(x(t));
        ctx.fillStyle = dark ? "#566172" : "#9aa4b2";
        ctx.fillRect(px, height - 9, 1, 9);
        ctx.fillStyle = dark ? "#a9b3c2" : "#4b5563";
        const text = t < 0 ? "" : state.moment(t, stepNs);
        if (px + 4 + ctx.measureText(text).width < width) ctx.fillText(text, px + 4, height / 2 - 1);
      }
      if (s && x(s.to) - x(s.from) > 50) {
        const text = duration(s.to - s.from);
        const w = ctx.measureText(text).width;
        const mid = Math.max(w / 2 + 4, Math.min(width - w / 2 - 4, (x(s.from) + x(s.to)) / 2));
        ctx.fillStyle = dark ? "#5aa2ff" : "#0b62d6";
        ctx.fillRect(mid - w / 2 - 4, 3, w + 8, height - 8);
        ctx.fillStyle = dark ? "#0c0f14" : "#fff";
        ctx.fillText(text, mid - w / 2, height / 2 - 1);
      }
    };
    const redraw = () => {
      frame ||= requestAnimationFrame(draw);
    };
    const stop = effect(() => {
      void [state.view.value, state.theme.value, state.clockMode.value, state.selection.value, state.trace.value?.duration, state.start.value];
      redraw();
    });
    const size = new ResizeObserver(redraw);
    size.observe(canvas);
    const unlisten = listen(canvas, true);
    return () => {
      stop();
      size.disconnect();
      unlisten();
    };
  }, []);
  return <canvas class="ruler" ref={ref} title="Drag to select a range; click to unselect" />;
}
