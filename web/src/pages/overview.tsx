export function OverviewPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
