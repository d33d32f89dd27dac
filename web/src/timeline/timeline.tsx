// The page of the timeline: ruler, names, lanes, and what hovers over them.

import { useEffect, useRef } from "preact/hooks";
import { Details } from "../panels/details.js";
import { Controls } from "../panels/menu.js";
import { hasNothing } from "../api.js";
import * as state from "../state.js";
import { step } from "../history.js";
import { keepGroupsWhen } from "../load.js";
import { duration, exact } from "../time/format.js";
import { copyText } from "../ui/copy.js";
import { listen } from "./input.js";
import { engine, tip } from "./instance.js";
import { Labels, PinLabels } from "./labels.js";
import { Ruler } from "./ruler.js";

export function Timeline() {
  const tracks = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const lanes = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const unmount = engine.mount(canvas.current!, over.current!);
    const unlisten = listen(over.current!, false);
    const s = scroller.current!;
    const onScroll = () => engine.scroll(s.scrollTop);
    s.addEventListener("scroll", onScroll);
    s.scrollTop = engine.scrollTop;
    engine.scrollTo = (top) => {
      s.scrollTop = top;
      engine.scroll(s.scrollTop);
    };
    keepGroupsWhen(() => engine.scrollTop > 0 || engine.hover.on || state.toggled.value.length > 0);
    const size = new ResizeObserver(() => {
      // Without the border: a canvas that is a pixel wider than its place is blurred.
      const box = lanes.current;
      if (box) engine.resize(box.clientWidth, box.clientHeight);
    });
    size.observe(lanes.current!);
    return () => {
      s.removeEventListener("scroll", onScroll);
      size.disconnect();
      unlisten();
      unmount();
    };
  }, []);
  const height = engine.layout.value.height;
  void state.pins.value;
  const pinned = engine.pinned;
  const setHeight = (el: HTMLElement | null, h: number) => {
    if (el) el.style.height = `${h}px`;
  };
  return (
    <div class="timeline">
      <div class="axis">
        <div class="corner"><Controls /></div>
        <Ruler />
      </div>
      <div class="tracks" ref={tracks}>
        <div class="scroller" ref={(el) => { scroller.current = el; if (el) el.style.top = `${pinned}px`; }} tabIndex={-1}>
          <div class="rows" ref={(el) => setHeight(el, height)}><Labels /></div>
        </div>
        <div class="pins" ref={(el) => setHeight(el, pinned)}><PinLabels /></div>
        <div class="lanes" ref={lanes}>
          <canvas ref={canvas} aria-hidden="true" />
          <canvas ref={over} class="over" tabIndex={0} role="application" aria-roledescription="timeline" aria-label="Timeline. Keys: w s a d or arrows move, [ and ] step along a goroutine, ? shows all keys. The same figures are in the tables of the other pages." />
          <Tooltip />
          <Measured />
          {state.trace.value?.done && hasNothing(state.trace.value) && <p class="empty over-lanes">This trace has no events, so there is nothing to draw. Health says what was found in the file.</p>}
        </div>
      </div>
      <Details />
    </div>
  );
}

/** What was measured, in text: to read, to copy, to be read aloud. */
function Measured() {
  const m = state.measure.value;
  if (!m || m.to === null) return null;
  const from = Math.min(m.from, m.to);
  const to = Math.max(m.from, m.to);
  const text = `${duration(to - from)} from ${state.moment(from, 1e2)} to ${state.moment(to, 1e2)}`;
  return (
    <div class="measured" role="status">
      <b title={exact(Math.round(to - from))}>{duration(to - from)}</b> from {state.moment(from, 1e2)} to {state.moment(to, 1e2)}{" "}
      <button class="small" onClick={() => copyText(text)}>copy</button>{" "}
      <button class="small" title="Select this time" onClick={() => step(() => { state.selection.value = { from: Math.max(0, Math.round(from)), to: Math.max(Math.round(to), Math.round(from) + 1), lanes: [] }; state.measure.value = null; state.focus.value = null; })}>select</button>{" "}
      <button class="small" title="Off (m, Esc)" onClick={() => (state.measure.value = null)}><span aria-hidden="true">×</span><span class="hide">Off</span></button>
    </div>
  );
}

function Tooltip() {
  const t = tip.value;
  if (!t) return null;
  const place = (el: HTMLDivElement | null) => {
    if (!el) return;
    const w = el.offsetWidth;
    const h = el.offsetHeight;
    const left = t.x + 16 + w > engine.width ? t.x - w - 12 : t.x + 16;
    const top = t.y + 16 + h > engine.height ? t.y - h - 10 : t.y + 16;
    el.style.left = `${Math.max(2, left)}px`;
    el.style.top = `${Math.max(2, top)}px`;
  };
  return (
    <div class="tip" ref={place} role="tooltip">
      <b>{t.title}</b>
      {t.lines.map((l, i) => (
        <div key={i}><Swatch colour={l.colour} />{l.text}</div>
      ))}
    </div>
  );
}

export function Swatch({ colour }: { colour: string | null }) {
  if (!colour) return null;
  return <i class="swatch" ref={(el) => { if (el) el.style.background = colour; }} />;
}
