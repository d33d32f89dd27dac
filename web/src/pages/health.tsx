export function HealthPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
