// A real table that sorts, filters, copies, and has only the rows on the screen in the document.

import { useMemo, useRef, useState, useEffect } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { count, cut } from "../time/format.js";
import { copyText, csv, download } from "./copy.js";
import { useOption } from "./option.js";

export interface Column<T> {
  key: string;
  title: string;
  /** What the head says on hover: the meaning of the figure. */
  hint?: string;
  value: (row: T) => string | number | null | undefined;
  show?: (row: T) => ComponentChildren;
  /** Every digit, on hover. */
  full?: (row: T) => string;
  number?: boolean;
  wide?: boolean;
  /** Only shows what other columns say in figures: of no use in a CSV. */
  picture?: boolean;
}

interface Props<T> {
  name: string;
  columns: Column<T>[];
  rows: T[];
  sort?: string;
  empty: ComponentChildren;
  onPick?: (row: T) => void;
  pickHint?: string;
  tools?: ComponentChildren;
  /** Rows that are shown before the table scrolls. */
  most?: number;
}

const ROW = 24;

export function Table<T>({ name, columns, rows, sort, empty, onPick, pickHint, tools, most = 22 }: Props<T>) {
  const key = name.replace(/[^\w]+/g, "-").slice(0, 30);
  const [by, setBy] = useOption(`sort-${key}`, sort ?? "");
  const [text, setText] = useOption(`find-${key}`, "");
  const [scroll, setScroll] = useState(0);
  const [cursor, setCursor] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => {
    let out = rows;
    if (text) {
      const q = text.toLowerCase();
      out = out.filter((r) => columns.some((c) => !c.number && String(c.value(r) ?? "").toLowerCase().includes(q)));
    }
    const column = columns.find((c) => c.key === by.replace(/^-/, ""));
    if (!column) return out;
    const way = by.startsWith("-") ? -1 : 1;
    return [...out].sort((a, b) => {
      const x = column.value(a);
      const y = column.value(b);
      // What is not known comes last, either way.
      if (x === null || x === undefined) return y === null || y === undefined ? 0 : 1;
      if (y === null || y === undefined) return -1;
      return (x < y ? -1 : x > y ? 1 : 0) * way;
    });
  }, [rows, by, text, columns]);
  useEffect(() => {
    setCursor(0);
    if (box.current) box.current.scrollTop = 0;
  }, [by, text]);

  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const height = Math.min(most, shown.length) * ROW + 27;
  const first = Math.max(0, Math.floor(scroll / ROW) - 8);
  const last = Math.min(shown.length, first + most + 18);
  const asCsv = () => {
    const figures = columns.filter((c) => !c.picture);
    return csv(figures.map((c) => c.title), shown.map((r) => figures.map((c) => c.value(r))));
  };
  const onKey = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: most, PageUp: -most, Home: -1e9, End: 1e9 }[e.key];
    if (step !== undefined) {
      e.preventDefault();
      const next = Math.max(0, Math.min(shown.length - 1, cursor + step));
      setCursor(next);
      const el = box.current!;
      if (next * ROW < el.scrollTop) el.scrollTop = next * ROW;
      else if ((next + 1) * ROW + 27 > el.scrollTop + el.clientHeight) el.scrollTop = (next + 1) * ROW + 27 - el.clientHeight;
    } else if (e.key === "Enter" && onPick && e.target === e.currentTarget && shown[cursor]) onPick(shown[cursor]!);
  };
  return (
    <div class="table-box">
      <div class="table-tools">
        {tools}
        {rows.length > 12 && <input type="search" placeholder="filter" aria-label={`Filter ${name}`} value={text} onInput={(e) => setText(e.currentTarget.value)} />}
        <span class="faint">{text ? `${count(shown.length)} of ` : ""}{count(rows.length)} {rows.length === 1 ? "row" : "rows"}</span>
        <button class="small" onClick={() => copyText(asCsv(), "Copied as CSV, all digits.")}>copy CSV</button>
        <button class="small" onClick={() => download(`${name.replace(/[^\w]+/g, "-")}.csv`, new Blob([asCsv()], { type: "text/csv" }))}>save</button>
      </div>
      <div class="vtable" tabIndex={0} role="group" aria-label={`${name}: arrows move, Enter opens`} ref={(el) => { box.current = el; if (el) el.style.maxHeight = `${height + 2}px`; }} onScroll={(e) => setScroll(e.currentTarget.scrollTop)} onKeyDown={onKey}>
        <table aria-rowcount={shown.length + 1}>
          <caption class="hide">{name}</caption>
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c.key} scope="col" class={`${c.number ? "num" : ""} ${c.wide ? "wide" : ""}`} title={c.hint} aria-sort={by === c.key ? "ascending" : by === `-${c.key}` ? "descending" : "none"}>
                  <button onClick={() => setBy(by === `-${c.key}` ? c.key : by === c.key ? `-${c.key}` : c.number ? `-${c.key}` : c.key)}>
                    {c.title}<span aria-hidden="true">{by === c.key ? " ▴" : by === `-${c.key}` ? " ▾" : ""}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Gap height={first * ROW} columns={columns.length} />
            {shown.slice(first, last).map((r, i) => (
              <tr key={first + i} aria-rowindex={first + i + 2} class={`${onPick ? "pick" : ""} ${first + i === cursor ? "cursor" : ""}`} title={onPick ? pickHint : undefined}
                onClick={onPick ? (e) => { if (!(e.target as HTMLElement).closest("a, button")) onPick(r); } : undefined}>
                {columns.map((c) => (
                  <td key={c.key} class={`${c.number ? "num" : ""} ${c.wide ? "wide" : ""}`} title={c.full ? c.full(r) : undefined}>{c.show ? c.show(r) : plain(c.value(r))}</td>
                ))}
              </tr>
            ))}
            <Gap height={(shown.length - last) * ROW} columns={columns.length} />
          </tbody>
        </table>
        {shown.length === 0 && <p class="empty">No row has “{text}” in it.</p>}
      </div>
    </div>
  );
}

function plain(v: string | number | null | undefined): string | number {
  return v === null || v === undefined || v === "" ? "–" : typeof v === "string" ? cut(v) : v;
}

function Gap({ height, columns }: { height: number; columns: number }) {
  if (height <= 0) return null;
  return <tr aria-hidden="true"><td colSpan={columns} class="gap" ref={(el) => { if (el) el.style.height = `${height}px`; }} /></tr>;
}
