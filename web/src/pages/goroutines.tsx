export function GoroutinesPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
