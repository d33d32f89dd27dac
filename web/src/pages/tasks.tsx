export function TasksPage(_: { args?: string[] }) { return <p class="empty">…</p>; }
