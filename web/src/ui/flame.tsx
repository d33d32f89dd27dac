// A flame graph: stacks merged from the outermost frame down. Click a frame to make it the whole
// width; type to see where a function is. One canvas, hundreds of thousands of frames.

import { prepare } from "./canvas.js";
import { effect } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Flame } from "../api.js";
import { inkOn, packed } from "../palette.js";
import { theme } from "../state.js";
import { count, cut, duration, percent, short } from "../time/format.js";
import { copyText } from "./copy.js";

export interface Node {
  name: string;
  value: number;
  own: number;
  depth: number;
  x: number;
  children: Node[];
  parent: Node | null;
}

/** Merges stacks to a tree; children by value, so that what is wide comes first. */
export function tree(stacks: Flame["stacks"]): Node {
  const root: Node = { name: "all", value: 0, own: 0, depth: 0, x: 0, children: [], parent: null };
  const index = new Map<Node, Map<string, Node>>();
  for (const s of stacks) {
    let at = root;
    root.value += s.value;
    for (const f of s.frames) {
      let named = index.get(at);
      if (!named) index.set(at, (named = new Map()));
      let next = named.get(f);
      if (!next) {
        named.set(f, (next = { name: f, value: 0, own: 0, depth: at.depth + 1, x: 0, children: [], parent: at }));
        at.children.push(next);
      }
      next.value += s.value;
      at = next;
    }
    at.own += s.value;
  }
  const place = (n: Node) => {
    n.children.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
    let x = n.x;
    for (const c of n.children) {
      c.x = x;
      x += c.value;
      place(c);
    }
  };
  place(root);
  return root;
}

/** The same upside down: who spends time itself, and who called it. */
export function inverted(stacks: Flame["stacks"]): Node {
  return tree(stacks.map((s) => ({ frames: [...s.frames].reverse(), value: s.value })));
}

const ROW = 18;
const LIGHT = ["#f2b58a", "#efc08f", "#e9a98a", "#f0cb9b", "#e6b99c", "#dfa78f"];
const DARK = ["#a3643c", "#8f5f38", "#9c5440", "#7f5f3c", "#8a4f3a", "#94703f"];
const RUNTIME = { light: "#c9d2de", dark: "#46505f" };

function colourOf(name: string, dark: boolean): string {
  if (name.startsWith("runtime.") || name.startsWith("internal/")) return dark ? RUNTIME.dark : RUNTIME.light;
  let h = 0;
  const end = name.lastIndexOf(".");
  // By package, so that one's frames look alike.
  for (let i = 0; i < (end < 0 ? name.length : Math.min(end, 120)); i++) h = (h * 31 + name.charCodeAt(i)) >>> 0;
  return (dark ? DARK : LIGHT)[h % 6]!;
}

export function FlameGraph({ flame, empty }: { flame: Flame; empty: string }) {
  const [upside, setUpside] = useState(false);
  const [text, setText] = useState("");
  const [picked, setPicked] = useState<string[]>([]);
  const [hover, setHover] = useState<{ node: Node; x: number; y: number } | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const root = useMemo(() => (upside ? inverted(flame.stacks) : tree(flame.stacks)), [flame, upside]);
  const zoomed = useMemo(() => {
    let n = root;
    for (const name of picked) {
      const next = n.children.find((c) => c.name === name);
      if (!next) break;
      n = next;
    }
    return n;
  }, [root, picked]);
  const depth = useMemo(() => {
    let d = 0;
    const walk = (n: Node) => {
      d = Math.max(d, n.depth);
      if (n.depth < 120) n.children.forEach(walk);
    };
    walk(zoomed);
    return d;
  }, [zoomed]);
  const shown = useRef<{ node: Node; x0: number; x1: number; y: number }[]>([]);
  const value = (v: number) => (flame.unit === "ns" ? duration(v) : `${count(v)} samples`);

  useEffect(() => {
    const el = canvas.current;
    if (!el) return;
    const draw = () => {
      const width = el.parentElement!.clientWidth;
      const height = (depth + 1) * ROW;
      const ctx = prepare(el, width, height);
      const dark = theme.value === "dark";
      const q = text.toLowerCase();
      shown.current = [];
      const k = width / Math.max(zoomed.value, 1e-9);
      const box = (n: Node, x0: number, x1: number, faint: boolean) => {
        const y = n.depth * ROW;
        shown.current.push({ node: n, x0, x1, y });
        const colour = n.depth === 0 ? (dark ? "#2a323f" : "#dfe4ea") : q && n.name.toLowerCase().includes(q) ? (dark ? "#c76bd6" : "#d58be0") : colourOf(n.name, dark);
        ctx.globalAlpha = faint ? 0.5 : q && !n.name.toLowerCase().includes(q) ? 0.55 : 1;
        ctx.fillStyle = colour;
        ctx.fillRect(x0, y, Math.max(x1 - x0 - 0.7, 0.4), ROW - 1);
        ctx.globalAlpha = 1;
        const room = x1 - x0 - 8;
        if (room < 24) return;
        let name = n.depth === 0 ? `all · ${value(root.value)}` : short(n.name);
        const w = ctx.measureText(name).width;
        if (w > room) name = `${name.slice(0, Math.max(1, Math.floor((name.length * (room - 8)) / w)))}…`;
        ctx.fillStyle = inkOn(packed(colour));
        ctx.fillText(name, x0 + 4, y + ROW / 2);
      };
      for (let n: Node | null = zoomed.parent; n; n = n.parent) box(n, 0, width, true);
      const walk = (n: Node) => {
        const x0 = (n.x - zoomed.x) * k;
        const x1 = x0 + n.value * k;
        if (x1 - x0 < 0.4) return;
        box(n, x0, x1, false);
        if (n.depth < 120) n.children.forEach(walk);
      };
      walk(zoomed);
    };
    const stop = effect(() => {
      void theme.value;
      draw();
    });
    const size = new ResizeObserver(draw);
    size.observe(el.parentElement!);
    return () => {
      stop();
      size.disconnect();
    };
  }, [root, zoomed, depth, text]);

  if (flame.stacks.length === 0) return <p class="empty">{empty}</p>;
  const at = (e: MouseEvent) => {
    const b = canvas.current!.getBoundingClientRect();
    const x = e.clientX - b.left;
    const y = Math.floor((e.clientY - b.top) / ROW) * ROW;
    return shown.current.find((s) => s.y === y && s.x0 <= x && s.x1 >= x)?.node ?? null;
  };
  const pathOf = (n: Node) => {
    const out: string[] = [];
    for (let p: Node | null = n; p?.parent; p = p.parent) out.unshift(p.name);
    return out;
  };
  const found = text ? matched(zoomed, text.toLowerCase()) : 0;
  return (
    <div class="flame">
      <div class="table-tools">
        <button class={`small ${upside ? "on" : ""}`} aria-pressed={upside} onClick={() => (setUpside(!upside), setPicked([]))}>bottom-up</button>
        {picked.length > 0 && <button class="small" onClick={() => setPicked([])}>whole width</button>}
        <input type="search" placeholder="find a function" aria-label="Find a function in the flame graph" value={text} onInput={(e) => setText(e.currentTarget.value)} />
        {text && <span class="faint">{percent(found / Math.max(zoomed.value, 1))} of {value(zoomed.value)}</span>}
        <button class="small" onClick={() => copyText(flame.stacks.map((s) => `${s.frames.join(";")} ${s.value}`).join("\n") + "\n", "Copied as folded stacks.")}>copy folded</button>
      </div>
      <div class="flame-box">
        <canvas ref={canvas} role="img" aria-label={`Flame graph of ${value(root.value)}. The table of functions has the same figures.`}
          onClick={(e) => { const n = at(e); if (n) setPicked(pathOf(n)); }}
          onMouseMove={(e) => { const n = at(e); setHover(n ? { node: n, x: e.offsetX, y: e.offsetY } : null); }}
          onMouseLeave={() => setHover(null)} />
        {hover && (
          <div class="tip" ref={(el) => { if (el) { el.style.left = `${Math.min(hover.x + 14, el.parentElement!.clientWidth - el.offsetWidth - 4)}px`; el.style.top = `${hover.y + 16}px`; } }}>
            <b>{cut(hover.node.name)}</b>
            <div>{value(hover.node.value)} · {percent(hover.node.value / Math.max(root.value, 1))} of all</div>
            {hover.node.own > 0 && hover.node.own < hover.node.value && <div>itself {value(hover.node.own)}</div>}
          </div>
        )}
      </div>
    </div>
  );
}

/** How much lies in frames whose name has the text, counted once where they nest. */
export function matched(n: Node, q: string): number {
  if (n.depth > 0 && n.name.toLowerCase().includes(q)) return n.value;
  let sum = 0;
  for (const c of n.children) sum += matched(c, q);
  return sum;
}
