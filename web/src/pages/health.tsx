// Whether the trace is whole: what was lost and why, and misused annotations.

import type { Frame } from "../api.js";
import * as state from "../state.js";
import { bytes, count, cut, duration, percent } from "../time/format.js";
import { Await } from "../ui/load.js";
import { Table, type Column } from "../ui/table.js";
import { Command, PageBox, showRange, useAnswer } from "./common.js";

interface Loss { reason: string; cause: string; first_byte: number; end_byte: number; bytes_lost: number; from_time: number | null; until_time: number | null }
interface Misuse { reason: string; time: number; since_start_ns: number | null; stack: Frame[] }
interface Info {
  format: string; written_by: string; file_bytes: number; trace_bytes: number; compression: string | null; wall_start: string | null; start_time: number; duration_ns: number; generations: number; batches: number; events: number;
  events_by_kind: Record<string, number>; gomaxprocs: number; strings: number; stacks: number;
  health: { complete: boolean; bytes_lost: number; share_lost: number; events_unresolved: number; losses: Loss[]; more_losses: number; misuses: Misuse[]; more_misuses: number };
}

export function HealthPage() {
  const info = useAnswer<Info>("info", {}, false);
  const t = state.trace.value;
  return (
    <PageBox title="Health of the trace">
      {t && t.lost.length > 0 && (
        <section>
          <h3>Lost, on the time axis</h3>
          <Table name="lost times" rows={t.lost} most={8} empty="" sort="from" onPick={(l) => showRange(l.from, l.to)} pickHint="Show it in the timeline"
            columns={[
              { key: "from", title: "from", number: true, value: (l) => l.from, show: (l) => state.moment(l.from, 1e5), full: (l) => state.momentFull(l.from) },
              { key: "time", title: "time", number: true, value: (l) => l.to - l.from, show: (l) => duration(l.to - l.from) },
              { key: "what", title: "what", wide: true, value: (l) => l.what, show: (l) => cut(l.what, 300) },
            ]} />
        </section>
      )}
      <Await of={info} what="the health">
        {(a) => {
          const i = a.rows[0];
          if (!i) return <p class="empty">The server said nothing about the trace.</p>;
          const h = i.health;
          const losses: Column<Loss>[] = [
            { key: "from", title: "from", number: true, value: (l) => l.from_time, show: (l) => (l.from_time === null ? "–" : state.moment(l.from_time - i.start_time, 1e5)) },
            { key: "until", title: "until", number: true, value: (l) => l.until_time, show: (l) => (l.until_time === null ? "the end" : state.moment(l.until_time - i.start_time, 1e5)) },
            { key: "bytes", title: "lost", number: true, value: (l) => l.bytes_lost, show: (l) => bytes(l.bytes_lost), full: (l) => `${count(l.bytes_lost)} bytes from ${count(l.first_byte)} to ${count(l.end_byte)}` },
            { key: "cause", title: "likely cause", value: (l) => l.cause },
            { key: "reason", title: "what is wrong", wide: true, value: (l) => l.reason, show: (l) => cut(l.reason, 300) },
          ];
          const misuses: Column<Misuse>[] = [
            { key: "time", title: "when", number: true, value: (m) => m.since_start_ns, show: (m) => state.moment(m.since_start_ns, 1e5) },
            { key: "reason", title: "what", wide: true, value: (m) => m.reason, show: (m) => cut(m.reason, 300) },
            { key: "where", title: "where", value: (m) => (m.stack[0] ? `${m.stack[0].function}:${m.stack[0].line}` : null) },
          ];
          return (
            <>
              <section>
                <div class={`finding ${h.complete ? "fine" : ""}`}>
                  {h.complete ? "The trace is whole: every byte was understood." : `${bytes(h.bytes_lost)} (${percent(h.share_lost)}) could not be read; ${count(h.events_unresolved)} events could not be placed. What is left is shown, and is right as far as it goes.`}
                </div>
                <Table name="losses" columns={losses} rows={h.losses} most={10} empty="Nothing was lost." />
                {h.more_losses > 0 && <p class="faint">and {count(h.more_losses)} more</p>}
              </section>
              <section><h3>Misused annotations</h3><Table name="misuses" columns={misuses} rows={h.misuses} most={10} empty="Tasks and regions were used as they should be." onPick={(m) => m.since_start_ns !== null && showRange(m.since_start_ns - 1e5, m.since_start_ns + 1e5)} /></section>
              <section>
                <h3>The file</h3>
                <dl class="figures">
                  <dt>format</dt><dd>{i.format}, written by {i.written_by}</dd>
                  <dt>size</dt><dd>{bytes(i.file_bytes)}{i.compression ? `, ${i.compression}; ${bytes(i.trace_bytes)} unpacked` : ""}</dd>
                  <dt>begins</dt><dd>{i.wall_start ?? "no wall clock in this format"}</dd>
                  <dt>generations</dt><dd>{count(i.generations)}, in {count(i.batches)} batches</dd>
                  <dt>strings, stacks</dt><dd>{count(i.strings)}, {count(i.stacks)}</dd>
                  <dt>GOMAXPROCS</dt><dd>{count(i.gomaxprocs)}</dd>
                </dl>
                <Command of={a} />
              </section>
              <section><h3>Events by kind</h3><Table name="events" most={14} sort="-n" empty="There are no events." rows={Object.entries(i.events_by_kind)} columns={[{ key: "k", title: "kind", value: (r) => r[0] }, { key: "n", title: "events", number: true, value: (r) => r[1], show: (r) => count(r[1]) }]} /></section>
            </>
          );
        }}
      </Await>
    </PageBox>
  );
}
