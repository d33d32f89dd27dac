export function GcPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
