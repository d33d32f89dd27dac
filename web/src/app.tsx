// The frame of the page: name of the trace, search, pages, strip, and what is chosen below.

import { useEffect, useRef } from "preact/hooks";
import { traceName, type TraceInfo } from "./api.js";
import { go, linkTo } from "./history.js";
import { KEYS } from "./keys.js";
import { FilterButton } from "./panels/filter.js";
import { ViewMenu } from "./panels/menu.js";
import { Search } from "./panels/search.js";
import { GcPage } from "./pages/gc.js";
import { GoroutinesPage } from "./pages/goroutines.js";
import { HealthPage } from "./pages/health.js";
import { LatencyPage } from "./pages/latency.js";
import { OverviewPage } from "./pages/overview.js";
import { ProfilesPage } from "./pages/profiles.js";
import { RegionsPage } from "./pages/regions.js";
import { TasksPage } from "./pages/tasks.js";
import * as state from "./state.js";
import { setTheme } from "./theme.js";
import { bytes, clockFull, count, cut, duration, exact } from "./time/format.js";
import { engine } from "./timeline/instance.js";
import { picture } from "./timeline/picture.js";
import { Strip } from "./timeline/strip.js";
import { completeness } from "./timeline/why.js";
import { Timeline } from "./timeline/timeline.js";
import { copyText, download } from "./ui/copy.js";
import type { Page } from "./url.js";

const TABS: [Page, string][] = [
  ["timeline", "Timeline"], ["overview", "Overview"], ["goroutines", "Goroutines"], ["tasks", "Tasks"], ["regions", "Regions"], ["latency", "Latency"], ["gc", "GC"], ["profiles", "Profiles"], ["health", "Health"],
];

export function App() {
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById("main")?.focus())}>To the content</a>
      <Header />
      <Strip />
      <Problems />
      <main id="main" tabIndex={-1}><Content /></main>
      {state.help.value && <Help />}
      <div class="toast" role="status" aria-live="polite">{state.toast.value}</div>
    </>
  );
}

function Content() {
  const args = state.args.value;
  switch (state.page.value) {
    case "timeline": return <Timeline />;
    case "overview": return <OverviewPage />;
    case "goroutines": return <GoroutinesPage args={args} />;
    case "tasks": return <TasksPage args={args} />;
    case "regions": return <RegionsPage args={args} />;
    case "latency": return <LatencyPage />;
    case "gc": return <GcPage />;
    case "profiles": return <ProfilesPage args={args} />;
    case "health": return <HealthPage />;
  }
}

function Header() {
  const t = state.trace.value;
  const wall = state.start.value;
  return (
    <header>
      <div class="top">
        <h1 title={t ? cut(t.path, 2000) : ""}>{t ? cut(traceName(t), 60) : "gotrail"}</h1>
        {t && (
          <span class="about">
            <span title={exact(t.duration)}>{duration(t.duration)}</span>
            {wall !== null && <span class="wide-only" title={clockFull(0, wall)}>{clockFull(0, wall).slice(0, 19).replace("T", " ")}Z</span>}
            {t.version !== null && <span class="wide-only">Go {t.version}</span>}
            {t.bytes !== null && <span class="wide-only" title={`${count(t.bytes)} bytes`}>{bytes(t.bytes)}</span>}
          </span>
        )}
        {t && <Completeness t={t} />}
        <Search />
        <FilterButton />
        <span class="right">
          <ViewMenu />
          <button class="tool wide-tool" aria-pressed={state.clockMode.value} disabled={wall === null} title={wall === null ? "This trace has no wall clock" : "Times after the start, or on the wall clock"} onClick={() => (state.clockMode.value = !state.clockMode.value)}>{state.clockMode.value ? "clock" : "offset"}</button>
          <button class="tool" title="Copy a link to this view" onClick={() => copyText(location.href, "Link copied.")}>link</button>
          {state.page.value === "timeline" && <button class="tool" title="Save the timeline as a picture" onClick={() => picture().then((b) => download(`${t ? traceName(t) : "trace"}.png`, b), (e: Error) => state.say(e.message))}>PNG</button>}
          <button class="tool" title="Light or dark" aria-label={`Switch to ${state.theme.value === "dark" ? "light" : "dark"}`} onClick={() => setTheme(state.theme.value === "dark" ? "light" : "dark")}>{state.theme.value === "dark" ? "☀" : "☾"}</button>
          <button class="tool" title="Keys (?)" aria-label="Keys" onClick={() => (state.help.value = true)}>?</button>
        </span>
      </div>
      <nav aria-label="Pages">
        {TABS.map(([p, name]) => (
          <a key={p} href={linkTo(p)} aria-current={state.page.value === p ? "page" : undefined} onClick={(e) => { if (e.metaKey || e.ctrlKey || e.shiftKey) return; e.preventDefault(); go(p); }}>{name}</a>
        ))}
        {state.selection.value && state.page.value !== "timeline" && (
          <span class="scope">only {duration(state.selection.value.to - state.selection.value.from)} from {state.moment(state.selection.value.from, 1e6)} <button class="small" onClick={() => (state.selection.value = null)}>whole trace</button></span>
        )}
      </nav>
    </header>
  );
}

/** Whether all of it was read. Never hidden, however narrow the window is. */
function Completeness({ t }: { t: TraceInfo }) {
  if (!t.done) return <span class="reading" role="status"><progress value={t.progress} max={1} aria-label="Read so far" /> {Math.floor(t.progress * 100)} %</span>;
  const what = completeness(t);
  if (what === "complete") return <span class="ok">complete</span>;
  return <a class="bad" href={linkTo("health")} title="What was found in the file" onClick={(e) => (e.preventDefault(), go("health"))}>{what}</a>;
}

function Problems() {
  const text = state.problem.value ?? state.tileProblem.value;
  return text ? <div class="problem" role="alert">{cut(text, 500)}</div> : null;
}

function Help() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.focus();
    return () => before?.focus();
  }, []);
  const close = () => (state.help.value = false);
  return (
    <div class="veil" onClick={close}>
      <div class="help" role="dialog" aria-modal="true" aria-label="Keys" tabIndex={-1} ref={ref} onClick={(e) => e.stopPropagation()}>
        <button class="close" onClick={close}><span aria-hidden="true">×</span><span class="hide">Close</span></button>
        <h2>Keys</h2>
        <dl class="keys">{KEYS.map((k) => <div key={k.shown}><dt>{k.shown.split("  ").map((x) => <kbd key={x}>{x}</kbd>)}</dt><dd>{k.what}</dd></div>)}</dl>
        <h2>Mouse and touch</h2>
        <dl class="keys">
          <div><dt>wheel</dt><dd>zoom at the pointer</dd></div>
          <div><dt>shift wheel</dt><dd>pan; alt wheel scrolls the tracks</dd></div>
          <div><dt>drag</dt><dd>pan</dd></div>
          <div><dt>shift drag</dt><dd>select a time of the lanes from there to here; on the ruler, of all</dd></div>
          <div><dt>click</dt><dd>what a span is</dd></div>
          <div><dt>double click</dt><dd>fit the span; on shares, closer</dd></div>
          <div><dt>pinch</dt><dd>zoom</dd></div>
        </dl>
        <p class="faint">Everything on these pages is printed by gotrail commands too. Drawn with {engine.rendererName || "nothing yet"}. <a href="./third-party.txt">Licences</a> of what this page is built from.</p>
      </div>
    </div>
  );
}
