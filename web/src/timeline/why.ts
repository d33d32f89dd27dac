// Whether all is there, and why a lane has nothing to show: an empty row alone would leave one to
// wonder whether it is broken.

import { hasNothing, type TraceInfo } from "../api.js";

/** What is to be said of a trace that was read. */
export function completeness(t: Pick<TraceInfo, "error" | "complete" | "lost" | "events" | "goroutines">): "complete" | "parts are lost" | "no events" | "not readable" {
  if (t.error !== null) return "not readable";
  if (!t.complete || t.lost.length > 0) return hasNothing(t) ? "not readable" : "parts are lost";
  return hasNothing(t) ? "no events" : "complete";
}

/** `whole`: the view has all of the trace; `nothing`: the trace has no events at all. */
export function whyEmpty(lane: string, whole: boolean, nothing: boolean): string {
  if (nothing) return "the trace has no events";
  const when = whole ? "" : " in this time";
  switch (lane.split(":")[0]) {
    case "gc": return `the collector did not run${when}`;
    case "stw": return `the world was not stopped${when}`;
    case "proc": return whole ? "never at work" : "idle in this time";
    case "thread": return `no goroutine ran on it${when}`;
    case "go": return `it did not live${when}`;
    case "group": return `none of its goroutines lived${when}`;
    case "task": return `not under way${when}`;
    case "tasks": return `no task was under way${when}`;
    case "regions": return `no region${when}`;
    default: return `no goroutine${when}`;
  }
}
