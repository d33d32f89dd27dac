export function LatencyPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
