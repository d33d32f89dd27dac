// The address follows the view, and the view follows the address: a link or Back restores it.

import { batch, effect } from "@preact/signals";
import * as state from "./state.js";
import { decode, encode, type Page, type UrlState } from "./url.js";

let timer = 0;

function write(push: boolean): void {
  clearTimeout(timer);
  timer = 0;
  const hash = encode(state.snapshot());
  if (hash === (location.hash || "#/timeline")) return;
  if (push) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
}

export function followAddress(): void {
  // The token of a server that listens beyond loopback is in a cookie by now: links that people
  // pass on should not have it.
  const query = new URLSearchParams(location.search);
  if (query.has("token")) {
    query.delete("token");
    history.replaceState(null, "", `${location.pathname}${query.size > 0 ? `?${query}` : ""}${location.hash}`);
  }
  state.restore(decode(location.hash));
  addEventListener("popstate", () => state.restore(decode(location.hash)));
  // Zooming writes the address once it rests: browsers allow only so many changes a second.
  effect(() => {
    encode(state.snapshot());
    if (timer === 0) timer = setTimeout(() => write(false), 300) as unknown as number;
  });
}

/** Does something that Back should undo. */
export function step(change: () => void): void {
  write(false);
  batch(change);
  write(true);
}

export function go(page: Page, ...args: (string | number)[]): void {
  step(() => {
    state.page.value = page;
    state.args.value = args.map(String);
    state.options.value = {};
  });
}

/** The address of a page with all else as it is, for links that can be opened in a new tab. */
export function linkTo(page: Page, ...args: (string | number)[]): string {
  const s: UrlState = { ...state.snapshot(), page, args: args.map(String), options: {} };
  return encode(s);
}

/** To the timeline, within a step. How another page was set stays behind. */
export function toTimeline(): void {
  if (state.page.value !== "timeline") state.options.value = {};
  state.page.value = "timeline";
  state.args.value = [];
}

/** Shows a span in the timeline. */
export function showSpan(lane: string, time: number, range?: { from: number; to: number }): void {
  step(() => {
    toTimeline();
    state.focus.value = { lane, time };
    if (range) state.revealRange(range.from, Math.max(range.to, range.from + 1));
    else state.revealTime(time);
  });
}
