export function RegionsPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
