export function ProfilesPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
