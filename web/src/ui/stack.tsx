// A stack, innermost frame first, as Go prints them.

import type { Frame } from "../api.js";
import { cut, short } from "../time/format.js";
import { copyText } from "./copy.js";

export function stackText(frames: Frame[]): string {
  return frames.map((f) => `${f.function}\n\t${f.file}:${f.line}`).join("\n");
}

export function Stack({ frames, none }: { frames: Frame[] | null | undefined; none: string }) {
  if (!frames || frames.length === 0) return <p class="empty">{none}</p>;
  return (
    <div class="stack">
      <ol>
        {frames.map((f, i) => (
          <li key={i} class={f.function.startsWith("runtime.") ? "runtime" : ""} title={cut(`${f.function} ${f.file}:${f.line}`, 1000)}>
            <span class="fn">{short(f.function)}</span> <span class="faint">{cut(base(f.file), 60)}:{f.line}</span>
          </li>
        ))}
      </ol>
      <button class="small" onClick={() => copyText(stackText(frames), "Stack copied.")}>copy</button>
    </div>
  );
}

function base(file: string): string {
  const parts = file.split("/");
  return parts.slice(-2).join("/");
}
